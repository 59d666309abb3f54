"""The doing: agents that negotiate, train and propose."""
