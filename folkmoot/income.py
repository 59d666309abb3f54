"""What the users and the owners of a released model do on chain: pay for use, and collect what it earned."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING

from folkmoot.accounts import CREDIT, allow, read_account, withdraw
from governance.errors import FolkmootError

if TYPE_CHECKING:
    from governance.domain.income import Share
    from governance.domain.market import Address
    from governance.ports import Chain, EvidenceStore, Signer


class IncomeError(FolkmootError):
    """Nothing can be paid or collected; says why and what to do."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Collected:
    """What was collected for an organisation."""

    share_e18: int
    """Its share of the pool, credited now; zero when nothing had come in since the last time."""
    withdrawn_e18: int
    """All that the vault owed its operator."""
    problem: str = ""
    """Why nothing could be claimed now; empty if it could."""


def use_model(chain: Chain, user: Signer, artifact: bytes, *, months: int, limit_e18: int) -> int:
    """Pay for months of use of exactly this file; return until when it is paid, as chain time.

    Raises
    ------
    IncomeError
        If the file is no release, is free, or costs more than the limit.
    ContractRefused
        If it may not be used now.
    """
    from governance.domain.release import Status
    from governance.services.pools import Pools, open_line
    from governance.services.releases import Releases

    pools, release = Pools(chain), _release_of(chain, artifact)
    if Releases(chain).release(release).status is Status.REFUSED:
        raise IncomeError("this file was refused: it must not be used, and nothing is to be paid for it")
    open_line(chain, user, release)
    price_e18 = pools.pool(release).use_price_e18 * months
    if not price_e18:
        raise IncomeError("this model is free: nothing is to be paid for its use")
    if price_e18 > limit_e18:
        raise IncomeError(
            f"{months} months cost {price_e18 / CREDIT:.2f} credits, which is more than {limit_e18 / CREDIT:.2f}; "
            "raise --at-most, or pay for fewer months"
        )
    allow(chain, user, price_e18)
    pools.pay_use(user, release, months=months, limit_e18=limit_e18)
    return pools.paid_until_s(release, user.address)


def collect(chain: Chain, operator: Signer, artifact: bytes, *, reports: EvidenceStore) -> Collected:
    """Settle the bonus, claim the organisation's share of a release's pool, and withdraw all that is owed.

    Parameters
    ----------
    reports
        Store that may hold the jurors' reports, in which the shares lie where a jury decides.

    Raises
    ------
    IncomeError
        If the key is nobody's operator, or nothing is due.
    InvalidRecord
        If a jury's shares decide and none of its reports is at hand, and nothing else is owed.
    """
    from governance.errors import InvalidRecord
    from governance.services.pools import Pools, open_line

    pools, release = Pools(chain), _release_of(chain, artifact)
    organisation = _organisation_of(chain, operator.address)
    open_line(chain, operator, release)
    job = pools.pool(release).job
    if pools.bonus_left_e18(job):
        pools.settle_bonus(operator, job)
    share_e18, missing = 0, None
    try:
        share_e18 = _claim(chain, operator, release, organisation=organisation, reports=reports)
    except InvalidRecord as problem:
        # The owner's agent may have claimed before us: then what it claimed is all the same withdrawn.
        missing = problem
    if not read_account(chain, operator.address).owed_e18:
        raise missing or IncomeError("nothing is due to this organisation now")
    return Collected(share_e18=share_e18, withdrawn_e18=withdraw(chain, operator), problem=str(missing or ""))


def _claim(chain: Chain, operator: Signer, release: bytes, *, organisation: int, reports: EvidenceStore) -> int:
    """Claim what is due from a pool; return it."""
    from governance.services.pools import NO_ROOT, Pools
    from governance.services.shares import find_shares

    pools = Pools(chain)
    root = pools.pool(release).root
    shares: tuple[Share, ...] = ()
    if root != NO_ROOT:
        shares = find_shares(chain, release, root, fetch=lambda _juror, digest: reports.get(digest))
    share_e18 = pools.due_e18(release, organisation, shares=shares)
    if share_e18:
        pools.claim(operator, release, organisation, shares=shares)
    return share_e18


def _release_of(chain: Chain, artifact: bytes) -> bytes:
    from governance.services.releases import Releases

    release = Releases(chain).release_of(artifact)
    if not any(release):
        raise IncomeError("no release is of exactly this file")
    return release


def _organisation_of(chain: Chain, operator: Address) -> int:
    from governance.services.reading import number

    organisation = number(chain.read("AgentRegistry", "organisationOfOperator", operator))
    if not organisation:
        raise IncomeError(f"{operator} is the operator key of no active organisation; name another with --key")
    return organisation
