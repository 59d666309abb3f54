"""The page people read and vote on."""
