"""What was held against rounds: receipts read again, answers and outcomes replayed."""

from __future__ import annotations

from collections import Counter
from dataclasses import dataclass, field

from eth_abi.abi import decode, encode
from eth_abi.exceptions import DecodingError

from governance.domain.evidence import Leaf, RoundEvidence
from governance.domain.market import Address, IntegrationMode, Kind
from governance.domain.receipt import UpdateReceipt, ledger_domain
from governance.domain.signing import read_short_text
from governance.ports import Event
from governance.services import reading
from governance.services.audit.checks.agreements import BY_ROUND, first_unit, signer_of
from governance.services.audit.checks.rounds import rounds_behind
from governance.services.audit.context import Context, place, short
from governance.services.audit.records import Agreement
from governance.services.audit.report import Examination
from governance.services.audit.timeline import Moment, moment_of
from governance.services.challenges import ChallengeState

WHERE = "RoundLedger"
ANSWER_S = 86_400
RECEIPT_TYPES = ("bytes32", "uint32", "address", "bytes32", "uint64")
Omission = tuple[bytes, int]
"""Agreement and round."""
Stranger = tuple[bytes, int, Address]
"""Job, round and agent."""


@dataclass(slots=True)
class Claim:
    """A challenge as its events tell it."""

    opened: Event
    state: ChallengeState = ChallengeState.OPEN

    @property
    def until_s(self) -> int:
        return reading.number(self.opened.values["untilS"])


@dataclass(slots=True)
class Court:
    """All challenges, replayed."""

    omissions: dict[Omission, Claim] = field(default_factory=dict)
    strangers: dict[Stranger, Claim] = field(default_factory=dict)
    upheld: Counter[bytes] = field(default_factory=Counter)
    """Omissions by job."""
    flagged: set[tuple[bytes, int]] = field(default_factory=set)


def check_challenges(context: Context, exam: Examination) -> None:
    """Replay every challenge, and compare its outcome with what stands."""
    court = Court()
    for event in context.events(WHERE, *STEPS):
        STEPS[event.name](context, exam, court, event)
    for (agreement, number), claim in court.omissions.items():
        where, expected = f"omission in round {number}", (int(claim.state), claim.until_s)
        context.state(exam, where, "its outcome", expected=expected, call=(WHERE, "omission", agreement, number))
    for job in context.records.jobs.values():
        where = f"job {short(job.id)}"
        upheld = court.upheld[job.id]
        context.state(exam, where, "omissions that were upheld", expected=upheld, call=(WHERE, "omissions", job.id))
        for number in range(job.terms.rounds):
            flagged = (job.id, number) in court.flagged
            call = (WHERE, "isFlagged", job.id, number)
            context.state(exam, f"round {number} of {where}", "whether it is flagged", expected=flagged, call=call)


# -- omissions


def _challenged(context: Context, exam: Examination, court: Court, event: Event) -> None:
    where, values = place(event), event.values
    key, number = reading.raw(values["agreement"]), reading.number(values["round"])
    agreement = context.records.agreements.get(key)
    exam.holds(where, "challenged once", condition=(key, number) not in court.omissions)
    court.omissions[key, number] = Claim(event)
    exam.equal(where, "time to answer", expected=context.time_s(event) + ANSWER_S, found=values["untilS"])
    if not exam.holds(where, "its agreement was made", condition=agreement is not None) or agreement is None:
        return
    terms, moment = agreement.terms, moment_of(event)
    subject = (terms.job, terms.seller, Kind.DATA)
    exam.equal(where, "job, owner and kind", expected=subject, found=(values["job"], values["owner"], terms.kind))
    open_ = agreement.is_active(moment) and _following(context, agreement, moment) <= number < terms.units
    exam.holds(where, "a round that is still to be paid", condition=open_, found=number)
    job = context.records.jobs.get(terms.job)
    if job is not None and job.terms.integration_mode is not IntegrationMode.DECOUPLED:
        posted = sum(moment_of(each) < moment for each in job.rounds)
        exam.holds(where, "a round that has begun", condition=number <= posted, found=number)
    _check_receipt(context, exam, event)


