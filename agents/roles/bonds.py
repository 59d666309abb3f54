"""What a coordinator's operator has to leave for a job: said in its own words, before the vault refuses it in others.

Neither ends a job: what was bought and trained is paid for, and the operator may mend it until the deadline.
"""

from agents.roles.desk import Desk
from agents.roles.jobs import CREDIT, JobFile
from governance.errors import FolkmootError
from governance.services import reading


class NotCovered(FolkmootError):
    """What a job needs is more than its operator has, lets the vault take or is willing to leave; says by how much."""


def require_willing(desk: Desk, file: JobFile) -> int:
    """Return the bond that the contract asks for each candidate, in 1e-18 credit.

    Raises
    ------
    NotCovered
        If it is more than the job file allows.
    """
    bond_e18 = desk.releases.candidate_bond_e18()
    if file.candidate_bond_e18 is not None and bond_e18 > file.candidate_bond_e18:
        raise NotCovered(
            f"candidate_bond is {file.candidate_bond_e18 / CREDIT:g} credits, and the contract asks for "
            f"{bond_e18 / CREDIT:g}; write as much into the job file in {desk.home / 'jobs'}, and the job goes on"
        )
    return bond_e18


def require_covered(desk: Desk, what: str, amount_e18: int) -> None:
    """Make sure that the vault can take an amount from our operator.

    Raises
    ------
    NotCovered
        If the operator has not enough credits, or lets the vault take less than is needed.
    """
    if not amount_e18:
        return
    chain, operator = desk.chain, desk.registry.operator_of(desk.address)
    vault = chain.address("RewardVault")
    has_e18 = reading.number(chain.read("Credit", "balanceOf", operator))
    allows_e18 = reading.number(chain.read("Credit", "allowance", operator, vault))
    if min(has_e18, allows_e18) < amount_e18:
        raise NotCovered(
            f"{what}: {amount_e18 / CREDIT:g} credits are needed, the operator {operator} has {has_e18 / CREDIT:g} "
            f"and lets RewardVault ({vault}) take {allows_e18 / CREDIT:g}"
        )
