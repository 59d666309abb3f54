"""What can be held against a posted round, and the answers to it."""

from collections.abc import Sequence
from enum import IntEnum

from governance.domain import merkle
from governance.domain.evidence import RoundEvidence
from governance.domain.line import line_from
from governance.domain.market import Address
from governance.domain.receipt import UpdateReceipt, ledger_domain
from governance.domain.signing import Domain
from governance.errors import InvalidRecord
from governance.ports import Chain, Receipt, Signer
from governance.services import reading
from governance.services.market import Market

WHERE = "RoundLedger"


class ChallengeState(IntEnum):
    """Where a challenge stands."""

    NONE = 0
    OPEN = 1
    ANSWERED = 2
    UPHELD = 3


class Challenges:
    """The ledger's challenges with types."""

    def __init__(self, chain: Chain) -> None:
        self._chain = chain

    @property
    def domain(self) -> Domain:
        """The EIP-712 domain of receipts."""
        return ledger_domain(self._chain.chain_id, self._chain.address(WHERE))

    def omission(self, agreement: bytes, round_number: int) -> tuple[ChallengeState, int]:
        """Return where the challenge of a round stands, and the chain time until which it can be answered."""
        state, until_s = reading.row(self._chain.read(WHERE, "omission", agreement, round_number), 2)
        return ChallengeState(reading.number(state)), reading.number(until_s)

    def challenge_omission(self, owner: Signer, agreement: bytes, receipt: UpdateReceipt, signature: bytes) -> Receipt:
        """Say that an update with a receipt is not in its round."""
        arguments = (agreement, receipt.as_tuple(), signature)
        return self._chain.send(owner, WHERE, "challengeOmission", arguments)

    def answer_omission(
        self, sender: Signer, agreement: bytes, *, market: Market, job: bytes, number: int, proof: Sequence[bytes]
    ) -> Receipt:
        """Show the leaf that is said to be missing."""
        line = line_from(job, market.rounds(job), number)
        return self._chain.send(sender, WHERE, "answerOmission", (agreement, number, line.as_tuple(), list(proof)))

    def settle_omission(self, sender: Signer, agreement: bytes, round_number: int) -> Receipt:
        """Have an owner paid for a round that it was left out of."""
        return self._chain.send(sender, WHERE, "settleOmission", (agreement, round_number))

    def omissions(self, job: bytes) -> int:
        """Return how many omissions of a job were upheld."""
        return reading.number(self._chain.read(WHERE, "omissions", job))

    def is_flagged(self, job: bytes, round_number: int) -> bool:
        """Return whether a round was shown to hold twins or a stranger."""
        return reading.flag(self._chain.read(WHERE, "isFlagged", job, round_number))

    def flag_equivocation(self, sender: Signer, found: RoundEvidence, agent: Address, *, market: Market) -> Receipt:
        """Show that a posted round holds two different leaves of one agent.

        Raises
        ------
        InvalidRecord
            If the round's document has no two such leaves, or the round is not posted.
        """
        places = [place for place, leaf in enumerate(found.leaves) if leaf.agent == agent]
        if len({found.leaves[place].digest for place in places}) < 2:
            raise InvalidRecord(f"{agent} has no two different leaves in round {found.round_number}")
        line = line_from(found.job, market.rounds(found.job), found.round_number).as_tuple()
        twins = [_leaf(found, place) for place in places[:2]]
        return self._chain.send(sender, WHERE, "flagEquivocation", (found.job, line, *twins))

    def challenge_stranger(self, sender: Signer, found: RoundEvidence, place: int, *, market: Market) -> Receipt:
        """Say that the agent of one leaf of a posted round sold nothing to the job."""
        line = line_from(found.job, market.rounds(found.job), found.round_number).as_tuple()
        return self._chain.send(sender, WHERE, "challengeStranger", (found.job, line, _leaf(found, place)))

    def settle_stranger(self, sender: Signer, job: bytes, *, number: int, agent: Address) -> Receipt:
        """Flag the round of a stranger whose agreement nobody named."""
        return self._chain.send(sender, WHERE, "settleStranger", (job, number, agent))

    def answer_stranger(self, sender: Signer, job: bytes, *, number: int, agent: Address, agreement: bytes) -> Receipt:
        """Name the agreement of an agent that is said to be a stranger."""
        return self._chain.send(sender, WHERE, "answerStranger", (job, number, agent, agreement))


def _leaf(found: RoundEvidence, place: int) -> tuple[object, ...]:
    leaf = found.leaves[place]
    return found.round_number, leaf.agent, leaf.digest, merkle.proof(found.hashes(), place)