def _check_receipt(context: Context, exam: Examination, event: Event) -> None:
    """Find the receipt in the transaction that showed it, and require the coordinator's signature."""
    where, values = place(event), event.values
    shown = _shown(context, event)
    if shown is None:
        exam.lacking(f"the receipt that {where} was asked with")
        return
    deadline_s, signature = shown
    receipt = UpdateReceipt(
        job=reading.raw(values["job"]),
        round_number=reading.number(values["round"]),
        owner=reading.address(values["owner"]),
        digest=reading.raw(values["digest"]),
        deadline_s=deadline_s,
    )
    job = context.records.jobs.get(receipt.job)
    domain = ledger_domain(context.history.chain_id, context.address(WHERE))
    signer = signer_of(receipt.signed_digest(domain), signature)
    exam.equal(where, "who signed its receipt", expected=job.coordinator if job else None, found=signer)
    late = context.time_s(event) > deadline_s
    exam.holds(where, "its receipt's deadline was over", condition=late, found=deadline_s)


def _shown(context: Context, event: Event) -> tuple[int, bytes] | None:
    """Return deadline and signature, wherever in the transaction the call stands: a wallet may have made it."""
    [raw] = context.witness.transactions([bytes.fromhex(event.transaction[2:])])
    values = event.values
    subject = [values[name] for name in ("job", "round", "owner", "digest")]
    start = raw.find(encode(["bytes32", *RECEIPT_TYPES[:4]], [values["agreement"], *subject]))
    if start < 0:
        return None
    try:
        _, receipt, signature = decode(["bytes32", f"({','.join(RECEIPT_TYPES)})", "bytes"], raw[start:])
    except DecodingError:
        return None
    return reading.number(receipt[4]), reading.raw(signature)


def _following(context: Context, agreement: Agreement, before: Moment) -> int:
    """Return the round from which a claim was paid just before a moment."""
    done = [event.values["nextUnit"] for event in agreement.payments if moment_of(event) < before]
    job = context.records.jobs.get(agreement.terms.job)
    return reading.number(done[-1]) if done else first_unit(agreement, job)


def _answered(context: Context, exam: Examination, court: Court, event: Event) -> None:
    key, number = reading.raw(event.values["agreement"]), reading.number(event.values["round"])
    claim = court.omissions.get((key, number))
    if not _may_answer(context, exam, event, claim) or claim is None:
        return
    claim.state = ChallengeState.ANSWERED
    values = claim.opened.values
    exam.equal(place(event), "its job", expected=values["job"], found=event.values["job"])
    leaf = Leaf(agent=reading.address(values["owner"]), digest=reading.raw(values["digest"]))
    _require_leaves(context, exam, event, leaves=(leaf,))


def _omitted(context: Context, exam: Examination, court: Court, event: Event) -> None:
    where, values = place(event), event.values
    key, number = reading.raw(values["agreement"]), reading.number(values["round"])
    claim = court.omissions.get((key, number))
    if not _may_uphold(context, exam, event, claim) or claim is None:
        return
    claim.state = ChallengeState.UPHELD
    names = ("job", "owner", "digest")
    wanted = [claim.opened.values[name] for name in names]
    exam.equal(where, "job, owner and update", expected=wanted, found=[values[name] for name in names])
    court.upheld[reading.raw(values["job"])] += 1
    agreement = context.records.agreements.get(key)
    paid = [
        each.values["nextUnit"]
        for each in (agreement.payments if agreement else ())
        if each.transaction == event.transaction and each.values["nextUnit"] == number + 1
    ]
    exam.equal(where, "paid for it, once", expected=[number + 1], found=paid)


# -- twins and strangers


