"""The record: domain, policy, services and their adapters."""
