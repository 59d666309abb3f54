"""The proposal that is left for the person at the keyboard: a fifth hospital asks to be admitted."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING, Final

from folkmoot.demo.cast import FUNDS_WEI
from folkmoot.votes import Proposals, Support
from governance.services.amendments import Amendments
from governance.services.reading import number
from governance.services.releases import Governor

if TYPE_CHECKING:
    from folkmoot.demo.founding import Network
    from folkmoot.devnet import Devnet

NAME: Final = "Fifth Hospital"
SLUG: Final = "fifth-hospital"
PROPOSER: Final = "cleveland"


@dataclass(frozen=True, slots=True, kw_only=True)
class OpenProposal:
    """One vote short of passing."""

    proposal: int
    voter: str
    """Name of the key of a member that has not voted."""
    votes_for: int
    votes_needed: int


def leave_open(network: Network, devnet: Devnet) -> OpenProposal:
    """Propose the admission of a fifth owner, vote until one vote is missing, and leave voting open."""
    chain, governor = network.chain, Governor(network.chain)
    for what in ("member", "operator"):
        network.keys.ensure(f"{SLUG}.{what}")
    member, operator = (network.keys.address(f"{SLUG}.{what}") for what in ("member", "operator"))
    devnet.fund([member, operator], FUNDS_WEI)
    admission = chain.encode("AgentRegistry", "admit", NAME, member, operator)
    receipt = governor.propose(
        network.keys.signer(f"{PROPOSER}.member"),
        target="Amendments",
        calldata=Amendments(chain).staging("AgentRegistry", admission),
        description=f"Admit the organisation {NAME}, an owner of heart disease records.",
    )
    created = next(event for event in receipt.events if event.name == "ProposalCreated")
    proposal = number(created.values["proposalId"])
    devnet.advance_to(governor.snapshot_s(proposal) + 1)
    needed = -(-2 * len(network.parties) // 3)
    voters = [party.slug for party in network.parties]
    for slug in voters[: needed - 1]:
        Proposals(chain).cast(network.keys.signer(f"{slug}.member"), proposal, Support.FOR)
    return OpenProposal(proposal=proposal, voter=f"{voters[-1]}.member", votes_for=needed - 1, votes_needed=needed)
