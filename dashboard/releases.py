"""Candidates, their juries, and what became of them, as the contracts' events tell."""

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass, field, replace
from functools import reduce
from operator import or_
from typing import Final

from eth_abi.abi import encode
from eth_utils.crypto import keccak

from dashboard.entries import NO_WORD, Entry, items, name, number, word
from governance.domain.market import Address
from governance.domain.release import MISSING, Manifest, RefusalReason, Status, facts_hash
from governance.domain.signing import read_short_text

EVENTS: Final = (
    "CandidateSubmitted",
    "ReleaseProposed",
    "Released",
    "Refused",
    "Suspended",
    "SuspensionLifted",
    "Rechecked",
    "Revoked",
    "Recalled",
)
LATEST: Final = (2**63, 0)
"""A place after all others."""
CONSENT_EVENTS: Final = ("Objected", "ObjectionAbusive", "ObjectionReturned", "SignedOff")
COURT_EVENTS: Final = (
    "CaseOpened",
    "JuryDrawn",
    "Committed",
    "Revealed",
    "CaseFinal",
    "CaseLapsed",
    "Appealed",
    "AppealEnded",
    "JurySettled",
)


@dataclass(frozen=True, slots=True, kw_only=True)
class Reveal:
    """What one juror measured."""

    juror: Address
    values: tuple[int, ...]
    """Millionths, in the order of the court's metrics."""
    report: bytes
    """SHA-256 of the juror's report."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Case:
    """The measuring of one candidate."""

    opened_at_s: int
    evaluation_roots: tuple[bytes, ...]
    excluded: tuple[int, ...]
    jurors: tuple[Address, ...] = ()
    committed: tuple[Address, ...] = ()
    reveals: tuple[Reveal, ...] = ()
    metrics: tuple[str, ...] = ()
    medians: Mapping[str, int] = field(default_factory=dict)
    """Millionths by metric; metrics that most jurors could not give are left out."""
    standing: int = 0
    """Reveals behind the result that stands."""
    result_hash: bytes = NO_WORD
    """keccak256(abi.encode(keys, medians, reveals)) once final, else zero."""
    final_at_s: int | None = None
    appealed_at_s: int | None = None
    appeal_ended_at_s: int | None = None
    appeal_changed: bool = False
    slashed_e18: int = 0
    """Taken from the stakes of jurors who were absent or deviated."""
    lapsed_at_s: int | None = None

    @property
    def stage_word(self) -> str:
        """Say where it stands."""
        if self.lapsed_at_s is not None:
            return "lapsed"
        if self.appealed_at_s is not None and self.appeal_ended_at_s is None:
            return "appealed"
        if self.final_at_s is not None:
            return "final, changed by an appeal" if self.appeal_changed else "final"
        if not self.jurors:
            return "waiting for the draw"
        return "revealing" if len(self.committed) == len(self.jurors) or self.reveals else "committing"


@dataclass(frozen=True, slots=True, kw_only=True)
class Objection:
    """One organisation's, with a stake."""

    organisation: int
    reason: str
    """A stranger's words: hostile until cleaned."""
    place: tuple[int, int]
    time_s: int
    abusive: tuple[int, int] | None = None
    """Where the members judged it abusive."""
    returned: bool = False
    """Its stake went back."""


@dataclass(frozen=True, slots=True, kw_only=True)
class SignOff:
    """An officer's word, before the vote or after the release."""

    officer: Address
    offices: int
    """Bits."""
    place: tuple[int, int]
    time_s: int


@dataclass(frozen=True, slots=True, kw_only=True)
class Decision:
    """How a candidate ended."""

    status: Status
    time_s: int
    place: tuple[int, int]
    transaction: str
    policy_hash: bytes
    facts_hash: bytes
    failed: int = 0
    """Bit i is rule i of the set in force."""
    applied: int = 0
    reason: RefusalReason = RefusalReason.NONE


