"""What the network layer raises on purpose.

NetError
├── BadKey             bytes or an address that are no secp256k1 key of an agent
├── PortTaken          the address to listen on is in use or not ours
├── AgentAlreadyRuns   another process holds the lock of this agent's key
├── MessageRefused     a handler's word that a message is wrong for ever
├── NotYet             a handler's word that a message came too early
├── ArtifactError      an artifact that is missing, too large or not what its digest says
└── SealError          a sealed box that does not open
"""

from governance.errors import FolkmootError


class NetError(FolkmootError):
    """A failure between agents that we foresaw."""


class BadKey(NetError, ValueError):
    """Bytes or an address that are no secp256k1 key of an agent."""


class PortTaken(NetError):
    """The address to listen on is in use or not ours."""


class AgentAlreadyRuns(NetError):
    """Another process holds the lock of this agent's key."""


class MessageRefused(NetError):
    """Raised by a handler: the message is wrong and will stay wrong.

    What the handler wrote is rolled back; the message is remembered and acknowledged, so that
    its sender stops sending it.
    """


class NotYet(NetError):
    """Raised by a handler: the message came before what it follows.

    What the handler wrote is rolled back; the message is not acknowledged and comes again.
    """


class ArtifactError(NetError):
    """An artifact that is missing, too large or not what its digest says."""


class SealError(NetError):
    """A sealed box that does not open: other recipient, other binding, or altered bytes."""
