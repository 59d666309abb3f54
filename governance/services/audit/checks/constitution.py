"""The rules in force, from the constructor and every amendment, recomputed against the policy files and each other."""

from collections.abc import Iterator, Sequence
from itertools import pairwise
from typing import cast

from governance.domain.policy import Direction, Grace, PolicySet
from governance.errors import PolicyError
from governance.policy import (
    ChainFact,
    ChainRule,
    ChainTier,
    Graces,
    as_version,
    changes_of,
    decode_key,
    graces_after,
    policy_from_chain,
)
from governance.policy.conflicts import check_room
from governance.policy.encoding import chain_rule
from governance.ports import Event
from governance.services import reading
from governance.services.audit.context import Context, place
from governance.services.audit.report import Examination
from governance.services.audit.timeline import moment_of

WHERE = "PolicyRegistry"


def check_constitution(context: Context, exam: Examination) -> None:
    """Recompute the hash of every set, which way each amendment went, and what stands now."""
    sets = list(_sets(context))
    if not exam.holds(WHERE, "a set is in force", condition=bool(sets)):
        return
    for event, policy in sets:
        _check_activation(exam, event, policy)
    exam.equal(WHERE, "versions count up", expected=list(range(1, len(sets) + 1)), found=[p.version for _, p in sets])
    graces = Graces()
    for (_, before), (event, since) in pairwise(sets):
        graces = _check_amendment(context, exam, event, before=before, since=since, graces=graces)
    _, policy = sets[-1]
    _compare_with_contract(context, exam, policy, graces)
    _compare_with_deployment(context, exam, sets[0][1])
    _compare_with_files(context, exam, policy)


def policy_in_force(context: Context) -> PolicySet:
    """Return the set that is in force at the head, without its words.

    Raises
    ------
    PolicyError
        If no set ever came into force.
    """
    return _last(policy for _, policy in _sets(context))


def policy_at(context: Context, event: Event) -> PolicySet:
    """Return the set that was in force when something happened, without its words.

    Raises
    ------
    PolicyError
        If no set was in force then.
    """
    return _last(policy for activated, policy in _sets(context) if moment_of(activated) < moment_of(event))


def graces_at(context: Context, event: Event) -> Graces:
    """Return what existing releases needed not keep yet when something happened.

    Raises
    ------
    PolicyError
        If an amendment before it was not allowed.
    """
    graces = Graces()
    for (_, before), (activated, since) in pairwise(_sets(context)):
        if moment_of(activated) < moment_of(event):
            graces = graces_after(before, graces, since, now_s=context.time_s(activated))
    return graces


def _last(sets: Iterator[PolicySet]) -> PolicySet:
    found = None
    for found in sets:  # noqa: B007 - the last one is meant
        pass
    if found is None:
        raise PolicyError("no set of rules was in force")
    return found


def _sets(context: Context) -> Iterator[tuple[Event, PolicySet]]:
    for event in context.events(WHERE, "PolicyActivated"):
        values = event.values
        yield (
            event,
            policy_from_chain(
                reading.number(values["version"]),
                reading.raw(values["documentHash"]),
                cast("Sequence[ChainTier]", reading.items(values["tiers"])),
                cast("Sequence[ChainRule]", reading.items(values["rules"])),
                facts=cast("Sequence[ChainFact]", reading.items(values["facts"])),
            ),
        )


def _check_activation(exam: Examination, event: Event, policy: PolicySet) -> None:
    exam.equal(place(event), "hash of the set", expected=policy.set_hash, found=event.values["setHash"])
    try:
        check_room(policy.facts, policy.rules)
    except PolicyError as problem:
        exam.fault(place(event), "its rules can be kept", found=str(problem))


