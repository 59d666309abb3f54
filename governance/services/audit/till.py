"""What lies in the vault as its events tell it."""

from collections import Counter, defaultdict
from dataclasses import dataclass, field

from governance.domain.market import Address
from governance.services.audit.checks.transfers import Movements

NOBODY = "0x" + "0" * 40


@dataclass(slots=True, kw_only=True)
class Pool:
    """The pool of a release, once it is open."""

    job: bytes
    parent: bytes
    buyer: int
    use_price_e18: int
    root: bytes
    by_price: dict[int, int]
    """Billionths by organisation, in the order of the manifest."""
    proved: dict[int, int] = field(default_factory=dict)
    """Billionths by organisation that showed its place under the root."""
    claims: Counter[int] = field(default_factory=Counter)


@dataclass(slots=True)
class Till:
    """Deposits, balances and pools."""

    deposits: dict[tuple[Address, bytes], tuple[Address, int]] = field(default_factory=dict)
    """Owner and amount by holder and key; an empty deposit has no owner."""
    balances: Counter[Address] = field(default_factory=Counter)
    movements: Movements = field(default_factory=lambda: defaultdict(Counter))
    pools: dict[bytes, Pool] = field(default_factory=dict)
    pooled: Counter[bytes] = field(default_factory=Counter)
    """All that ever came into each pool."""
    claimed: Counter[bytes] = field(default_factory=Counter)
    funded_at_s: dict[bytes, int] = field(default_factory=dict)

    @property
    def owed_e18(self) -> int:
        """Return all deposits, balances and what is left in pools together."""
        deposits = sum(amount for _, amount in self.deposits.values())
        return deposits + self.balances.total() + self.pooled.total() - self.claimed.total()

    def fund(self, release: bytes, amount_e18: int, *, time_s: int) -> None:
        """Add to a pool; it may not be open yet."""
        self.pooled[release] += amount_e18
        self.funded_at_s.setdefault(release, time_s)
