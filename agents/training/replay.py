"""Replaying a candidate from its published sums, as jurors and auditors do."""

from collections.abc import Sequence
from dataclasses import dataclass

from agents.training.canonical import Document, Json, expect_keys, read_integers, read_texts
from agents.training.federated import ServerState, initial_state, server_step
from agents.training.task import TrainingTask


@dataclass(frozen=True, slots=True)
class RoundTotal:
    """The sum of a round's updates, and the owners behind it."""

    owners: tuple[str, ...]
    total_nanos: tuple[int, ...]

    def to_json(self) -> Document:
        """Return the total as JSON."""
        return {"owners": list(self.owners), "total_nanos": list(self.total_nanos)}

    @classmethod
    def from_json(cls, document: Json) -> "RoundTotal":
        """Read a total that somebody else wrote."""
        fields = expect_keys(document, ("owners", "total_nanos"), "round total")
        return cls(owners=read_texts(fields, "owners"), total_nanos=read_integers(fields, "total_nanos"))


def replay_rounds(task: TrainingTask, totals: Sequence[RoundTotal], *, candidate: int) -> ServerState:
    """Return the model that follows from the sums of a candidate's rounds, in order.

    Integers only, so everybody gets the same weights; with the preprocessing they give the
    artifact, byte for byte.

    Raises
    ------
    TaskError
        If a sum does not fit the task.
    """
    state = initial_state(task, candidate)
    for total in totals:
        rows = task.rows_of(total.owners)
        state = server_step(state, total.total_nanos, task, candidate=candidate, rows=rows)
    return state