def _check_amendment(
    context: Context, exam: Examination, event: Event, *, before: PolicySet, since: PolicySet, graces: Graces
) -> Graces:
    where = place(event)
    told = [e for e in context.events(WHERE, "PolicyAmended") if e.values["setHash"] == event.values["setHash"]]
    exam.equal(where, "number of accounts of what it changes", expected=1, found=len(told))
    try:
        changes = changes_of(before, since)
        after = graces_after(before, graces, since, now_s=context.time_s(event))
    except PolicyError as problem:
        exam.fault(where, "the constitution allows it", found=str(problem))
        return graces
    allowed = changes.direction not in (Direction.NONE, Direction.FORBIDDEN)
    exam.holds(
        where, "it changes something, and no eternal rule is loosened", condition=allowed, found=changes.direction
    )
    expected = (changes.direction, changes.tiers, changes.facts)
    rules = [(change.rule_id, int(change.direction)) for change in changes.rules]
    for account in told:
        named = [decode_key(reading.raw(key)) for key in reading.items(account.values["ids"])]
        found = list(zip(named, reading.items(account.values["directions"]), strict=False))
        exam.equal(place(account), "which way each rule goes", expected=rules, found=found)
        parts = tuple(account.values[name] for name in ("direction", "tiers", "facts"))
        exam.equal(place(account), "which way it goes", expected=tuple(map(int, expected)), found=parts)
    return after


def _compare_with_contract(context: Context, exam: Examination, policy: PolicySet, graces: Graces) -> None:
    stored = policy_from_chain(
        reading.number(context.read(WHERE, "version")),
        reading.raw(context.read(WHERE, "documentHash")),
        cast("Sequence[ChainTier]", reading.items(context.read(WHERE, "tiers"))),
        cast("Sequence[ChainRule]", reading.items(context.read(WHERE, "rules"))),
        facts=cast("Sequence[ChainFact]", reading.items(context.read(WHERE, "facts"))),
    )
    active = context.read(WHERE, "activeHash")
    exam.equal(WHERE, "hash of its rules, tiers, facts and document hash", expected=stored.set_hash, found=active)
    exam.equal(WHERE, "the set that came into force last", expected=policy.set_hash, found=active)
    for entry in policy.tiers:
        call = (WHERE, "tierOf", 1 << entry.purpose)
        context.state(exam, WHERE, f"tier of purpose {entry.purpose}", expected=int(entry.tier), call=call)
    expected = tuple(_grace_words(grace) for grace in graces.rules)
    context.state(exam, WHERE, "what existing releases need not keep yet", expected=expected, call=(WHERE, "graces"))


def _grace_words(grace: Grace) -> tuple[object, ...]:
    nothing = (b"\0" * 32, b"\0" * 32, 0, 0, 0, 0, 0, 0, 0)
    earlier = chain_rule(grace.earlier) if grace.earlier else nothing
    return (grace.rule, grace.until_s, grace.earlier is not None, earlier)


def _compare_with_deployment(context: Context, exam: Examination, first: PolicySet) -> None:
    if WHERE not in context.history.creations:
        return
    creation, arguments = context.history.creations[WHERE]
    where = f"{WHERE}, created in block {creation.block}"
    _, deployed = arguments
    document_hash, facts, tiers, rules = reading.row(deployed, 4)
    policy = policy_from_chain(
        1,
        reading.raw(document_hash),
        cast("Sequence[ChainTier]", reading.items(tiers)),
        cast("Sequence[ChainRule]", reading.items(rules)),
        facts=cast("Sequence[ChainFact]", reading.items(facts)),
    )
    exam.equal(where, "the set that came into force first", expected=policy.set_hash, found=first.set_hash)


def _compare_with_files(context: Context, exam: Examination, policy: PolicySet) -> None:
    files = context.policy_files
    if files is None:
        exam.lacking("the policy files behind the document hash; name their folder with --policies")
        return
    where = "policy files"
    exam.equal(where, "hash of the document", expected=policy.document_hash, found=files.document_hash)
    compiled = as_version(files, policy.version)
    exam.equal(where, "hash of the compiled set", expected=policy.set_hash, found=compiled.set_hash)
