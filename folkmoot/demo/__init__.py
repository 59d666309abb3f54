"""The demonstration: thirteen organisations on one machine, a refusal and a release."""
