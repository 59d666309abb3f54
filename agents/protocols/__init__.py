"""What agents say to each other: wire messages, and conversations as tables."""
