"""An owner claims, by itself, what its share of a released model comes to.

The vault credits the owner's operator, who withdraws with ``folkmoot release collect``; the agent's key moves no money.
"""

import logging
import time

from agents.roles.desk import Desk, Plans, each, merge
from agents.roles.feed import Feed
from governance.domain.income import Share
from governance.domain.market import Address, Kind
from governance.errors import ContractRefused, FolkmootError, InvalidRecord
from governance.services import reading
from governance.services.pools import NO_ROOT, Pools, open_line
from governance.services.shares import find_shares

LOGGER = logging.getLogger(__name__)
LEAST_E18 = 10**17
"""What is due is claimed from a tenth of a credit on; less is not worth a transaction, and is not lost."""
PAUSE_S = 60.0
"""Wall time until reports that nobody served are asked for again."""


class Income:
    """Looks after an owner's share of bonus, paid use and royalties."""

    def __init__(self, desk: Desk) -> None:
        self._desk = desk
        self._pools = Pools(desk.chain)
        self._came_in = Feed(desk.chain, "RewardVault", ["BonusSettled", "UsePaid", "RoyaltyPaid"])
        self._seen: dict[bytes, int] = {}
        """Events about a release after which nothing was left for us to claim."""
        self._shares: dict[bytes, tuple[Share, ...]] = {}
        """By root."""
        self._again_at: dict[bytes, float] = {}

    def step(self) -> Plans:
        """Claim our part of whatever came in since the last look."""
        counts: dict[bytes, int] = {}
        for event in self._came_in.read():
            release = reading.raw(event.values["ancestor" if event.name == "RoyaltyPaid" else "release"])
            # Zero is a bonus that went back to its buyer.
            if any(release):
                counts[release] = counts.get(release, 0) + 1
        news = [release for release, count in counts.items() if self._seen.get(release) != count]
        return merge(each(news, lambda key: self._release(key, counts[key]), name=lambda key: f"pool {key.hex()[:8]}"))

    def _release(self, release: bytes, count: int) -> Plans:
        if time.monotonic() < self._again_at.get(release, 0.0):
            return Plans()
        organisation = self._contributing(release)
        try:
            if organisation:
                self._claim(release, organisation)
        except ContractRefused as refusal:
            # Somebody opened the pool, or claimed for us, before we did; the next step sees which.
            LOGGER.info("our share of release %s: %s", release.hex()[:8], refusal)
            return Plans()
        except InvalidRecord as problem:
            # Nobody waits for this: whoever watches a development clock must not, either.
            LOGGER.warning("our share of release %s: %s", release.hex()[:8], problem)
            self._again_at[release] = time.monotonic() + PAUSE_S
            return Plans()
        self._seen[release] = count
        return Plans()

    def _contributing(self, release: bytes) -> int:
        """Return our organisation if the release rests on data that this agent sold, else 0."""
        job, cited = self._desk.releases.release(release).job, self._desk.releases.manifest(release).agreements
        for agreement in self._desk.agreements.of(job, seller=self._desk.address):
            if agreement.kind is Kind.DATA and agreement.id in cited:
                return agreement.organisation
        return 0

    def _claim(self, release: bytes, organisation: int) -> None:
        open_line(self._desk.chain, self._desk.signer, release)
        shares = self._shares_of(release)
        if self._pools.due_e18(release, organisation, shares=shares) >= LEAST_E18:
            self._pools.claim(self._desk.signer, release, organisation, shares=shares)
            LOGGER.info("claimed our share of release %s", release.hex()[:8])

    def _shares_of(self, release: bytes) -> tuple[Share, ...]:
        root = self._pools.pool(release).root
        if root == NO_ROOT:
            return ()
        if root not in self._shares:
            self._shares[root] = find_shares(self._desk.chain, release, root, fetch=self._fetching(release))
        return self._shares[root]

    def _fetching(self, release: bytes) -> "_Reports":
        return _Reports(self._desk, self._desk.releases.release(release).proposer)


class _Reports:
    """Gets a report from the juror that wrote it, else from the coordinator, which collects all of them."""

    def __init__(self, desk: Desk, coordinator: Address) -> None:
        self._desk = desk
        self._coordinator = coordinator

    def __call__(self, juror: Address, digest: bytes) -> bytes:
        try:
            return self._desk.fetch(juror, digest)
        except FolkmootError:
            return self._desk.fetch(self._coordinator, digest)
