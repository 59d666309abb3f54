"""Votes and proposals of members, each with its own key."""

from __future__ import annotations

from dataclasses import dataclass
from enum import IntEnum
from typing import TYPE_CHECKING, Final

from governance.domain.release import ProposalState, Status
from governance.errors import ContractRefused, FolkmootError
from governance.services.reading import number
from governance.services.releases import Governor, Releases

if TYPE_CHECKING:
    from governance.ports import Chain, Receipt, Signer


class Support(IntEnum):
    """What a vote says (OpenZeppelin GovernorCountingSimple)."""

    AGAINST = 0
    FOR = 1
    ABSTAIN = 2


APPROVAL_S: Final = 30 * 86_400
"""From the proposal until which it may be carried out; delay, voting, extension and timelock take nine days."""
BAD_REASON: Final = "the reason must be 1 to 31 plain characters"


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

    def stop(self, guardian: Signer, proposal: int, *, reason: str) -> Receipt:
        """Cancel a proposal with the guardian's key.

        Raises
        ------
        VoteError
            If the key is not the guardian's, ``reason`` cannot be written down, or the proposal is one that it cannot
            stop.
        """
        governor = Governor(self.chain)
        holder, state = governor.guardian(), governor.state(proposal)
        if guardian.address != holder:
            raise VoteError(f"{guardian.address} is not the guardian, who is {holder}")
        try:
            return governor.stop(guardian, proposal, reason=reason)
        except ValueError as problem:
            raise VoteError(f"{BAD_REASON}: {problem}") from problem
        except ContractRefused as refusal:
            raise VoteError(
                f"the guardian cannot stop this proposal, which is {state.name.lower()}: out of its reach are what has "
                "failed or was carried out, a vote that only replaces it, and the second vote on a release"
            ) from refusal

    def ask_again(self, member: Signer, release: str) -> Receipt:
        """Ask for a release's vote with a member's key, as after the guardian stopped the first.

        Raises
        ------
        VoteError
            If ``release`` is no id of a candidate.
        """
        releases, governor = Releases(self.chain), Governor(self.chain)
        record = releases.release(release_id(release))
        if record.status is not Status.CANDIDATE:
            raise VoteError(f"{release} is {record.status.name.lower()}: votes are held on candidates")
        approval = governor.approval(
            record,
            policy_hash=releases.policy_hash(),
            facts_hash=releases.facts_hash(record.id),
            deadline_s=self.chain.now_s() + APPROVAL_S,
        )
        text = f"Release the file {record.artifact.hex()}."
        return governor.propose(member, target="ReleaseRegistry", calldata=approval, description=text)

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


def suspend_release(chain: Chain, guardian: Signer, release: str, *, reason: str) -> Receipt:
    """Suspend a release for 14 days with the guardian's key.

    Raises
    ------
    VoteError
        If the key is not the guardian's, or ``release`` or ``reason`` cannot be read.
    """
    holder = Governor(chain).guardian()
    if guardian.address != holder:
        raise VoteError(f"{guardian.address} is not the guardian, who is {holder}")
    try:
        return Releases(chain).suspend(guardian, release_id(release), reason=reason)
    except ValueError as problem:
        raise VoteError(f"{BAD_REASON}: {problem}") from problem


def release_id(text: str) -> bytes:
    """Return a release's id from hex.

    Raises
    ------
    VoteError
        If it is not 32 bytes.
    """
    try:
        found = bytes.fromhex(text.removeprefix("0x"))
    except ValueError as problem:
        raise VoteError(f"{text!r} is no id of a release: give 64 hex digits") from problem
    if len(found) != 32:
        raise VoteError(f"{text!r} is no id of a release: give 64 hex digits")
    return found
