"""The hash-linked log: its links, and every entry against the event that it stands for."""

from collections import defaultdict
from collections.abc import Iterator, Mapping
from typing import Final, TypeAlias

from eth_abi.abi import encode
from eth_utils.crypto import keccak

from governance.domain.market import Address
from governance.domain.release import LogEntry
from governance.domain.signing import read_short_text, short_text
from governance.ports import Event
from governance.services import reading
from governance.services.audit.context import Context, place
from governance.services.audit.report import Examination
from governance.services.audit.timeline import moment_of

Entry: TypeAlias = "tuple[Address, bytes, bytes, bytes]"
"""Writer, kind, subject, payload."""

BY_ARGUMENTS: Final[Mapping[tuple[str, str], tuple[str, str]]] = {
    ("AgentRegistry", "OrganisationAdmitted"): ("organisation", "organisation"),
    ("AgentRegistry", "OrganisationRemoved"): ("organisation-removed", "organisation"),
    ("AgentRegistry", "AgentUnbound"): ("agent-unbound", "agent"),
    ("AgentRegistry", "MandateChanged"): ("mandate", "agent"),
    ("AgentRegistry", "DataCommitted"): ("data", "root"),
    ("AgentRegistry", "RotationAsked"): ("rotation-asked", "agent"),
    ("AgentRegistry", "RotationCancelled"): ("rotation-cancelled", "agent"),
    ("AgentRegistry", "AgentRotated"): ("agent-rotated", "agent"),
    ("AgentRegistry", "OperatorAsked"): ("operator-asked", "organisation"),
    ("AgentRegistry", "OperatorKept"): ("operator-kept", "organisation"),
    ("AgentRegistry", "OperatorChanged"): ("operator", "organisation"),
    ("AgentRegistry", "MemberChanged"): ("member", "organisation"),
    ("AgentRegistry", "OrganisationSuspended"): ("organisation-suspended", "organisation"),
    ("AgentRegistry", "OrganisationReinstated"): ("organisation-reinstated", "organisation"),
    ("AgreementBook", "JobOpened"): ("job", "job"),
    ("AgreementBook", "JobFinished"): ("job-finished", "job"),
    ("AgreementBook", "AgreementCreated"): ("agreement", "id"),
    ("AgreementBook", "AgreementClosed"): ("closed", "id"),
    ("AgreementBook", "ConsentWithdrawn"): ("consent-withdrawn", "id"),
    ("AgreementBook", "FeeChanged"): ("fee", ""),
    ("RoundLedger", "RoundsRecorded"): ("rounds", "job"),
    ("RoundLedger", "OmissionChallenged"): ("omission-challenge", "job"),
    ("RoundLedger", "OmissionAnswered"): ("omission-answer", "job"),
    ("RoundLedger", "Omitted"): ("omission", "job"),
    ("RoundLedger", "StrangerChallenged"): ("stranger-challenge", "job"),
    ("RoundLedger", "StrangerAnswered"): ("stranger-answer", "job"),
    ("RoundLedger", "RoundFlagged"): ("round-flagged", "job"),
    ("RoundLedger", "UpdateCommitted"): ("update", "job"),
    ("RoundLedger", "ScoresCommitted"): ("scores-sealed", "job"),
    ("RoundLedger", "ScoresRevealed"): ("scores-open", "job"),
    ("RoundLedger", "RoundScored"): ("scores", "job"),
    ("EvaluatorCourt", "PanelJoined"): ("panel", "organisation"),
    ("EvaluatorCourt", "CaseOpened"): ("case", "id"),
    ("EvaluatorCourt", "JuryDrawn"): ("jury", "id"),
    ("EvaluatorCourt", "Committed"): ("commit", "id"),
    ("EvaluatorCourt", "Revealed"): ("reveal", "id"),
    ("EvaluatorCourt", "CaseFinal"): ("result", "id"),
    ("EvaluatorCourt", "CaseLapsed"): ("lapsed", "id"),
    ("Amendments", "Staged"): ("staged", "id"),
    ("Amendments", "RatificationOpened"): ("ratification", "id"),
    ("Amendments", "Ratified"): ("ratified", "id"),
    ("Amendments", "Withdrawn"): ("change-withdrawn", "id"),
    ("Amendments", "Activated"): ("activated", "id"),
    ("EvaluatorCourt", "Appealed"): ("appeal", "id"),
    ("EvaluatorCourt", "AppealEnded"): ("appeal-ended", "id"),
    ("EvaluatorCourt", "JurySettled"): ("settled", "id"),
    ("EvaluatorCourt", "PanelLeft"): ("panel-left", "organisation"),
    ("EvaluatorCourt", "SettingsChanged"): ("court-settings", "version"),
    ("EvaluatorCourt", "Staked"): ("stake", "organisation"),
    ("EvaluatorCourt", "UnstakeAsked"): ("unstake-asked", "organisation"),
    ("EvaluatorCourt", "Unstaked"): ("unstaked", "organisation"),
    ("RewardVault", "Held"): ("held", "key"),
    ("RewardVault", "GivenBack"): ("given-back", "key"),
    ("RewardVault", "Forfeited"): ("forfeited", "key"),
    ("RewardVault", "Withdrawn"): ("withdrawn", "account"),
    ("RewardVault", "PoolOpened"): ("pool", "release"),
    ("RewardVault", "BonusSettled"): ("bonus", "job"),
    ("RewardVault", "UsePaid"): ("use", "release"),
    ("RewardVault", "ShareClaimed"): ("share", "release"),
    ("RewardVault", "RootDropped"): ("root-dropped", "release"),
    ("Disputes", "DisputeRaised"): ("dispute", "id"),
    ("Disputes", "DisputeDecided"): ("dispute-decided", "id"),
    ("PolicyRegistry", "PolicyActivated"): ("policy", "setHash"),
    ("PolicyRegistry", "PolicyAmended"): ("policy-amended", "setHash"),
    ("ReleaseRegistry", "CandidateSubmitted"): ("candidate", "id"),
    ("ReleaseRegistry", "ReleaseProposed"): ("proposal", "id"),
    ("ReleaseRegistry", "Released"): ("released", "id"),
    ("ReleaseRegistry", "Refused"): ("refused", "id"),
    ("ReleaseRegistry", "Suspended"): ("suspended", "id"),
    ("ReleaseRegistry", "SuspensionLifted"): ("suspension-lifted", "id"),
    ("ReleaseRegistry", "Rechecked"): ("rechecked", "id"),
    ("ReleaseRegistry", "NonCompliant"): ("noncompliant", "id"),
    ("ReleaseRegistry", "Revoked"): ("revoked", "id"),
    ("ReleaseRegistry", "Recalled"): ("recalled", "id"),
    ("ReleaseRegistry", "GuardianChanged"): ("guardian", "guardian"),
    ("ReleaseRegistry", "Retired"): ("retired", "successor"),
    ("Consent", "Endorsed"): ("endorsed", "member"),
    ("Consent", "OfficerChanged"): ("officer", "office"),
    ("Consent", "SignedOff"): ("signed-off", "id"),
    ("Consent", "Objected"): ("objection", "id"),
    ("Consent", "ObjectionReturned"): ("objection-returned", "id"),
    ("Consent", "ObjectionAbusive"): ("objection-abusive", "id"),
    ("ReleaseRegistry", "VoteStopped"): ("vote-stopped", "proposalId"),
}
"""Kind, and the argument that is the subject, empty for zero, where the payload is the hash of all arguments."""


