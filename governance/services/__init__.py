"""Typed use of the contracts: what each agent, command and page may ask and do."""
