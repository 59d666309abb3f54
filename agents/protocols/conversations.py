"""Conversations as data: (role, state, message) → what may be replied, and the state that follows.

The tables decide nothing by themselves; they say which decisions are legal. ``None`` as a reply means that
nothing is said to the sender now. Messages are named by their class in :mod:`agents.protocols.messages`.
"""

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Final

from governance.errors import FolkmootError

Reply = str | None
Table = Mapping[tuple[str, str, str], Mapping[Reply, str]]


class IllegalMessage(FolkmootError):
    """A message or reply that the conversation does not know in this state."""


@dataclass(frozen=True, slots=True)
class Conversation:
    """A protocol: its name, its version, and its table."""

    name: str
    version: str
    table: Table

    def replies(self, role: str, state: str, message: str) -> Mapping[Reply, str]:
        """Return what a role may reply in a state, and the state that each reply leads to.

        Raises
        ------
        IllegalMessage
            If the message has no place there.
        """
        try:
            return self.table[role, state, message]
        except KeyError:
            raise IllegalMessage(f"{self.name}: a {role} in state {state} takes no {message}") from None

    def advance(self, role: str, state: str, message: str, *, reply: Reply) -> str:
        """Return the state after a message and the reply to it.

        Raises
        ------
        IllegalMessage
            If message or reply have no place there.
        """
        replies = self.replies(role, state, message)
        if reply not in replies:
            raise IllegalMessage(f"{self.name}: {reply} is no reply to {message} by a {role} in state {state}")
        return replies[reply]

    def messages(self, role: str) -> frozenset[str]:
        """Return the messages that a role must be able to take."""
        return frozenset(message for whose, _, message in self.table if whose == role)


BUYER_REPLIES: Final[Mapping[Reply, str]] = {"Counter": "bargaining", "Accept": "accepted", "Decline": "declined"}
OVER: Final[Mapping[Reply, str]] = {None: "declined"}

NEGOTIATION: Final = Conversation(
    "negotiation",
    "1.0.0",
    {
        ("seller", "new", "Demand"): {"Offer": "bargaining", "Decline": "declined"},
        ("seller", "bargaining", "Counter"): {"Counter": "bargaining", "Decline": "declined"},
        ("seller", "bargaining", "Accept"): {"Confirm": "agreed", "Decline": "declined"},
        ("seller", "bargaining", "Decline"): OVER,
        ("buyer", "called", "Offer"): BUYER_REPLIES,
        ("buyer", "called", "Decline"): OVER,
        ("buyer", "bargaining", "Counter"): BUYER_REPLIES,
        ("buyer", "bargaining", "Decline"): OVER,
        ("buyer", "accepted", "Confirm"): {None: "agreed"},
        ("buyer", "accepted", "Decline"): OVER,
    },
)

TRAINING: Final = Conversation(
    "training",
    "2.0.0",
    {
        ("owner", "idle", "TrainingTask"): {None: "training"},
        ("owner", "training", "TrainingTask"): {None: "training"},
        ("owner", "sent", "SignedReceipt"): {None: "sent"},
        ("owner", "sent", "Receipt"): {None: "recorded"},
        ("compute", "idle", "AggregateTask"): {None: "open"},
        ("compute", "open", "Update"): {None: "open"},
        ("coordinator", "tasked", "Aggregate"): {None: "aggregated"},
    },
)
"""What follows later is no reply: ``Update`` after training, ``Aggregate`` when a round is full or over."""

EVALUATION: Final = Conversation(
    "evaluation",
    "1.0.0",
    {
        ("juror", "drawn", "EvaluationRows"): {None: "drawn"},
        ("coordinator", "measuring", "EvaluationReport"): {None: "measuring"},
    },
)