def check_log(context: Context, exam: Examination) -> None:
    """Link the log again from its first entry, and compare each entry with its event."""
    _link(context, exam)
    found: dict[str, list[Event]] = defaultdict(list)
    for event in context.events("ReleaseRegistry", "Logged"):
        found[event.transaction].append(event)
    expected: dict[str, list[tuple[Event, Entry]]] = defaultdict(list)
    for event, entry in _expected(context):
        expected[event.transaction].append((event, entry))
    for transaction in dict.fromkeys([*found, *expected]):
        _compare(exam, transaction, found[transaction], expected[transaction])


def _link(context: Context, exam: Examination) -> None:
    head = reading.raw(context.read("ReleaseRegistry", "parentHead"))
    # A registry that succeeds another goes on with its numbers.
    before = length = int.from_bytes(head[28:])
    for length, event in enumerate(context.events("ReleaseRegistry", "Logged"), before + 1):
        where = f"log entry {length} ({place(event)})"
        exam.equal(where, "its number", expected=length, found=event.values["sequence"])
        kind = reading.raw(event.values["kind"])
        exam.holds(where, "its kind is a short text", condition=_is_short_text(kind), found=kind)
        if not _is_short_text(kind):
            continue
        entry = LogEntry(
            sequence=length,
            time_s=context.time_s(event),
            writer=reading.address(event.values["writer"]),
            kind=read_short_text(kind),
            subject=reading.raw(event.values["subject"]),
            payload=reading.raw(event.values["payload"]),
        )
        linked = entry.head(head, chain_id=context.history.chain_id, registry=context.address("ReleaseRegistry"))
        head = reading.raw(event.values["head"])
        exam.equal(where, "the head after it", expected=linked, found=head)
    where = "ReleaseRegistry"
    context.state(exam, where, "length of the log", expected=length, call=(where, "logLength"))
    context.state(exam, where, "head of the log", expected=head, call=(where, "logHead"))