@dataclass(frozen=True, slots=True, kw_only=True)
class Release:
    """A candidate, from its submission on."""

    id: bytes
    manifest: Manifest
    manifest_hash: bytes
    proposer: Address
    submitted_at_s: int
    transaction: str
    proposal_id: int | None = None
    """The last one."""
    votes_asked: int = 0
    """A second is asked for after the guardian stopped the first, and is held."""
    case: Case | None = None
    decision: Decision | None = None
    suspended_until_s: int = 0
    """By the guardian."""
    objections: tuple[Objection, ...] = ()
    sign_offs: tuple[SignOff, ...] = ()
    consent_ended: bool = False
    """Somebody whose terms give a veto took consent back."""
    fails_policy: bool = False
    """As the last recheck found."""
    withdrawn: Status | None = None
    """REVOKED or RECALLED, by vote."""

    def objecting(self, place: tuple[int, int] = LATEST) -> set[int]:
        """Return the organisations that object to it, as of a place on the chain."""
        raised = (each for each in self.objections if each.place < place)
        return {each.organisation for each in raised if each.abusive is None or each.abusive >= place}

    def offices(self, place: tuple[int, int] = LATEST) -> int:
        """Return the offices that have signed it off, as bits, as of a place on the chain."""
        return reduce(or_, (each.offices for each in self.sign_offs if each.place < place), 0)

    @property
    def facts_hash(self) -> bytes:
        """Digest of all that the rules read of it."""
        return facts_hash(self.manifest_hash, NO_WORD if self.case is None else self.case.result_hash)

    @property
    def status(self) -> Status:
        """Where it stands by decision and withdrawal; what suspends it is told by ``status_at``."""
        if self.withdrawn is not None:
            return self.withdrawn
        return Status.CANDIDATE if self.decision is None else self.decision.status

    def status_at(self, now_s: int) -> Status:
        """Return where it stands at a moment of chain time, its parents aside."""
        stopped = self.consent_ended or self.fails_policy or now_s < self.suspended_until_s
        return Status.SUSPENDED if stopped and self.status is Status.RELEASED else self.status


def read_releases(registry: Iterable[Entry], court: Iterable[Entry], consent: Iterable[Entry]) -> list[Release]:
    """Return all candidates, oldest first, from the events of registry, court and Consent, each in order."""
    cases = _read_cases(court)
    found: dict[bytes, Release] = {}
    for entry in registry:
        key = entry.word("id")
        if entry.name == "CandidateSubmitted":
            found[key] = _submitted(entry, cases.get(key))
        elif entry.name == "ReleaseProposed":
            found[key] = _proposed(found[key], entry.number("proposalId"))
        elif entry.name in ("Released", "Refused"):
            found[key] = replace(found[key], decision=_decision(entry))
        else:
            found[key] = _after(found[key], entry)
    for entry in consent:
        found[entry.word("id")] = _said(found[entry.word("id")], entry)
    return list(found.values())


def _proposed(release: Release, proposal: int) -> Release:
    return replace(release, proposal_id=proposal, votes_asked=release.votes_asked + 1)


def _submitted(entry: Entry, case: Case | None) -> Release:
    return Release(
        id=entry.word("id"),
        manifest=read_manifest(entry.items("manifest")),
        manifest_hash=entry.word("manifestHash"),
        proposer=entry.address("proposer"),
        submitted_at_s=entry.time_s,
        transaction=entry.transaction,
        case=case,
    )


def read_manifest(values: Sequence[object]) -> Manifest:
    """Return the manifest from the fields of the contract's struct."""
    job, candidate, index, artifact, card, parent, licences, use_price, agreements, declared = values
    facts = (items(fact) for fact in items(declared))
    return Manifest(
        job=word(job),
        candidate=name(candidate),
        candidate_index=number(index),
        artifact=word(artifact),
        card=word(card),
        parent=word(parent) if parent else NO_WORD,
        licences=number(licences),
        use_price_e18=number(use_price),
        agreements=tuple(word(item) for item in items(agreements)),
        declared=tuple((name(key), number(value)) for key, value in facts),
    )


