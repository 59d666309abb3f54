"""The keyless child: rows and models are handled here, away from the agent's keys.

``python -m agents.training.child`` answers one JSON line per request, until its input ends.
The first line configures it: who the owner is, where its training rows are, whether its noise
is seeded. It sees a scrubbed environment, writes no file, opens no connection, starts no
process. The audit hook that says so is a belt, no sandbox: native code could pass it by.

What goes out is noised, or derived from what others sent. An error names neither a cell nor
a traceback, for a traceback may hold a row.
"""

import base64
import json
import sys
from collections.abc import Callable, Mapping
from dataclasses import dataclass, field
from pathlib import Path
from typing import BinaryIO

from agents.training.canonical import (
    Document,
    Json,
    canonical_json,
    check_integer,
    expect_keys,
    parse_document,
    read_integer,
    read_integers,
    read_list,
    read_text,
    read_texts,
    sha256_hex,
)
from agents.training.contributions import OwnersRound
from agents.training.errors import ChildError, DataError, PrivacyError, TaskError, TrainingError
from agents.training.federated import RoundRequest, aggregate, local_update
from agents.training.noise import NoiseSource, SeededNoise, SystemNoise
from agents.training.preprocessing import Preprocessing, local_statistics
from agents.training.rows import Row, load_rows, parse_rows
from agents.training.schema import DataSchema
from agents.training.task import TrainingTask

MAX_MESSAGE_BYTES = 10_000_000
"""Longest request and longest reply, line end included."""
MAX_MEMORY_BYTES = 3 * 2**30
MAX_OPEN_FILES = 256
FORBIDDEN_EVENTS = (
    "socket.connect",
    "socket.bind",
    "socket.getaddrinfo",
    "subprocess.Popen",
    "os.system",
    "os.exec",
    "os.fork",
    "os.posix_spawn",
)


@dataclass(slots=True)
class Desk:
    """What the child knows between requests."""

    owner: str
    training_csv: Path | None
    noise: NoiseSource
    rows: dict[str, list[Row]] = field(default_factory=dict)
    """Training rows by schema digest, read once."""
    answered: dict[str, tuple[str, Document]] = field(default_factory=dict)
    """Replies by what they answer. The same request gets the same reply, at no further cost."""

    def training_rows(self, task: TrainingTask) -> list[Row]:
        """Return the owner's rows, as many as its agreement names."""
        if self.training_csv is None:
            raise ChildError("this child was given no training rows")
        digest = task.schema.digest
        if digest not in self.rows:
            try:
                self.rows[digest] = load_rows(self.training_csv, task.schema)
            except DataError:
                # The loader's message quotes a cell, which must not leave; the owner's agent
                # reads the file at its start and shows the operator the whole message.
                raise DataError(f"{self.training_csv.name} does not fit schema {task.schema.name!r}") from None
        rows = self.rows[digest]
        promised = task.rows_of([self.owner])
        if len(rows) != promised:
            raise DataError(f"{len(rows)} training rows, the agreement names {promised}")
        return rows

    def once(self, purpose: str, body: Document, answer: Callable[[], Document]) -> Document:
        """Answer a request that spends privacy once; the same request gets the same reply."""
        digest = sha256_hex(body)
        if purpose not in self.answered:
            self.answered[purpose] = (digest, answer())
        first, reply = self.answered[purpose]
        if first != digest:
            raise PrivacyError(f"{purpose} was answered for another request; it is answered once")
        return reply


def statistics(desk: Desk, body: Document) -> Document:
    """Answer with noised sums for preprocessing."""
    task = TrainingTask.from_json(expect_keys(body, ("task",), "statistics")["task"])

    def answer() -> Document:
        sums = local_statistics(desk.training_rows(task), task, desk.noise)
        return {"sums_nanos": list(sums), "noise_is_seeded": int(desk.noise.is_seeded)}

    return desk.once(f"{task.job}|statistics", body, answer)


