"""Training and evaluation: pure functions and a keyless child; no transport, no chain."""
