"""The error tree: everything this project raises on purpose derives from ``FolkmootError``."""


class FolkmootError(Exception):
    """A failure that we foresaw; its message says what went wrong, where, and what to do."""
