"""What each kind of agent does: it looks at the chain and its own tables, and does what is due next."""
