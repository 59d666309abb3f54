"""The pages on which people see what they are asked to accept, and vote."""
