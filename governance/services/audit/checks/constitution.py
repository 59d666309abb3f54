"""The rules in force: their hash from the chain, from the deployment, and from the policy files."""

from collections.abc import Sequence
from typing import cast

from governance.domain.policy import PolicySet
from governance.policy.encoding import ChainRule, ChainTier, policy_from_chain
from governance.services import reading
from governance.services.audit.context import Context, place
from governance.services.audit.report import Examination

WHERE = "PolicyRegistry"


def check_constitution(context: Context, exam: Examination) -> None:
    """Recompute the hash of the rules from every place that holds them."""
    policy = policy_in_force(context)
    active = context.read(WHERE, "activeHash")
    exam.equal(WHERE, "hash of its rules, tiers and document hash", expected=policy.set_hash, found=active)
    activations = list(context.events(WHERE, "PolicyActivated"))
    exam.equal(WHERE, "number of activated sets", expected=1, found=len(activations))
    for event in activations:
        exam.equal(place(event), "hash of the set", expected=policy.set_hash, found=event.values["setHash"])
        exam.equal(place(event), "version", expected=policy.version, found=event.values["version"])
        exam.equal(place(event), "document hash", expected=policy.document_hash, found=event.values["documentHash"])
    for entry in policy.tiers:
        call = (WHERE, "tierOf", 1 << entry.purpose)
        context.state(exam, WHERE, f"tier of purpose {entry.purpose}", expected=int(entry.tier), call=call)
    _compare_with_deployment(context, exam)
    _compare_with_files(context, exam, policy)


def policy_in_force(context: Context) -> PolicySet:
    """Return the set that the contract holds, without its words."""
    return policy_from_chain(
        reading.number(context.read(WHERE, "version")),
        reading.raw(context.read(WHERE, "documentHash")),
        cast("Sequence[ChainTier]", reading.items(context.read(WHERE, "tiers"))),
        cast("Sequence[ChainRule]", reading.items(context.read(WHERE, "rules"))),
    )


def _compare_with_deployment(context: Context, exam: Examination) -> None:
    if WHERE not in context.history.creations:
        return
    creation, arguments = context.history.creations[WHERE]
    where = f"{WHERE}, created in block {creation.block}"
    _, document_hash, tiers, rules = arguments
    exam.equal(where, "document hash", expected=document_hash, found=context.read(WHERE, "documentHash"))
    exam.equal(where, "table of tiers", expected=tiers, found=context.read(WHERE, "tiers"))
    stored = reading.items(context.read(WHERE, "rules"))
    deployed = reading.items(rules)
    exam.equal(where, "number of rules", expected=len(deployed), found=len(stored))
    for index, (expected, found) in enumerate(zip(deployed, stored, strict=False)):
        exam.equal(f"{WHERE}, rule {index}", "as it was deployed", expected=expected, found=found)


def _compare_with_files(context: Context, exam: Examination, policy: PolicySet) -> None:
    files = context.policy_files
    if files is None:
        exam.lacking("the policy files behind the document hash; name their folder with --policies")
        return
    where = "policy files"
    exam.equal(where, "hash of the document", expected=policy.document_hash, found=files.document_hash)
    exam.equal(where, "hash of the compiled set", expected=policy.set_hash, found=files.set_hash)
