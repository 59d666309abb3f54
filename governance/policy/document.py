"""Policy files merged into one canonical document; its keccak256 stands on chain.

Numbers become millionths and lists are sorted, so the order of files, keys and list entries,
and the spelling of a number, change nothing. Comments are not part of it; every other word is.
"""

from collections.abc import Mapping
from dataclasses import dataclass, field
from decimal import Decimal
from typing import TypeVar, cast

from governance.domain.policy import MICROS
from governance.domain.record import Record, canonical_json, parse_canonical_json
from governance.errors import PolicyError, RecordError
from governance.policy.schema import (
    FactEntry,
    LicenceEntry,
    PolicyFile,
    PurposeEntry,
    RuleEntry,
    SourceEntry,
    check_schema,
)
from governance.policy.strict_yaml import Tree, parse_yaml

MAX_DECIMALS = 6
_SORTED_LISTS = ("values", "sources", "phases", "tiers")
_Entry = TypeVar("_Entry")


@dataclass(slots=True)
class Document:
    """All policy files together: right in shape, not yet checked for sense."""

    version: int = 0
    title: str = ""
    sources: dict[str, SourceEntry] = field(default_factory=dict)
    facts: dict[str, FactEntry] = field(default_factory=dict)
    purposes: dict[str, PurposeEntry] = field(default_factory=dict)
    licences: dict[str, LicenceEntry] = field(default_factory=dict)
    rules: dict[str, RuleEntry] = field(default_factory=dict)
    places: dict[str, str] = field(default_factory=dict)
    """Where each rule stands, by id: file and rule, for messages."""

    def to_json(self) -> bytes:
        """Return the canonical JSON: the bytes that are hashed, stored and read by auditors."""
        record = {
            "schema": 1,
            "version": self.version,
            "title": self.title,
            "sources": self.sources,
            "facts": self.facts,
            "purposes": self.purposes,
            "licences": self.licences,
            "rules": [self.rules[rule_id] for rule_id in sorted(self.rules)],
        }
        # The schema has proven that nothing but texts, integers, lists and objects is left.
        return canonical_json(cast("Record", record))


def read_files(texts: Mapping[str, str]) -> Document:
    """Merge policy files, given as text by name.

    Raises
    ------
    PolicyError
        If a file cannot be read, does not fit the schema, or repeats a name of another.
    """
    document = Document()
    for name in sorted(texts):
        _merge(document, check_schema(parse_yaml(texts[name], name=name), name=name), name)
    if not document.version:
        raise PolicyError("no policy file has a 'version'; put it into exactly one of them")
    if not document.rules:
        raise PolicyError("no policy file has 'rules'; without rules nothing may be released")
    return document


def read_document(data: bytes, *, name: str) -> Document:
    """Read a canonical document back, as an auditor finds it in a store.

    Raises
    ------
    PolicyError
        If the bytes are not exactly what compiling policy files gives.
    """
    try:
        tree = parse_canonical_json(data)
    except RecordError as error:
        raise PolicyError(f"{name}: {error}") from error
    rules = tree.get("rules") if isinstance(tree, dict) else None
    if not isinstance(tree, dict) or not isinstance(rules, list):
        raise PolicyError(f"{name}: a policy document is an object with a list of rules")
    facts = tree.get("facts")
    named = facts if isinstance(facts, dict) else {}
    as_file = {
        **tree,
        "rules": [_decimal(rule, "value") for rule in rules if isinstance(rule, dict)],
        "facts": {key: _decimal(fact, "largest") for key, fact in named.items() if isinstance(fact, dict)},
    }
    document = Document()
    _merge(document, check_schema(cast("Tree", as_file), name=name), name)
    if document.to_json() != data:
        raise PolicyError(f"{name}: not the canonical form of a policy document")
    return document


def to_micros(value: Decimal | int, *, place: str, field: str = "value") -> int:
    """Return a number as millionths, never rounded.

    Raises
    ------
    PolicyError
        If it is written with more than 6 decimals.
    """
    if isinstance(value, int):
        return value * MICROS
    exponent = value.as_tuple().exponent
    if not isinstance(exponent, int) or exponent < -MAX_DECIMALS:
        raise PolicyError(
            f"{place}, field {field}: {value} has more than {MAX_DECIMALS} decimals;"
            " round it yourself, the chain holds millionths"
        )
    return int(value.scaleb(MAX_DECIMALS))


def _merge(document: Document, file: PolicyFile, name: str) -> None:
    if "version" in file:
        if document.version:
            raise PolicyError(f"{name}, field version: another file has one already; keep one")
        document.version = file["version"]
        document.title = file.get("title", "")
    elif "title" in file:
        raise PolicyError(f"{name}, field title: it belongs beside 'version'; move it there")
    _add(document.sources, file.get("sources", {}), f"{name}, source")
    _add(document.facts, file.get("facts", {}), f"{name}, fact")
    _add(document.purposes, file.get("purposes", {}), f"{name}, purpose")
    _add(document.licences, file.get("licences", {}), f"{name}, licence")
    for number, tree in enumerate(file.get("rules", []), start=1):
        rule_id = str(tree["id"])
        place = f"{name}, rule {rule_id}"
        _add(document.rules, {rule_id: _rule(tree, place)}, f"{name}, rule number {number}")
        document.places[rule_id] = place
    for key, fact in file.get("facts", {}).items():
        _measure(cast("dict[str, Tree]", fact), f"{name}, fact {key}")
    for fact in document.facts.values():
        fact["evidence"] = {phase: sorted(names) for phase, names in fact["evidence"].items()}


def _add(known: dict[str, _Entry], new: Mapping[str, _Entry], place: str) -> None:
    for name, entry in new.items():
        if name in known:
            raise PolicyError(f"{place} {name}: defined twice; keep one, or give it another name")
        known[name] = entry


def _rule(tree: dict[str, Tree], place: str) -> RuleEntry:
    rule = dict(tree)
    for key in _SORTED_LISTS:
        if key in rule:
            rule[key] = cast("Tree", sorted(cast("list[str]", rule[key])))
    if "value" in rule:
        value = cast("Decimal | int", rule.pop("value"))
        rule["value_micros"] = to_micros(value, place=place)
    # The schema has proven every field that the TypedDict names.
    return cast("RuleEntry", rule)


def _measure(fact: "dict[str, Tree]", place: str) -> None:
    if "largest" in fact:
        value = cast("Decimal | int", fact.pop("largest"))
        fact["largest_micros"] = to_micros(value, place=place, field="largest")


def _decimal(tree: Mapping[str, Record], name: str) -> "dict[str, Record | Decimal]":
    entry: dict[str, Record | Decimal] = dict(tree)
    micros = entry.pop(f"{name}_micros", None)
    if isinstance(micros, int):
        entry[name] = Decimal(micros).scaleb(-MAX_DECIMALS)
    return entry
