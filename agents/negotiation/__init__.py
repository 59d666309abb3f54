"""Bargaining in integers: terms, mandates, judgement and tactics; no transport, no chain."""
