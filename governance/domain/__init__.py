"""Facts, records and encodings; knows no framework."""
