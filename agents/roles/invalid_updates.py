"""Whether an update, or a sum of updates, is one that its task could have produced.

Everything follows from bytes with a known digest and from the chain, so that all jurors who see them say the same.
These are the bounds by which a provider leaves an update out of its sum; they say nothing about an update inside them.
"""

from collections.abc import Sequence
from dataclasses import dataclass

from agents.roles.evidence import is_signed
from agents.roles.plan import task_of_plan
from agents.roles.rounds import name_round
from agents.training.errors import TaskError
from agents.training.federated import MAX_UPDATE_NANOS, aggregate, check_update
from agents.training.preprocessing import check_statistics
from agents.training.task import TrainingTask
from governance.domain.accusation import Accusation, Fetch, Judgement
from governance.domain.evidence import (
    Leaf,
    RoundEvidence,
    aggregate_document,
    numbers,
    read_document,
    update_document,
)
from governance.domain.market import AggregationPrivacy, IntegrationMode, Kind
from governance.errors import FolkmootError, InvalidRecord, RecordError

MAX_DOCUMENT_BYTES = 8 << 20
"""Of evidence, update or aggregate; a longer one is none of this network."""


MAX_WORDS = 200


class Unsound(FolkmootError):
    """The task could not have produced it; says why."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Work:
    """One round of a job, by the rules of its plan."""

    job: bytes
    round_number: int
    rounds_per_candidate: int
    task: TrainingTask
    """Its owners are the agents that have leaves in the round, by address."""

    def __post_init__(self) -> None:
        name = name_round(self.round_number, self.rounds_per_candidate)
        if name.candidate >= len(self.task.candidates):
            raise TaskError(f"the plan has no round {self.round_number}")


def judge(accusation: Accusation, fetch: Fetch) -> Judgement:
    """Say whether a complaint is true.

    Raises
    ------
    TaskError, DataError, PrivacyError
        If nobody can judge it: the plan is unreadable, or single updates of this job are not published.
    FolkmootError
        Whatever ``fetch`` raises where bytes cannot be had.
    """
    if accusation.privacy is not AggregationPrivacy.CLEAR:
        raise TaskError("single updates of this job are not published")
    if accusation.mode is not IntegrationMode.COUPLED:
        raise TaskError("the rounds of this job are not posted one by one")
    document = fetch(accusation.evidence)
    try:
        played, leaf = read_complaint(document, accusation)
    except (InvalidRecord, RecordError) as problem:
        return Judgement(upheld=False, because=f"the evidence shows nothing: {problem}"[:MAX_WORDS])
    if not is_signed(leaf, played.job, played.round_number, accusation.ledger):
        # Else whoever posts rounds could show bytes of its own as somebody's work.
        return Judgement(upheld=False, because=f"the evidence holds no signature of {leaf.agent} over its leaf")
    work = _work(accusation, played, fetch)
    document = fetch(leaf.digest)
    try:
        if accusation.kind is Kind.COMPUTE:
            check_aggregate(document, leaf, work, owners=played.leaves[:-1], fetch=fetch)
        else:
            check_owner(document, leaf, work)
    except Unsound as problem:
        return Judgement(upheld=True, because=str(problem)[:MAX_WORDS])
    return Judgement(upheld=False, because="the task could have produced this")


def read_complaint(evidence: bytes, accusation: Accusation) -> tuple[RoundEvidence, Leaf]:
    """Return the round that a complaint is about, and the leaf of the accused in it.

    Raises
    ------
    InvalidRecord, RecordError
        If it is no such document, or not what was posted, or holds no work of the accused under this agreement.
    """
    if len(evidence) > MAX_DOCUMENT_BYTES:
        raise InvalidRecord(f"{len(evidence)} bytes are no document of a round")
    found = RoundEvidence.read(evidence)
    posted = accusation.roots[found.round_number : found.round_number + 1]
    if found.job != accusation.job or list(posted) != [found.root()]:
        raise InvalidRecord(f"this is not what was posted as round {found.round_number} of the job")
    # Owners first, the provider last: an agent that is both has two leaves.
    candidates = found.leaves[-1:] if accusation.kind is Kind.COMPUTE else found.leaves[:-1]
    leaf = next((leaf for leaf in candidates if leaf.agent == accusation.seller), None)
    if leaf is None or found.round_number >= accusation.units:
        raise InvalidRecord(f"round {found.round_number} holds no work of {accusation.seller} under this agreement")
    return found, leaf


def check_owner(document: bytes, leaf: Leaf, work: Work) -> tuple[int, ...]:
    """Return an owner's update, in nanos, if the task could have produced it.

    Parameters
    ----------
    document
        The bytes behind the leaf's digest.

    Raises
    ------
    Unsound
        If it does not decode, is for other work, has another shape, or is larger than rows × clip × cap and the noise.
    """
    values = _read(document, "update", "update_nanos")
    if update_document(work.job, work.round_number, leaf.agent, values) != document:
        raise Unsound("the update is for another job, round or agent than its leaf")
    name = name_round(work.round_number, work.rounds_per_candidate)
    try:
        # Before anything is printed or added: such a number has thousands of digits.
        if any(abs(value) > MAX_UPDATE_NANOS for value in values):
            raise Unsound("the update is beyond any sound size")
        if name.kind == "statistics":
            check_statistics(values, work.task, owner=leaf.agent)
        else:
            check_update(values, work.task, candidate=name.candidate, owner=leaf.agent)
    except TaskError as problem:
        raise Unsound(str(problem)) from problem
    return values


def check_aggregate(document: bytes, leaf: Leaf, work: Work, *, owners: Sequence[Leaf], fetch: Fetch) -> None:
    """Add a round up again.

    Parameters
    ----------
    document
        The bytes behind the provider's leaf.
    owners
        The other leaves of the round.
    fetch
        Gets the bytes behind an owner's leaf.

    Raises
    ------
    Unsound
        If it does not decode, is not the sum over the owners of the round, or one of these updates should have been
        left out.
    """
    total = _read(document, "aggregate", "sum_nanos")
    claimed = aggregate_document(work.job, work.round_number, leaf.agent, sum_nanos=total, owners=owners)
    if claimed != document:
        raise Unsound("the aggregate is for another job, round or provider, or names other owners than the round")
    sold = {entry.owner for entry in work.task.owners}
    strangers = [owner.agent for owner in owners if owner.agent not in sold]
    if strangers or not owners:
        raise Unsound(f"the aggregate counts nobody, or agents that sold no data: {strangers[:3]}")
    updates = []
    for owner in owners:
        try:
            updates.append(check_owner(fetch(owner.digest), owner, work))
        except Unsound as problem:
            raise Unsound(f"the aggregate counts what had to be left out: {problem}") from problem
    if aggregate(updates) != total:
        raise Unsound("the aggregate is not the sum of its owners' updates")


def _work(accusation: Accusation, played: RoundEvidence, fetch: Fetch) -> Work:
    agents = {leaf.agent for leaf in played.leaves[:-1]}
    # A round of strangers alone still has to be judged by the plan, and a plan needs owners.
    sold = {agent: rows for agent, rows in accusation.rows.items() if agent in agents} or accusation.rows
    return Work(
        job=played.job,
        round_number=played.round_number,
        rounds_per_candidate=accusation.rounds_per_candidate,
        task=task_of_plan(fetch(accusation.plan), sold),
    )


def _read(document: bytes, kind: str, field: str) -> tuple[int, ...]:
    if len(document) > MAX_DOCUMENT_BYTES:
        raise Unsound(f"{len(document)} bytes are no {kind}")
    try:
        return tuple(numbers(read_document(document, kind).get(field)))
    except (InvalidRecord, RecordError) as problem:
        raise Unsound(f"this is no {kind}: {str(problem)[:120]}") from problem
