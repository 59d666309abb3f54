"""Each family of checks by itself contradicts the lie that is its business; the log is not asked."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import replace
from typing import Any, Final

import pytest

from governance.ports import Event
from tests.audit_cast import CENTRE, GUARDIAN, INSTITUTE, agent
from tests.audit_runs import Reading, places

pytestmark = pytest.mark.chain

STRANGER: Final = "0x" + "12" * 20
BESIDE: Final = "what people say beside the vote"


def plus_one(value: int) -> int:
    return value + 1


def flip(value: bytes) -> bytes:
    return value[:-1] + bytes([value[-1] ^ 1])


def field(index: int, change: Callable[[Any], Any]) -> Callable[[Any], Any]:
    """Change one field of a struct or list."""
    return lambda row: (*row[:index], change(row[index]), *row[index + 1 :])


LIES: Final[dict[str, tuple[str, str, Callable[[Any], Any], str, str]]] = {
    "a vote that weighs more": (
        "VoteCast",
        "weight",
        plus_one,
        "votes",
        "weight, from the delegations",
    ),
    "a vote for another side": ("VoteCast", "support", lambda value: (value + 1) % 3, "votes", "sum of the votes"),
    "a vote that ends later": ("ProposalCreated", "voteEnd", plus_one, "votes", "voting period"),
    "another proposal": ("ProposalCreated", "calldatas", field(0, flip), "votes", "its id"),
    "another class": ("ProposalClass", "routine", lambda value: not value, "votes", "routine, from its calldata"),
    "other code voted on": ("ProposalClass", "codePin", flip, "votes", "code of its targets"),
    "a stop by somebody else": ("VoteStopped", "guardian", lambda _: STRANGER, "votes", "who stopped it"),
    "another guardian": ("GuardianChanged", "guardian", lambda _: STRANGER, "votes", "who may stop proposals"),
    "a shorter wait": ("ProposalQueued", "etaSeconds", lambda value: value - 1, "votes", "time of effect"),
    "a call nobody voted on": ("CallExecuted", "target", lambda _: STRANGER, "votes", "what a proposal asked for"),
    "a member with the guardian's key": (
        "OrganisationAdmitted",
        "member",
        lambda _: GUARDIAN.address,
        "votes",
        "the guardian is no member",
    ),
    "a proposal by a stranger": ("ProposalCreated", "proposer", lambda _: STRANGER, "votes", "was allowed to"),
    "a release asked for by another agent": (
        "ProposalCreated by an agent",
        "proposer",
        lambda _: agent(CENTRE).address,
        "votes",
        "was allowed to",
    ),
    "a delegation of more": ("DelegateVotesChanged", "newVotes", plus_one, "votes", "power of"),
    "a role for a stranger": ("RoleGranted", "account", lambda _: STRANGER, "roles and settings", "holders"),
    "another period": ("VotingPeriodSet", "newVotingPeriod", plus_one, "roles and settings", "votingPeriod"),
    "another set of rules": ("PolicyActivated", "setHash", flip, "policy", "hash of the set"),
    "another member": (
        "OrganisationAdmitted",
        "member",
        lambda _: STRANGER,
        "organisations and agents",
        "what stands of it",
    ),
    "a key of somebody else": (
        "AgentBound",
        "publicKeyX",
        flip,
        "organisations and agents",
        "address of the public key",
    ),
    "more rows": ("DataCommitted", "rows", plus_one, "organisations and agents", "what stands of it"),
    "an operator nobody announced": (
        "OperatorChanged",
        "operator",
        lambda _: STRANGER,
        "organisations and agents",
        "the key that was announced",
    ),
    "a suspension of somebody else": (
        "OrganisationSuspended",
        "organisation",
        plus_one,
        "organisations and agents",
        "the members voted for it",
    ),
    "a shorter notice": (
        "RotationAsked",
        "fromS",
        lambda value: value - 1,
        "organisations and agents",
        "its wait",
    ),
    "another price": ("AgreementCreated", "terms", field(4, plus_one), "jobs and agreements", "its id"),
    "another seller's signature": (
        "AgreementCreated",
        "sellerSignature",
        flip,
        "jobs and agreements",
        "who signed as seller",
    ),
    "another buyer's signature": (
        "AgreementCreated",
        "buyerSignature",
        lambda raw: b"\1" + raw[1:],
        "jobs and agreements",
        "who signed as buyer",
    ),
    "a floor above the price": (
        "MandateChanged",
        "mandate",
        field(2, lambda _: (1 << 100,) * 5),
        "jobs and agreements",
        "within what the seller may sell",
    ),
    "a mandate that had ended": (
        "MandateChanged",
        "mandate",
        field(6, lambda _: 1),
        "jobs and agreements",
        "within time and purposes",
    ),
    "another candidate's name": ("JobOpened", "terms", field(10, field(0, flip)), "jobs and agreements", "its id"),
    "a higher payment": ("PaymentMade", "amountE18", plus_one, "payments", "amount, from price and instalments"),
    "a payment to a stranger": ("PaymentMade", "to", lambda _: STRANGER, "payments", "who was paid"),
    "a transfer of more": ("Transfer of a payment", "value", plus_one, "payments", "transfers of the token"),
    "a smaller refund": ("AgreementClosed", "refundedE18", lambda value: value - 1, "payments", "refunded"),
    "another fee": ("AgreementClosed", "feeE18", plus_one, "payments", "the treasury's fee"),
    "a larger bond": ("Held for an agreement", "amountE18", plus_one, "payments", "its bond, locked when it was made"),
    "a deposit of a stranger": ("Held", "owner", lambda _: STRANGER, "deposits", "transfers of the token"),
    "a fine for somebody else": ("Forfeited", "to", lambda _: STRANGER, "deposits", "balance"),
    "a smaller withdrawal": (
        "Withdrawn from the vault",
        "amountE18",
        lambda value: value - 1,
        "deposits",
        "all that was credited",
    ),
    "an endorsement by a stranger": ("Endorsed", "member", lambda _: STRANGER, BESIDE, "by a member, once"),
    "an endorsement of other contracts": ("Endorsed", "digest", flip, BESIDE, "what was endorsed"),
    "an endorsement too early": ("Endorsed", "complete", lambda _: True, BESIDE, "two thirds have endorsed"),
    "a sign-off by a stranger": ("SignedOff", "officer", lambda _: STRANGER, BESIDE, "who holds the offices"),
    "a sign-off for more": ("SignedOff", "offices", lambda bits: bits << 1, BESIDE, "who holds the offices"),
    "an objection of another organisation": ("Objected", "organisation", plus_one, BESIDE, "organisation behind it"),
    "an objection by no agreement": ("Objected", "agreement", flip, BESIDE, "release and agreement exist"),
    "another root": ("RoundPosted", "root", flip, "rounds on chain", "head that stands"),
    "too few owners": ("RoundPosted", "leaves", lambda _: 2, "rounds on chain", "rules that fail"),
    "another jury": (
        "JuryDrawn",
        "jurors",
        lambda jurors: tuple(reversed(jurors)),
        "juries",
        "jurors, from the seed",
    ),
    "another seed": ("JuryDrawn", "seed", flip, "juries", "seed, from two block hashes"),
    "another value revealed": ("Revealed", "values", field(0, plus_one), "juries", "committed to before"),
    "another report": ("Revealed", "report", flip, "juries", "committed to before"),
    "another median": ("CaseFinal", "medians", field(0, plus_one), "juries", "medians, from the reveals"),
    "more at stake": ("Staked", "amountE18", plus_one, "juries", "its stake and record"),
    "a stake that leaves later": ("UnstakeAsked", "leavesAtS", plus_one, "juries", "when its stake may leave"),
    "another judgement of a juror": (
        "JurySettled of a jury",
        "outcomes",
        field(0, lambda _: 2),
        "juries",
        "how each juror served",
    ),
    "more taken from a juror": (
        "JurySettled of a jury",
        "slashedE18",
        field(0, lambda _: 1),
        "juries",
        "a fifth of the stake",
    ),
    "an appeal without consequence": ("AppealEnded", "changed", lambda _: False, "juries", "the verdict changed"),
    "a larger bond for an appeal": ("Appealed", "bondE18", plus_one, "juries", "bond of the appeal"),
    "a court that measures with other code": (
        "SettingsChanged",
        "settings",
        field(9, flip),
        "candidates and verdicts",
        "the court's metric code, from the job's",
    ),
    "a looser court": ("SettingsChanged", "settings", field(7, lambda _: 1), "juries", "settings, as deployed"),
    "a look too few": ("Looked", "looks", lambda _: 0, "juries", "looks at these rows so far"),
    "another manifest": ("CandidateSubmitted", "manifestHash", flip, "candidates and verdicts", "hash of its manifest"),
    "another file": (
        "CandidateSubmitted",
        "manifest",
        field(3, flip),
        "candidates and verdicts",
        "hash of its manifest",
    ),
    "a juror who should be out": (
        "CaseOpened",
        "excluded",
        lambda numbers: numbers[1:],
        "candidates and verdicts",
        "excluded from the jury",
    ),
    "facts that would have failed": (
        "CaseFinal before Released",
        "medians",
        field(2, lambda _: 900_000),
        "candidates and verdicts",
        "rules that fail",
    ),
    "rules that were not asked": (
        "Released",
        "appliedRules",
        lambda _: 1,
        "candidates and verdicts",
        "rules that were asked",
    ),
    "a refusal of another rule": (
        "Refused by Policy",
        "failedRules",
        lambda _: 1,
        "candidates and verdicts",
        "rules that fail",
    ),
    "a refusal without grounds": (
        "Refused by Policy",
        "reason",
        lambda _: 3,
        "candidates and verdicts",
        "for want of a jury",
    ),
    "other facts judged": ("Released", "factsHash", flip, "candidates and verdicts", "facts it was judged by"),
    "another part for the owners": ("IncomeSplit", "poolE18", plus_one, "deposits", "how the payment was divided"),
    "a larger share claimed": ("ShareClaimed", "amountE18", plus_one, "deposits", "what was due"),
    "another bonus": ("BonusSettled", "amountE18", plus_one, "deposits", "the bonus that was locked"),
    "shares by no price": ("PoolOpened", "buyer", plus_one, "deposits", "what the pool goes by"),
    "another verdict": ("DisputeDecided", "state", lambda state: 5 - state, "disputes", "where the deposit went"),
    "another part of a bond": ("DisputeDecided", "slashBps", plus_one, "disputes", "part of the bond that it costs"),
    "other updates": ("RoundPosted", "root", flip, "updates behind the rounds", ""),
}
"""Event, value, change, the family that must notice, and what it says; empty: evidence is missing."""


def find(events: list[Event], name: str) -> int:
    """Return the place of an event by its name, and where that is not enough, by what follows it."""
    places_of = {
        "Transfer of a payment": lambda place: (
            events[place].name == "Transfer"
            and events[place].contract == "Credit"
            and events[place].transaction in paid
        ),
        "Withdrawn from the vault": lambda place: (
            events[place].name == "Withdrawn" and events[place].contract == "RewardVault"
        ),
        "Held for an agreement": lambda place: (
            events[place].name == "Held" and events[place].values["key"] in agreements
        ),
        "JurySettled of a jury": lambda place: (
            events[place].name == "JurySettled" and events[place].values["outcomes"] != ()
        ),
        "Refused by Policy": lambda place: events[place].name == "Refused" and events[place].values["reason"] == 1,
        "ProposalCreated by an agent": lambda place: (
            events[place].name == "ProposalCreated" and events[place].values["proposer"] == agent(INSTITUTE).address
        ),
        "CaseFinal before Released": lambda place: (
            events[place].name == "CaseFinal" and events[place].values["id"] == released["id"]
        ),
    }
    agreements = {event.values["id"] for event in events if event.name == "AgreementCreated"}
    paid = {event.transaction for event in events if event.name == "PaymentMade"}
    released = next(event.values for event in events if event.name == "Released")
    fits = places_of.get(name, lambda place: events[place].name == name)
    # The middle one: neither the first nor the last of its kind is special.
    found = [place for place in range(len(events)) if fits(place)]
    return found[len(found) // 2]


@pytest.mark.parametrize("name", LIES)
def test_family_contradicts_what_is_its_business(once: Reading, name: str) -> None:
    event_name, value, change, family, about = LIES[name]
    events = [*once.context.history.events]
    place = find(events, event_name)
    before = events[place].values[value]
    assert change(before) != before
    events[place] = replace(events[place], values={**events[place].values, value: change(before)})

    _, result = once.with_events(events, family)

    if about:
        assert about in places(result.findings)
    else:
        assert result.unavailable


def test_a_sign_off_after_the_vote_is_contradicted(once: Reading) -> None:
    events = [*once.context.history.events]
    refused, signed = find(events, "Refused by Policy"), find(events, "SignedOff")
    elsewhere = {**events[signed].values, "id": events[refused].values["id"]}
    events[signed] = replace(events[signed], values=elsewhere)

    _, result = once.with_events(events, BESIDE)

    assert "no vote ran when it was signed off" in places(result.findings)


def test_each_family_is_clean_alone(once: Reading) -> None:
    results = once.with_events([*once.context.history.events])

    assert places(finding for result in results for finding in result.findings) == ""