def _suspected(context: Context, exam: Examination, court: Court, event: Event) -> None:
    key = _stranger(event)
    exam.holds(place(event), "challenged once", condition=key not in court.strangers)
    exam.equal(place(event), "time to answer", expected=context.time_s(event) + ANSWER_S, found=event.values["untilS"])
    court.strangers[key] = Claim(event)
    _require_leaves(context, exam, event, agent=key[2])


def _named(context: Context, exam: Examination, court: Court, event: Event) -> None:
    key = _stranger(event)
    claim = court.strangers.get(key)
    if not _may_answer(context, exam, event, claim) or claim is None:
        return
    claim.state = ChallengeState.ANSWERED
    agreement = context.records.agreements.get(reading.raw(event.values["agreement"]))
    fits = (
        agreement is not None
        and moment_of(agreement.created) < moment_of(event)
        and (agreement.terms.job, agreement.terms.seller) == (key[0], key[2])
        and agreement.terms.kind in BY_ROUND
    )
    exam.holds(place(event), "the named agreement is its own and paid by rounds", condition=fits)


def _raised(context: Context, exam: Examination, court: Court, event: Event) -> None:
    key, where = _stranger(event), place(event)
    reason = read_short_text(reading.raw(event.values["reason"]))
    court.flagged.add(key[:2])
    if reason == "stranger":
        claim = court.strangers.get(key)
        if _may_uphold(context, exam, event, claim) and claim is not None:
            claim.state = ChallengeState.UPHELD
        return
    if not exam.equal(where, "a reason that there is", expected="equivocation", found=reason):
        return
    rounds = _rounds(context, key[0], key[1], moment_of(event))
    if rounds is None:
        exam.lacking(f"the document with the leaves that {where} is about")
        return
    twins = {leaf.digest for found in rounds for leaf in found.leaves if leaf.agent == key[2]}
    exam.holds(where, "two different leaves of one agent", condition=len(twins) > 1, found=len(twins))


def _stranger(event: Event) -> Stranger:
    values = event.values
    return reading.raw(values["job"]), reading.number(values["round"]), reading.address(values["agent"])


# -- both


def _may_answer(context: Context, exam: Examination, event: Event, claim: Claim | None) -> bool:
    in_time = claim is not None and claim.state is ChallengeState.OPEN and context.time_s(event) <= claim.until_s
    return exam.holds(place(event), "an open challenge, answered in time", condition=in_time)


def _may_uphold(context: Context, exam: Examination, event: Event, claim: Claim | None) -> bool:
    due = claim is not None and claim.state is ChallengeState.OPEN and context.time_s(event) > claim.until_s
    return exam.holds(place(event), "an open challenge that nobody answered in time", condition=due)


def _require_leaves(
    context: Context, exam: Examination, event: Event, *, leaves: tuple[Leaf, ...] = (), agent: Address = ""
) -> None:
    """Require that a posted round holds these leaves, or any leaf of an agent."""
    values = event.values
    rounds = _rounds(context, reading.raw(values["job"]), reading.number(values["round"]), moment_of(event))
    if rounds is None:
        exam.lacking(f"the document with the leaves that {place(event)} is about")
        return
    known = [leaf for found in rounds for leaf in found.leaves]
    held = all(leaf in known for leaf in leaves) and (not agent or agent in {leaf.agent for leaf in known})
    exam.holds(place(event), "the leaf stands in the posted round", condition=held)


def _rounds(context: Context, job_id: bytes, number: int, before: Moment) -> tuple[RoundEvidence, ...] | None:
    """Return what the store knows of one round, posted before a moment; None when that is nothing."""
    job = context.records.jobs.get(job_id)
    posted = [event for event in job.rounds if moment_of(event) < before] if job else []
    behind = [found for event in posted if job for found in rounds_behind(context, job, event) or ()]
    return tuple(found for found in behind if found.round_number == number) or None


STEPS = {
    "OmissionChallenged": _challenged,
    "OmissionAnswered": _answered,
    "Omitted": _omitted,
    "StrangerChallenged": _suspected,
    "StrangerAnswered": _named,
    "RoundFlagged": _raised,
}
