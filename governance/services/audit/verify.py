"""The whole audit: history once, then every family of checks, whatever the node answers."""

from collections.abc import Callable, Mapping
from dataclasses import dataclass, field
from typing import Final

from governance.domain.accusation import Judge
from governance.domain.market import Address
from governance.domain.policy import PolicySet
from governance.errors import ChainUnreachable, FolkmootError
from governance.services.audit.checks.agreements import check_agreements, check_jobs
from governance.services.audit.checks.amendments import check_amendments
from governance.services.audit.checks.answers import check_answers
from governance.services.audit.checks.appeals import check_appeals
from governance.services.audit.checks.candidates import check_candidates
from governance.services.audit.checks.challenges import check_challenges
from governance.services.audit.checks.consent import check_consent
from governance.services.audit.checks.constitution import check_constitution
from governance.services.audit.checks.disputes import check_disputes
from governance.services.audit.checks.documents import check_documents, check_reports
from governance.services.audit.checks.guardian import check_guardian
from governance.services.audit.checks.juries import check_juries
from governance.services.audit.checks.keys import check_keys
from governance.services.audit.checks.log import check_log
from governance.services.audit.checks.panel import check_panel
from governance.services.audit.checks.payments import check_payments
from governance.services.audit.checks.powers import check_code, check_roles, check_settings
from governance.services.audit.checks.registry import check_agents, check_data, check_organisations
from governance.services.audit.checks.rounds import check_rounds, check_updates
from governance.services.audit.checks.scores import check_scores
from governance.services.audit.checks.standing import check_standing
from governance.services.audit.checks.state import check_state
from governance.services.audit.checks.vault import check_vault
from governance.services.audit.checks.verdicts import check_verdicts
from governance.services.audit.checks.votes import check_power, check_timelock, check_votes
from governance.services.audit.context import Check, Context
from governance.services.audit.history import History, HistoryReader
from governance.services.audit.library import ListedStore, search
from governance.services.audit.records import collect
from governance.services.audit.report import AuditReport, CheckResult, Examination
from governance.services.audit.sources import UNFOLLOWABLE, AnswerMissing, AnswerWrong, Codebook, Witness
from governance.services.audit.world import replay

CHECKS: Final[tuple[tuple[str, tuple[Check, ...]], ...]] = (
    ("storage behind the blocks", (check_state,)),
    ("log", (check_log,)),
    ("policy", (check_constitution,)),
    ("code and wiring", (check_code,)),
    ("roles and settings", (check_roles, check_settings)),
    ("organisations and agents", (check_organisations, check_agents, check_keys, check_data)),
    ("votes", (check_power, check_votes, check_timelock, check_amendments, check_guardian)),
    ("candidates and verdicts", (check_candidates, check_verdicts, check_standing)),
    ("what people say beside the vote", (check_consent,)),
    ("juries", (check_juries, check_panel, check_appeals)),
    ("rounds on chain", (check_rounds, check_scores, check_challenges)),
    ("jobs and agreements", (check_jobs, check_agreements)),
    ("payments", (check_payments,)),
    ("deposits", (check_vault,)),
    ("disputes", (check_disputes, check_answers)),
    ("updates behind the rounds", (check_updates,)),
    ("files behind the decisions", (check_documents, check_reports)),
)


@dataclass(frozen=True, slots=True, kw_only=True)
class Evidence:
    """What is at hand besides the chain."""

    store: ListedStore | None
    policy_files: PolicySet | None
    shipped: Mapping[bytes, bytes] = field(default_factory=dict)
    """Files of this installation by their SHA-256."""
    judge: Judge | None = None
    """Judges complaints about updates as jurors do."""


def verify(
    witness: Witness, codebook: Codebook, registry: Address, *, evidence: Evidence, from_block: int = 0
) -> AuditReport:
    """Recompute the whole history of one network.

    Parameters
    ----------
    witness
        A node; nothing that it says is believed if it can be recomputed.
    codebook
        Our own build of the contracts.
    registry
        Address of ReleaseRegistry, the only input that is trusted; all else is read from it.
    evidence
        Store, policy files and our own files.
    from_block
        Where to start: at or before the deployment.

    Raises
    ------
    ChainUnreachable
        If nobody answers.
    """
    blocks = Examination("blocks and events")
    read: list[History] = []
    reader = HistoryReader(witness, codebook, blocks)
    _guarded(blocks, lambda: read.append(reader.read(registry, from_block)))
    if not read:
        return _unreadable(registry, blocks)
    history = read[0]
    sources = Sources(witness=witness, codebook=codebook)
    results = examine(history, sources, evidence=evidence, blocks=blocks)
    return _report(registry, history, (blocks.result(), *results))


@dataclass(frozen=True, slots=True, kw_only=True)
class Sources:
    """A node, and our own build of what runs on it."""

    witness: Witness
    codebook: Codebook


def examine(history: History, sources: Sources, *, evidence: Evidence, blocks: Examination) -> list[CheckResult]:
    """Carry out all checks over a history that was read."""
    files = Examination("files of the store")
    context = Context(
        history=history,
        world=replay(history.events, history.times_s, blocks),
        records=collect(history.events, blocks),
        witness=sources.witness,
        codebook=sources.codebook,
        store=evidence.store,
        library=search(evidence.store, files),
        shipped=evidence.shipped,
        policy_files=evidence.policy_files,
        judge=evidence.judge,
    )
    return [*(run(name, checks, context) for name, checks in CHECKS), files.result()]


def run(name: str, checks: tuple[Check, ...], context: Context) -> CheckResult:
    """Return what one family of checks finds; an answer that stops a check is itself a finding."""
    exam = Examination(name)
    for check in checks:
        _guarded(exam, lambda check=check: check(context, exam))  # type: ignore[misc]
    return exam.result()


def _guarded(exam: Examination, action: Callable[[], None]) -> None:
    try:
        action()
    except ChainUnreachable:
        raise
    except FolkmootError as problem:
        _note(exam, problem)
    except UNFOLLOWABLE as problem:
        # History that contradicts itself so badly that a check cannot follow it is not clean.
        exam.fault(exam.name, "history that this check can follow", found=f"{type(problem).__name__}: {problem}")


def _note(exam: Examination, problem: FolkmootError) -> None:
    if isinstance(problem, AnswerMissing):
        exam.lacking(str(problem))
    elif isinstance(problem, AnswerWrong):
        exam.fault(problem.where, "the node's answer", found=problem.problem)
    else:
        exam.fault(exam.name, "an answer that can be checked", found=str(problem))


def _report(registry: Address, history: History, results: tuple[CheckResult, ...]) -> AuditReport:
    return AuditReport(
        registry=registry,
        chain_id=history.chain_id,
        head_number=history.head.number,
        head_hash="0x" + history.head.hash.hex(),
        head_time_s=history.head.time_s,
        events=len(history.events),
        results=results,
    )


def _unreadable(registry: Address, blocks: Examination) -> AuditReport:
    return AuditReport(
        registry=registry,
        chain_id=0,
        head_number=0,
        head_hash="",
        head_time_s=0,
        events=0,
        results=(blocks.result(),),
    )