def update(desk: Desk, body: Document) -> Document:
    """Answer with the noised update of a round."""
    fields = expect_keys(body, ("task", "request"), "update")
    task = TrainingTask.from_json(fields["task"])
    request = RoundRequest.from_json(fields["request"], task)

    def answer() -> Document:
        sent = local_update(request, desk.training_rows(task), task, noise=desk.noise)
        return {"update_nanos": list(sent), "noise_is_seeded": int(desk.noise.is_seeded)}

    return desk.once(f"{task.job}|{request.candidate}|{request.round}", body, answer)


def add_updates(_desk: Desk, body: Document) -> Document:
    """Answer with the sum of updates."""
    updates = read_list(expect_keys(body, ("updates",), "aggregate"), "updates", longest=1000)
    total = aggregate([read_integers({"update": u}, "update", minimum=-(10**30)) for u in updates])
    return {"total_nanos": list(total)}


def build_artifact(_desk: Desk, body: Document) -> Document:
    """Answer with a trained candidate's artifact and model card."""
    from agents.training.card import make_release

    keys = ("task", "candidate", "weights_nanos", "preprocessing")
    keys_of_owners = ("statistics_owners", "owners_per_round", "seeded_owners")
    fields = expect_keys(body, (*keys, *keys_of_owners, "rounds_sha256"), "build_artifact")
    task = TrainingTask.from_json(fields["task"])
    rounds = read_list(fields, "owners_per_round", longest=1000)
    artifact, card = make_release(
        task,
        candidate=read_integer(fields, "candidate"),
        weights_nanos=read_integers(fields, "weights_nanos"),
        preprocessing=Preprocessing.from_json(fields["preprocessing"], task.schema),
        statistics_owners=read_texts(fields, "statistics_owners"),
        owners_per_round=[read_texts({"owners": entry}, "owners") for entry in rounds],
        seeded_owners=read_texts(fields, "seeded_owners"),
        rounds_sha256=read_text(fields, "rounds_sha256", longest=64),
    )
    return {"artifact": _encode(artifact), "card": _encode(card.to_bytes())}


def evaluate(_desk: Desk, body: Document) -> Document:
    """Answer with the evaluation report of an artifact on the rows of the request."""
    from agents.training.metrics import evaluation_report

    fields = expect_keys(body, ("artifact", "rows", "schema"), "evaluate")
    schema = DataSchema.from_json(fields["schema"])
    rows = parse_rows(read_list(fields, "rows", longest=1_000_000), schema)
    artifact = _decode(read_text(fields, "artifact", longest=MAX_MESSAGE_BYTES))
    return {"report": _encode(evaluation_report(artifact, rows, schema))}


def weigh_owners(_desk: Desk, body: Document) -> Document:
    """Answer with a weight for each owner of a candidate: what its updates did on the rows of the request."""
    from agents.training.card import ModelCard
    from agents.training.contributions import contributions

    fields = expect_keys(body, ("card", "artifact", "rounds", "rows"), "weigh_owners")
    card = ModelCard.from_bytes(_decode(read_text(fields, "card", longest=MAX_MESSAGE_BYTES)))
    artifact = _decode(read_text(fields, "artifact", longest=MAX_MESSAGE_BYTES))
    rounds = [_owners_round(entry) for entry in read_list(fields, "rounds", longest=1000)]
    rows = parse_rows(read_list(fields, "rows", longest=1_000_000), card.task.schema)
    weights = contributions(card, artifact, rounds, rows)
    # As texts: exact fractions on one denominator may be longer than any number of ours.
    return {"weights": {owner: str(weight) for owner, weight in weights.items()}}


def _owners_round(entry: Json) -> OwnersRound:
    fields = expect_keys(entry, ("owners", "updates"), "round")
    updates = read_list(fields, "updates", longest=1000)
    return OwnersRound(
        owners=read_texts(fields, "owners"),
        updates=tuple(read_integers({"update": update}, "update") for update in updates),
    )


VERBS: Mapping[str, Callable[[Desk, Document], Document]] = {
    "statistics": statistics,
    "update": update,
    "aggregate": add_updates,
    "build_artifact": build_artifact,
    "evaluate": evaluate,
    "weigh_owners": weigh_owners,
}