def _is_short_text(word: bytes) -> bool:
    try:
        return short_text(read_short_text(word)) == word
    except ValueError:
        return False


def _compare(exam: Examination, transaction: str, found: list[Event], expected: list[tuple[Event, Entry]]) -> None:
    for event, (origin, entry) in zip(found, expected, strict=False):
        where = f"log entry {event.values['sequence']} ({place(event)})"
        names = ("writer", "kind", "subject", "payload")
        for name, wanted in zip(names, entry, strict=True):
            exam.equal(
                where, f"{name}, from {origin.contract}.{origin.name}", expected=wanted, found=event.values[name]
            )
    where = f"block {(found or [expected[0][0]])[0].block}, transaction {transaction}"
    exam.equal(where, "log entries, one for each event", expected=len(expected), found=len(found))


def _expected(context: Context) -> Iterator[tuple[Event, Entry]]:
    for event in context.history.events:
        key = (event.contract, event.name)
        if key in BY_ARGUMENTS:
            kind, named = BY_ARGUMENTS[key]
            payload = keccak(context.codebook.event_arguments(event))
            subject = _word(event.values[named]) if named else bytes(32)
            yield event, _entry(context, event, kind, subject=subject, payload=payload)
        elif key == ("AgentRegistry", "EndpointChanged"):
            # A binding emits AgentBound and EndpointChanged, and appends one entry for both.
            subject = _word(event.values["agent"])
            yield event, _entry(context, event, "agent", subject=subject, payload=_agent_payload(context, event))


def _entry(context: Context, event: Event, kind: str, *, subject: bytes, payload: bytes) -> Entry:
    return (context.address(event.contract), short_text(kind), subject, payload)


def _word(value: object) -> bytes:
    if isinstance(value, bytes):
        return value
    return encode(["address" if isinstance(value, str) else "uint256"], [value])


def _agent_payload(context: Context, event: Event) -> bytes:
    key = reading.address(event.values["agent"])
    moment = moment_of(event)
    agent = context.world.agents.before(moment, key)
    organisation, roles, keys = (agent.organisation, agent.roles, agent.keys) if agent else (0, 0, (b"", b"", b""))
    endpoint = reading.text(event.values["endpoint"]).encode("utf-8", "surrogateescape")
    types = ["address", "uint32", "uint8", "bytes32", "bytes32", "bytes32", "bytes"]
    return keccak(encode(types, [key, organisation, roles, *keys, endpoint]))
