"""Command line and composition root: knows everybody, nobody knows it."""
