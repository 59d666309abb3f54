"""One module per family of checks; each takes the context and an examination to fill."""
