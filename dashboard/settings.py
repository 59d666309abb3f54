"""What the pages may use, handed over once by the composition root before the server starts."""

from dataclasses import dataclass
from functools import cached_property
from pathlib import Path

from dashboard.queries import Index
from governance.domain.deployment import CONTRACTS
from governance.domain.market import Address
from governance.domain.policy import PolicySet
from governance.errors import FolkmootError
from governance.policy import POLICIES, load_policies
from governance.ports import Chain, EvidenceStore


class NotSupplied(FolkmootError):
    """A page was opened in a process whose composition root supplied nothing."""


@dataclass(frozen=True, kw_only=True)
class Supplies:
    """Everything that the pages share; holds no key and signs nothing."""

    database_url: str
    """SQLAlchemy URL of the index."""
    chain: Chain
    """Asked for tallies, states and powers only; pages otherwise read the index."""
    wallet_rpc_url: str
    """Handed to wallets that do not know the chain yet; must be reachable from the browser."""
    is_development: bool
    """Whether one operator owns the chain; every page then says so."""
    policies: Path = POLICIES
    """Folder of the policy files, for reasons and laws; the rules themselves are read from the chain."""
    store: EvidenceStore | None = None
    """Model cards and jurors' reports, where this machine has them."""

    @cached_property
    def index(self) -> Index:
        """History as the index holds it."""
        return Index(self.database_url)

    @cached_property
    def contracts(self) -> dict[str, Address]:
        """Our contracts by name."""
        return {name: self.chain.address(name) for name in CONTRACTS}

    @cached_property
    def worded_policy(self) -> PolicySet | None:
        """The policy files of this machine, or None when they cannot be read."""
        try:
            return load_policies(self.policies)
        except FolkmootError:
            return None

    def document(self, digest: bytes) -> bytes | None:
        """Return the bytes of a digest where this machine has them unharmed."""
        if self.store is None:
            return None
        try:
            return self.store.get(digest)
        except FolkmootError:
            return None


_provided: list[Supplies] = []


def provide(supplies: Supplies) -> None:
    """Hand over what the pages of this process use."""
    _provided[:] = [supplies]


def supplied() -> Supplies:
    """Return what the pages of this process use.

    Raises
    ------
    NotSupplied
        If nothing was handed over.
    """
    if not _provided:
        raise NotSupplied("the dashboard was started without its network; start it with: folkmoot dashboard")
    return _provided[0]
