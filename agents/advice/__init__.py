"""Words from a language model for a person to confirm; never a number, a signature or a vote."""
