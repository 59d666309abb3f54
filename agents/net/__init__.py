"""A uAgents network that may face strangers: guarded ingress, bounded egress, durable mail."""
