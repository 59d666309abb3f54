"""Votes and proposals of members, each with its own key."""

from __future__ import annotations

from dataclasses import dataclass
from enum import IntEnum
from typing import TYPE_CHECKING

from governance.domain.release import ProposalState
from governance.errors import FolkmootError
from governance.services.reading import number
from governance.services.releases import Governor

if TYPE_CHECKING:
    from governance.ports import Chain, Receipt, Signer


class Support(IntEnum):
    """What a vote says (OpenZeppelin GovernorCountingSimple)."""

    AGAINST = 0
    FOR = 1
    ABSTAIN = 2


class VoteError(FolkmootError):
    """A vote that cannot be cast now; says why."""


@dataclass(frozen=True, slots=True)
class Proposals:
    """The proposals of a network, and votes on them."""

    chain: Chain

    def numbers(self) -> list[int]:
        """Return the ids of all proposals, oldest first."""
        events = self.chain.events("ModelGovernor", ["ProposalCreated"], from_block=self.chain.first_block)
        return [number(event.values["proposalId"]) for event in events]

    def find(self, start: str) -> int:
        """Return the one proposal whose id begins so, or the newest for ``latest``.

        Raises
        ------
        VoteError
            If none or several do.
        """
        known = self.numbers()
        found = known[-1:] if start == "latest" else [each for each in known if str(each).startswith(start)]
        if len(found) != 1:
            raise VoteError(
                f"{len(found)} proposals have an id that begins with {start}; there are {len(known)} in all"
            )
        return found[0]

    def active(self) -> list[int]:
        """Return the proposals that take votes now."""
        governor = Governor(self.chain)
        return [each for each in self.numbers() if governor.state(each) is ProposalState.ACTIVE]

    def cast(self, member: Signer, proposal: int, support: Support, *, reason: str = "") -> Receipt:
        """Vote with a member's key.

        Raises
        ------
        VoteError
            If voting is not open, the member has no vote at the snapshot, or has voted.
        """
        governor = Governor(self.chain)
        state = governor.state(proposal)
        if state is not ProposalState.ACTIVE:
            raise VoteError(f"the proposal is {state.name.lower()}: votes are taken while it is active")
        if governor.has_voted(proposal, member.address):
            raise VoteError(f"{member.address} has voted on this proposal already")
        snapshot = governor.snapshot_s(proposal)
        if not number(self.chain.read("MemberToken", "getPastVotes", member.address, snapshot)):
            raise VoteError(f"{member.address} had no vote at the proposal's snapshot")
        return governor.cast_vote(member, proposal, int(support), reason=reason)
