"""From policy files, or their document, to the set of rules that the chain holds."""

from collections.abc import Mapping
from datetime import UTC, date, datetime
from pathlib import Path

from eth_utils.crypto import keccak

from governance.domain.policy import (
    MICROS,
    Entrenchment,
    FactRange,
    LegalReference,
    Licence,
    Op,
    Phase,
    PolicySet,
    Purpose,
    Rule,
    RuleText,
    Source,
    Tier,
    TierEntry,
    Unit,
)
from governance.errors import PolicyError
from governance.policy.conflicts import check_room
from governance.policy.consistency import check_consistency
from governance.policy.document import Document, read_document, read_files
from governance.policy.encoding import encode_key, hash_set
from governance.policy.schema import POLICIES, ReferenceEntry, RuleEntry

OPS = {
    "min": Op.MIN,
    "max": Op.MAX,
    "equal": Op.EQUAL,
    "none-of": Op.NONE_OF,
    "all-of": Op.ALL_OF,
    "subset-of": Op.SUBSET_OF,
}


def load_policies(folder: Path = POLICIES) -> PolicySet:
    """Compile every ``*.yaml`` of a folder, without its sub-folders, into one set.

    Raises
    ------
    PolicyError
        If the folder holds no policy file, or any of them is wrong; the message names file,
        rule and field and says what to do.
    """
    try:
        texts = {path.name: path.read_text("utf-8") for path in sorted(folder.glob("*.yaml"))}
    except (OSError, UnicodeDecodeError) as error:
        raise PolicyError(f"{folder}: a policy file cannot be read: {error}") from error
    if not texts:
        raise PolicyError(f"{folder}: no *.yaml here; name a folder that holds policy files")
    return compile_policies(texts)


def compile_policies(texts: Mapping[str, str]) -> PolicySet:
    """Compile policy files, given as text by file name, into one set.

    Raises
    ------
    PolicyError
        If any of them is wrong; the message names file, rule and field and says what to do.
    """
    return _compile(read_files(texts))


def policy_from_document(data: bytes, *, name: str = "policy document") -> PolicySet:
    """Compile the canonical document, whose keccak256 the chain holds, into its set.

    Raises
    ------
    PolicyError
        If the bytes are not exactly what compiling policy files gives.
    """
    return _compile(read_document(data, name=name))


def _compile(document: Document) -> PolicySet:
    check_consistency(document)
    data = document.to_json()
    document_hash = bytes(keccak(data))
    rules = tuple(_rule(document, rule_id) for rule_id in sorted(document.rules))
    purposes = _purposes(document)
    tiers = tuple(TierEntry(p.bit, p.tier) for p in purposes)
    facts = tuple(_range(document, key) for key in sorted(document.facts))
    check_room(facts, rules)
    return PolicySet(
        version=document.version,
        document=data,
        document_hash=document_hash,
        set_hash=hash_set(document.version, document_hash, tiers, rules, facts=facts),
        rules=rules,
        tiers=tiers,
        texts={rule_id: _text(document, entry) for rule_id, entry in document.rules.items()},
        purposes=purposes,
        licences=_licences(document),
        facts=facts,
    )


def _range(document: Document, key: str) -> FactRange:
    encode_key(key)
    entry = document.facts[key]
    match Unit(entry["unit"]):
        case Unit.SET:
            bits = sum(1 << bit for bit in _bits(document, key).values())
            return FactRange(key, is_set=True, least=0, largest=bits)
        case Unit.RATIO:
            return FactRange(key, is_set=False, least=0, largest=MICROS)
        case _:
            return FactRange(key, is_set=False, least=0, largest=entry["largest_micros"])


def _rule(document: Document, rule_id: str) -> Rule:
    entry = document.rules[rule_id]
    encode_key(rule_id)
    encode_key(entry["fact"])
    return Rule(
        id=rule_id,
        fact=entry["fact"],
        bound=_bound(document, entry),
        op=OPS[entry["type"]],
        tiers=sum(1 << Tier[name.upper()] for name in entry["tiers"]),
        sources=sum(1 << _source(name) for name in entry["sources"]),
        phases=sum(Phase[name.upper()] for name in entry["phases"]),
        entrenchment=Entrenchment[entry["entrenchment"].upper()],
        applies_from_s=_seconds(document.places[rule_id], entry.get("applies_from")),
    )


def _bound(document: Document, entry: RuleEntry) -> int:
    if not OPS[entry["type"]].is_set:
        return entry["value_micros"]
    bits = _bits(document, entry["fact"])
    return sum(1 << bits[name] for name in entry["values"])


def _bits(document: Document, fact: str) -> dict[str, int]:
    match document.facts[fact].get("vocabulary"):
        case "purposes":
            return {name: purpose["bit"] for name, purpose in document.purposes.items()}
        case "licences":
            return {name: licence["bit"] for name, licence in document.licences.items()}
        case _:
            return {}


def _source(name: str) -> Source:
    return Source[name.replace("-", "_").upper()]


def _seconds(place: str, day: str | None) -> int:
    if day is None:
        return 0
    try:
        moment = datetime.combine(date.fromisoformat(day), datetime.min.time(), tzinfo=UTC)
    except ValueError as error:
        raise PolicyError(f"{place}, field applies_from: {day} is no day: {error}") from error
    if moment.timestamp() <= 0:
        raise PolicyError(f"{place}, field applies_from: {day} is before 1970; leave it out")
    return int(moment.timestamp())


def _text(document: Document, entry: RuleEntry) -> RuleText:
    fact = document.facts[entry["fact"]]
    return RuleText(
        fact_title=fact["title"],
        unit=Unit(fact["unit"]),
        names={bit: name for name, bit in _bits(document, entry["fact"]).items()},
        rationale=entry["rationale"],
        refs=_references(document, entry["refs"]),
    )


def _references(document: Document, refs: list[ReferenceEntry]) -> tuple[LegalReference, ...]:
    return tuple(
        LegalReference(
            source=ref["source"],
            at=ref["at"],
            title=document.sources[ref["source"]]["title"],
            applies_from=ref.get("applies_from", ""),
            checked=ref["checked"],
        )
        for ref in refs
    )


def _purposes(document: Document) -> tuple[Purpose, ...]:
    purposes = (
        Purpose(
            name=name,
            bit=entry["bit"],
            tier=Tier[entry["tier"].upper()],
            title=entry["title"],
            refs=_references(document, entry["refs"]),
        )
        for name, entry in document.purposes.items()
    )
    return tuple(sorted(purposes, key=lambda purpose: purpose.bit))


def _licences(document: Document) -> tuple[Licence, ...]:
    licences = (Licence(name=name, bit=entry["bit"], title=entry["title"]) for name, entry in document.licences.items())
    return tuple(sorted(licences, key=lambda licence: licence.bit))
