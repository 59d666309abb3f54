"""What bargaining raises on purpose.

NegotiationError
├── MandateError    a mandate file that is malformed or contradicts itself; the message names the field
└── BadStep         a message that does not follow from the ones before it
"""

from governance.errors import FolkmootError


class NegotiationError(FolkmootError):
    """A failure of bargaining that we foresaw."""


class MandateError(NegotiationError, ValueError):
    """A mandate file that is malformed or contradicts itself; the message names the field."""


class BadStep(NegotiationError, ValueError):
    """A message that does not follow from the ones before it: wrong number, hash, sender or frame."""
