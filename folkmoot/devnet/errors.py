"""What can go wrong with a development chain."""

from __future__ import annotations

from governance.errors import FolkmootError


class DevnetError(FolkmootError):
    """The development chain cannot do what was asked."""


class NodeMissing(DevnetError):
    """There is no anvil on this machine."""


class NotRunning(DevnetError):
    """The development chain of this home is down."""


class HomeTaken(DevnetError):
    """Another process owns the chain of this home."""


class ReplayFailed(DevnetError):
    """A journaled block does not run again."""


class StrangerInBlock(ReplayFailed):
    """Somebody sent a transaction while the history was being replayed."""
