"""What a release earns: its pool, paid use, the job's bonus, and the contributors' shares."""

from collections.abc import Sequence
from dataclasses import dataclass

from governance.domain.income import Share, entitled, share_proof
from governance.domain.market import Address
from governance.domain.release import Manifest
from governance.errors import InvalidRecord
from governance.ports import Chain, Receipt, Signer
from governance.services import reading
from governance.services.releases import Releases

WHERE = "RewardVault"
POOL_FIELDS = 10
NO_ROOT = bytes(32)


@dataclass(frozen=True, slots=True, kw_only=True)
class PoolRecord:
    """The pool of a release as the vault knows it."""

    pooled_e18: int
    """All that ever came in for the contributors."""
    claimed_e18: int
    contributors: int
    is_open: bool
    use_price_e18: int
    """Price of 30 days of use; zero is free."""
    buyer: int
    """Organisation that gets the buyer's part of the income."""
    funded_at_s: int
    """Chain time at which the first money came in, or 0."""
    job: bytes
    parent: bytes
    root: bytes
    """Of the shares that the jury revealed; zeros where the signed prices decide."""


class Pools:
    """The vault's pools with types."""

    def __init__(self, chain: Chain) -> None:
        self._chain = chain

    def pool(self, release: bytes) -> PoolRecord:
        """Return a pool; one that is not open yet may hold a bonus already."""
        row = reading.row(self._chain.read(WHERE, "pool", release), POOL_FIELDS)
        return PoolRecord(
            pooled_e18=reading.number(row[0]),
            claimed_e18=reading.number(row[1]),
            contributors=reading.number(row[2]),
            is_open=reading.flag(row[3]),
            use_price_e18=reading.number(row[4]),
            buyer=reading.number(row[5]),
            funded_at_s=reading.number(row[6]),
            job=reading.raw(row[7]),
            parent=reading.raw(row[8]),
            root=reading.raw(row[9]),
        )

    def open(self, sender: Signer, release: bytes, manifest: Manifest) -> Receipt:
        """Open the pool of an approved release."""
        return self._chain.send(sender, WHERE, "openPool", (release, manifest.as_tuple()))

    def settle_bonus(self, sender: Signer, job: bytes) -> Receipt:
        """Send a job's bonus to the pool of its release, or back to the buyer."""
        return self._chain.send(sender, WHERE, "settleBonus", (job,))

    def bonus_left_e18(self, job: bytes) -> int:
        """Return the bonus that a job promised and that is not settled yet."""
        book = self._chain.address("AgreementBook")
        return reading.number(reading.row(self._chain.read(WHERE, "held", book, job), 2)[1])

    def pay_use(self, user: Signer, release: bytes, *, months: int, limit_e18: int) -> Receipt:
        """Pay for months of 30 days; the vault takes it by the user's allowance.

        Raises
        ------
        ContractRefused
            If the release is not for sale now, or costs more than the limit.
        """
        return self._chain.send(user, WHERE, "payUse", (release, months, limit_e18))

    def paid_until_s(self, release: bytes, user: Address) -> int:
        """Return the chain time until which a user has paid, or 0."""
        return reading.number(self._chain.read(WHERE, "paidUntil", release, user))

    def share(self, release: bytes, organisation: int) -> tuple[int, int]:
        """Return an organisation's share by signed price in billionths, and what it has claimed."""
        price_ppb, claimed_e18 = reading.row(self._chain.read(WHERE, "share", release, organisation), 2)
        return reading.number(price_ppb), reading.number(claimed_e18)

    def due_e18(self, release: bytes, organisation: int, *, shares: Sequence[Share] = ()) -> int:
        """Return what an organisation may claim now.

        Parameters
        ----------
        shares
            All shares behind the jury's root; not needed where the signed prices decide.

        Raises
        ------
        InvalidRecord
            If a root decides and the shares do not name the organisation.
        """
        found, (price_ppb, claimed_e18) = self.pool(release), self.share(release, organisation)
        share_ppb = price_ppb if found.root == NO_ROOT else _own(shares, organisation).share_ppb
        due_e18 = entitled(found.pooled_e18, share_ppb) - claimed_e18
        return max(0, min(due_e18, found.pooled_e18 - found.claimed_e18))

    def claim(self, sender: Signer, release: bytes, organisation: int, *, shares: Sequence[Share] = ()) -> Receipt:
        """Credit to an organisation's operator what is due from a pool.

        Raises
        ------
        InvalidRecord
            If a root decides and the shares do not name the organisation.
        """
        share_ppb, proof = 0, list[bytes]()
        if self.pool(release).root != NO_ROOT:
            own = _own(shares, organisation)
            share_ppb, proof = own.share_ppb, share_proof(release, shares, own)
        return self._chain.send(sender, WHERE, "claimShare", (release, organisation, share_ppb, proof))

    def drop_root(self, sender: Signer, release: bytes) -> Receipt:
        """Let the signed prices decide where nobody proved a share for 180 days."""
        return self._chain.send(sender, WHERE, "dropRoot", (release,))


def open_line(chain: Chain, sender: Signer, release: bytes) -> None:
    """Open the pool of a release unless it is open, and those of the releases before it, oldest first."""
    pools, releases, line = Pools(chain), Releases(chain), list[bytes]()
    while any(release) and not pools.pool(release).is_open:
        line.append(release)
        release = releases.release(release).parent
    for closed in reversed(line):
        pools.open(sender, closed, releases.manifest(closed))


def _own(shares: Sequence[Share], organisation: int) -> Share:
    for share in shares:
        if share.organisation == organisation:
            return share
    raise InvalidRecord(
        f"a root of the jury decides here, and the shares behind it were not given for organisation {organisation}"
    )