def _said(release: Release, entry: Entry) -> Release:
    if entry.name == "SignedOff":
        said = SignOff(
            officer=entry.address("officer"),
            offices=entry.number("offices"),
            place=entry.place,
            time_s=entry.time_s,
        )
        return replace(release, sign_offs=(*release.sign_offs, said))
    if entry.name == "Objected":
        raised = Objection(
            organisation=entry.number("organisation"),
            reason=name(entry.text("reason")),
            place=entry.place,
            time_s=entry.time_s,
        )
        return replace(release, objections=(*release.objections, raised))
    return replace(release, objections=tuple(_ended(each, entry) for each in release.objections))


def _ended(objection: Objection, entry: Entry) -> Objection:
    if objection.organisation != entry.number("organisation"):
        return objection
    abusive = entry.name == "ObjectionAbusive"
    return replace(objection, abusive=entry.place) if abusive else replace(objection, returned=True)


def _after(release: Release, entry: Entry) -> Release:
    match entry.name:
        case "Suspended":
            return replace(release, suspended_until_s=entry.number("untilS"))
        case "SuspensionLifted":
            return replace(release, suspended_until_s=entry.time_s)
        case "Rechecked":
            return replace(release, fails_policy=not entry.flag("holds"))
        case _:
            return replace(release, withdrawn=Status[entry.name.upper()])


def _decision(entry: Entry) -> Decision:
    released = entry.name == "Released"
    return Decision(
        status=Status.RELEASED if released else Status.REFUSED,
        time_s=entry.time_s,
        place=entry.place,
        transaction=entry.transaction,
        policy_hash=entry.word("policyHash"),
        facts_hash=entry.word("factsHash"),
        failed=0 if released else entry.number("failedRules"),
        applied=entry.number("appliedRules") if released else 0,
        reason=RefusalReason.NONE if released else RefusalReason(entry.number("reason")),
    )


def _read_cases(entries: Iterable[Entry]) -> dict[bytes, Case]:
    cases: dict[bytes, Case] = {}
    for entry in entries:
        key = entry.word("id")
        if entry.name == "CaseOpened":
            cases[key] = Case(
                opened_at_s=entry.time_s,
                evaluation_roots=tuple(word(item) for item in entry.items("evaluationRoots")),
                excluded=tuple(number(item) for item in entry.items("excluded")),
            )
        else:
            cases[key] = _heard(cases[key], entry)
    return cases


def _heard(case: Case, entry: Entry) -> Case:
    match entry.name:
        case "JuryDrawn":
            # The appeal's jury takes the place of the first; reveals of both stay.
            return replace(case, jurors=tuple(str(item) for item in entry.items("jurors")), committed=())
        case "Committed":
            return replace(case, committed=(*case.committed, entry.address("juror")))
        case "Revealed":
            reveal = Reveal(
                juror=entry.address("juror"),
                values=tuple(number(item) for item in entry.items("values")),
                report=entry.word("report"),
            )
            return replace(case, reveals=(*case.reveals, reveal))
        case "CaseFinal":
            return _final(case, entry)
        case "CaseLapsed":
            return replace(case, lapsed_at_s=entry.time_s)
        case _:
            return _judged(case, entry)


def _judged(case: Case, entry: Entry) -> Case:
    if entry.name == "Appealed":
        return replace(case, appealed_at_s=entry.time_s)
    if entry.name == "AppealEnded":
        return replace(case, appeal_ended_at_s=entry.time_s, appeal_changed=entry.flag("changed"))
    taken = sum(number(item) for item in entry.items("slashedE18"))
    return replace(case, slashed_e18=case.slashed_e18 + taken)


def _final(case: Case, entry: Entry) -> Case:
    keys = [word(item) for item in entry.items("keys")]
    medians = [number(item) for item in entry.items("medians")]
    result = encode(["bytes32[]", "int128[]", "uint8"], [keys, medians, entry.number("reveals")])
    names = tuple(read_short_text(key) for key in keys)
    return replace(
        case,
        metrics=names,
        medians={key: value for key, value in zip(names, medians, strict=True) if value != MISSING},
        standing=entry.number("reveals"),
        result_hash=keccak(result),
        final_at_s=entry.time_s,
    )
