"""The agent's side of the training child: starts it, talks to it, restarts it, kills it."""

import base64
import json
import threading
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from types import TracebackType
from typing import Self

from agents.training.canonical import (
    Document,
    Json,
    expect_keys,
    parse_document,
    read_integer,
    read_integers,
    read_text,
)
from agents.training.child_process import (
    MAX_MESSAGE_BYTES,
    ChildCrashError,
    ChildProcess,
    ChildTimeoutError,
)
from agents.training.contributions import OwnersRound
from agents.training.errors import (
    ChildError,
    DataError,
    PrivacyError,
    TaskError,
    TrainingError,
)
from agents.training.federated import RoundRequest
from agents.training.preprocessing import Preprocessing
from agents.training.rows import Row
from agents.training.schema import DataSchema
from agents.training.task import TrainingTask

ERRORS: dict[str, type[TrainingError]] = {
    error.__name__: error for error in (ChildError, DataError, PrivacyError, TaskError)
}


@dataclass(frozen=True, slots=True)
class NoisedSums:
    """What an owner sends: integers in nanos, and whether the noise in them protects anybody."""

    values_nanos: tuple[int, ...]
    noise_is_seeded: bool


class TrainingChild:
    """A keyless child process that holds rows and models; safe to call from several threads.

    It starts at the first call and again after a crash. A call that runs out of time kills it.

    Parameters
    ----------
    owner
        Owner as named in the task; empty for a coordinator or juror.
    training_csv
        The owner's training rows; ``None`` for everybody else.
    noise_seed
        Seeds the owner's noise for a demonstration, which then has no privacy; ``None`` for
        the operating system's randomness.
    timeout_s
        Seconds that one call may take.
    """

    def __init__(
        self,
        *,
        owner: str = "",
        training_csv: Path | None = None,
        noise_seed: int | None = None,
        timeout_s: float = 120.0,
    ) -> None:
        configuration: Document = {
            "owner": owner,
            "training_csv": str(training_csv.resolve()) if training_csv else "",
            "noise_seed": noise_seed,
        }
        self._process = ChildProcess(_line(configuration), timeout_s=timeout_s)
        self._lock = threading.Lock()
        self._number = 0

    def statistics(self, task: TrainingTask) -> NoisedSums:
        """Return the owner's noised sums for preprocessing; the same again for the same task."""
        reply = self._call("statistics", {"task": task.to_json()})
        return _noised(reply, "sums_nanos")

    def update(self, task: TrainingTask, request: RoundRequest) -> NoisedSums:
        """Return the owner's noised update of a round; the same again for the same request.

        Raises
        ------
        PrivacyError
            If this round was answered for another request.
        """
        body: Document = {"task": task.to_json(), "request": request.to_json()}
        return _noised(self._call("update", body), "update_nanos")

    def aggregate(self, updates: Sequence[Sequence[int]]) -> tuple[int, ...]:
        """Return the exact sum of updates, element by element."""
        reply = self._call("aggregate", {"updates": [list(update) for update in updates]})
        return read_integers(reply, "total_nanos")

    def build_artifact(
        self,
        task: TrainingTask,
        *,
        candidate: int,
        weights_nanos: Sequence[int],
        preprocessing: Preprocessing,
        statistics_owners: Sequence[str],
        owners_per_round: Sequence[Sequence[str]],
        seeded_owners: Sequence[str] = (),
        rounds_sha256: str = "",
    ) -> tuple[bytes, bytes]:
        """Return artifact and model card as bytes; see ``card.make_release``."""
        body: Document = {
            "task": task.to_json(),
            "candidate": candidate,
            "weights_nanos": list(weights_nanos),
            "preprocessing": preprocessing.to_json(),
            "statistics_owners": list(statistics_owners),
            "owners_per_round": [list(owners) for owners in owners_per_round],
            "seeded_owners": list(seeded_owners),
            "rounds_sha256": rounds_sha256,
        }
        reply = self._call("build_artifact", body)
        return _decode(reply, "artifact"), _decode(reply, "card")

    def evaluate(self, artifact: bytes, rows: Sequence[Row], schema: DataSchema) -> bytes:
        """Return the evaluation report, canonical JSON; see ``metrics.evaluation_report``."""
        body: Document = {
            "artifact": base64.b64encode(artifact).decode("ascii"),
            "rows": [list(row) for row in rows],
            "schema": schema.to_json(),
        }
        return _decode(self._call("evaluate", body), "report")

    def weigh_owners(
        self, card: bytes, artifact: bytes, rounds: Sequence[OwnersRound], rows: Sequence[Row]
    ) -> dict[str, int]:
        """Return what each owner's updates did for a candidate; see ``contributions.contributions``."""
        body: Document = {
            "card": base64.b64encode(card).decode("ascii"),
            "artifact": base64.b64encode(artifact).decode("ascii"),
            "rounds": [
                {"owners": list(played.owners), "updates": [list(update) for update in played.updates]}
                for played in rounds
            ],
            "rows": [list(row) for row in rows],
        }
        weights = self._call("weigh_owners", body)["weights"]
        if not isinstance(weights, Mapping):
            raise ChildError("weigh_owners: weights are missing")
        try:
            return {owner: int(str(weight)) for owner, weight in weights.items()}
        except ValueError as error:
            raise ChildError(f"weigh_owners: a weight is no number: {error}") from error

    @property
    def pid(self) -> int | None:
        """Process id of the child, ``None`` while none runs."""
        return self._process.pid

    def close(self) -> None:
        """End the child; the next call would start it again."""
        with self._lock:
            self._process.stop()

    def __enter__(self) -> Self:
        return self

    def __exit__(
        self,
        kind: type[BaseException] | None,
        error: BaseException | None,
        trace: TracebackType | None,
    ) -> None:
        self.close()

    def _call(self, verb: str, body: Document) -> Document:
        with self._lock:
            self._number += 1
            line = _line({"id": self._number, "verb": verb, "body": body})
            if len(line) > MAX_MESSAGE_BYTES:
                raise ChildError(f"{verb}: a request of {len(line)} bytes, at most {MAX_MESSAGE_BYTES}")
            try:
                return _body_of(self._ask(line), self._number)
            except (ChildCrashError, ChildTimeoutError) as error:
                self._process.stop()
                raise ChildError(f"{verb}: {error}") from error

    def _ask(self, line: bytes) -> bytes:
        try:
            return self._process.exchange(line)
        except ChildCrashError:
            # Once more with a fresh child: nothing had left it, so nothing was spent.
            self._process.stop()
            return self._process.exchange(line)


def _body_of(line: bytes, number: int) -> Document:
    try:
        reply = expect_keys(parse_document(line, "reply"), ("id", "ok", "body"), "reply")
        body = reply["body"]
        if not isinstance(body, dict):
            raise TaskError("body: a JSON object is expected")
        failed = read_integer(reply, "ok", maximum=1) == 0
        if not failed and read_integer(reply, "id") != number:
            raise TaskError(f"an answer to request {reply['id']}, not {number}")
    except TaskError as error:
        raise ChildCrashError(f"the child answers nonsense: {error}") from error
    if failed:
        kind = ERRORS.get(read_text(body, "kind"), ChildError)
        raise kind(read_text(body, "message", longest=2000))
    return body


def _noised(reply: Document, key: str) -> NoisedSums:
    return NoisedSums(
        values_nanos=read_integers(reply, key),
        noise_is_seeded=bool(read_integer(reply, "noise_is_seeded", maximum=1)),
    )


def _line(document: Json) -> bytes:
    return json.dumps(document, separators=(",", ":")).encode() + b"\n"


def _decode(reply: Document, key: str) -> bytes:
    return base64.b64decode(read_text(reply, key, longest=MAX_MESSAGE_BYTES))
