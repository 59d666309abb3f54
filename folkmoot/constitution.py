"""How a network is founded: times, quorums and jury of design, and the order of the contracts' arguments."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import dataclass
from typing import TYPE_CHECKING, Final

from agents.training.metrics import metric_code_digest
from governance.domain.policy import PolicySet
from governance.domain.signing import short_text
from governance.policy import chain_set

if TYPE_CHECKING:
    from governance.adapters.evm.deployer import Deployed
    from governance.ports import Signer

DAY_S: Final = 86_400
TIMELOCK_S: Final = 2 * DAY_S
VOTING_DELAY_S: Final = DAY_S
VOTING_PERIOD_S: Final = 5 * DAY_S
LATE_QUORUM_S: Final = DAY_S
JURY_SIZE: Final = 5
HIGH_JURY_SIZE: Final = 5
"""Seven would be better for the highest tier; the demonstration's panel of seven then left nobody for an appeal."""
MAX_LOOKS: Final = 3
FEE_BPS: Final = 500
"""The treasury's part of payments: a twentieth, so that prices stay readable."""
COURT_WINDOW_S: Final = DAY_S
APPEAL_WINDOW_S: Final = 2 * DAY_S
UNSTAKE_DELAY_S: Final = 14 * DAY_S
STAKE_E18: Final = 50 * 10**18
APPEAL_BOND_E18: Final = 25 * 10**18
DISPUTE_DEPOSIT_E18: Final = 10 * 10**18
"""What a complaint about work costs whoever loses it."""
TOLERANCE_MICROS: Final = 10_000
"""All jurors measure the same rows with the same code."""
CANDIDATE_BOND_E18: Final = 10 * 10**18
"""Lost when no jury is drawn in time, so that another draw is not free."""
OBJECTION_STAKE_E18: Final = 5 * 10**18
NO_HEAD: Final = b"\0" * 32
"""The registry succeeds no other, so its log begins here."""
METRICS: Final = (("auc", True), ("balanced_accuracy", True), ("tpr_gap_abs", False))
"""What juries measure, in the order in which they reveal, and whether more is better."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Founder:
    """One of the organisations that a network starts with."""

    name: str
    member: str
    operator: str


@dataclass(frozen=True, slots=True, kw_only=True)
class Founding:
    """Everything that is decided before the first block of a network."""

    founders: tuple[Founder, ...]
    panel: tuple[str, ...]
    """Names of the founders whose evaluators may be drawn."""
    policy: PolicySet
    guardian: str
    """Who may stop proposals, and suspend each release once, for 14 days; no key of a founder."""
    officers: tuple[tuple[int, str], ...] = ()
    """Office, a bit number, and who holds it."""
    treasury: str
    """Who holds the test credits at first."""
    supply_e18: int


def deploy(rpc_url: str, signer: Signer, founding: Founding, *, progress: Callable[[str], None]) -> Deployed:
    """Deploy all contracts of a founding from one key, which keeps no power.

    Raises
    ------
    DeploymentRefused, ChainUnreachable
    """
    from governance.adapters.evm.deployer import Deployer

    return Deployer(rpc_url, signer).deploy(arguments(founding), progress=progress)


def arguments(founding: Founding) -> dict[str, tuple[object, ...]]:
    """Return the constructor arguments of every contract."""
    from governance.adapters.evm.deployer import WIRING

    policy = founding.policy
    settings = (
        JURY_SIZE,
        HIGH_JURY_SIZE,
        MAX_LOOKS,
        COURT_WINDOW_S,
        COURT_WINDOW_S,
        APPEAL_WINDOW_S,
        UNSTAKE_DELAY_S,
        STAKE_E18,
        APPEAL_BOND_E18,
        bytes.fromhex(metric_code_digest()),
    )
    metrics = [(short_text(key), higher, TOLERANCE_MICROS) for key, higher in METRICS]
    return {
        "Credit": (founding.treasury, founding.supply_e18),
        "MemberToken": (WIRING,),
        "Timelock": (TIMELOCK_S, WIRING),
        "ModelGovernor": (WIRING, (VOTING_DELAY_S, VOTING_PERIOD_S, LATE_QUORUM_S)),
        "ReleaseRegistry": (WIRING, (founding.guardian, NO_HEAD, CANDIDATE_BOND_E18)),
        "PolicyRegistry": (WIRING, chain_set(policy)),
        "AgentRegistry": (WIRING, [(each.name, each.member, each.operator) for each in founding.founders]),
        "AgreementBook": (WIRING, FEE_BPS),
        "RoundLedger": (WIRING,),
        "EvaluatorCourt": (WIRING, settings, metrics, _numbers(founding.founders, founding.panel)),
        "Amendments": (WIRING,),
        "RewardVault": (WIRING,),
        "Consent": (WIRING, (list(founding.officers), OBJECTION_STAKE_E18)),
        "Disputes": (WIRING, DISPUTE_DEPOSIT_E18),
    }


def _numbers(founders: Sequence[Founder], names: Sequence[str]) -> list[int]:
    """Return the numbers that AgentRegistry will give to these founders."""
    order = [founder.name for founder in founders]
    return [order.index(name) + 1 for name in names]