def answer_line(desk: Desk, line: bytes) -> bytes:
    """Return the reply to one request line; it never raises but for a broken interpreter."""
    number = 0
    try:
        request = expect_keys(parse_document(line, "request"), ("id", "verb", "body"), "request")
        number = read_integer(request, "id")
        verb = VERBS.get(read_text(request, "verb"))
        if verb is None:
            raise TaskError(f"verb is not one of {sorted(VERBS)}")
        body = request["body"]
        if not isinstance(body, Mapping):
            raise TaskError("body: a JSON object is expected")
        return _reply({"id": number, "ok": 1, "body": verb(desk, body)})
    except TrainingError as error:
        return _failure(number, type(error).__name__, str(error))
    except MemoryError:
        return _failure(number, "ChildError", "out of memory")
    except Exception as error:  # noqa: BLE001 - the process edge; a traceback may hold a row
        return _failure(number, "ChildError", f"failed with {type(error).__name__}")


def serve(requests: BinaryIO, replies: BinaryIO) -> None:
    """Answer requests until the input ends; the first line is the configuration."""
    desk = _configure(requests.readline(MAX_MESSAGE_BYTES + 1))
    while line := requests.readline(MAX_MESSAGE_BYTES + 1):
        if len(line) > MAX_MESSAGE_BYTES:
            # The rest of the line would be read as a request of its own.
            replies.write(_failure(0, "ChildError", f"request over {MAX_MESSAGE_BYTES} bytes"))
            replies.flush()
            return
        replies.write(answer_line(desk, line))
        replies.flush()


def confine() -> None:
    """Take away from this process what it does not need."""
    import resource

    resource.setrlimit(resource.RLIMIT_CORE, (0, 0))
    resource.setrlimit(resource.RLIMIT_FSIZE, (0, 0))
    resource.setrlimit(resource.RLIMIT_NOFILE, (MAX_OPEN_FILES, MAX_OPEN_FILES))
    resource.setrlimit(resource.RLIMIT_AS, (MAX_MEMORY_BYTES, MAX_MEMORY_BYTES))
    sys.addaudithook(_forbid)


def _forbid(event: str, _arguments: tuple[object, ...]) -> None:
    if event in FORBIDDEN_EVENTS:
        raise PermissionError(f"{event} is not for the training child")


def _configure(line: bytes) -> Desk:
    fields = expect_keys(
        parse_document(line, "configuration"),
        ("owner", "training_csv", "noise_seed"),
        "configuration",
    )
    owner = read_text(fields, "owner", longest=80)
    path = read_text(fields, "training_csv", longest=4096)
    seed = fields["noise_seed"]
    noise: NoiseSource = SystemNoise()
    if seed is not None:
        noise = SeededNoise(seed=check_integer(seed, "noise_seed", minimum=0), owner=owner)
    return Desk(owner=owner, training_csv=Path(path) if path else None, noise=noise)


def _failure(number: int, kind: str, message: str) -> bytes:
    return _reply({"id": number, "ok": 0, "body": {"kind": kind, "message": message[:2000]}})


def _reply(document: Json) -> bytes:
    line = canonical_json(document) + b"\n"
    if len(line) > MAX_MESSAGE_BYTES:
        raise ChildError(f"reply over {MAX_MESSAGE_BYTES} bytes")
    return line


def _encode(content: bytes) -> str:
    return base64.b64encode(content).decode("ascii")


def _decode(text: str) -> bytes:
    try:
        return base64.b64decode(text, validate=True)
    except ValueError as error:
        raise TaskError("artifact: base64 is expected") from error


def main() -> int:
    """Run the child on standard input and output."""
    requests, replies = sys.stdin.buffer, sys.stdout.buffer
    # Whatever a library prints must not be taken for a reply.
    sys.stdout = sys.stderr
    confine()
    try:
        serve(requests, replies)
    except TrainingError as error:
        replies.write(_failure(0, type(error).__name__, str(error)))
    except (BrokenPipeError, KeyboardInterrupt, json.JSONDecodeError):
        return 1
    return 0


if __name__ == "__main__":
    sys.exit(main())
