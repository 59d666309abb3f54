"""Whether the rules make sense together: every name known, every rule able to find evidence."""

from collections.abc import Iterator, Mapping

from governance.domain.policy import MICROS, Phase, Tier
from governance.errors import PolicyError
from governance.policy.document import Document
from governance.policy.schema import (
    FactEntry,
    LicenceEntry,
    PurposeEntry,
    ReferenceEntry,
    RuleEntry,
)

MAX_RULES = 64
OPEN_UNITS = ("count", "number")
SET_TYPES = ("none-of", "all-of", "subset-of")


def check_consistency(document: Document) -> None:
    """Refuse a document whose rules could never be judged, or would leave a hole.

    Raises
    ------
    PolicyError
        For the first contradiction found; the message names place and remedy.
    """
    if len(document.rules) > MAX_RULES:
        raise PolicyError(f"{len(document.rules)} rules; the contract holds at most {MAX_RULES}")
    _check_bits(document.purposes, "purpose")
    _check_bits(document.licences, "licence")
    for name, purpose in document.purposes.items():
        _check_references(document, purpose["refs"], f"purpose {name}")
    for name, fact in document.facts.items():
        if (fact["unit"] == "set") != ("vocabulary" in fact):
            raise PolicyError(f"fact {name}: unit set and field vocabulary belong together")
        if (fact["unit"] in OPEN_UNITS) != ("largest_micros" in fact):
            raise PolicyError(
                f"fact {name}: units {' and '.join(OPEN_UNITS)} have a field largest, no other has;"
                " without it a rule could ask for what cannot be"
            )
    for rule_id, rule in document.rules.items():
        _check_rule(document, rule, document.places[rule_id])
    _check_coverage(document)


def _check_bits(entries: Mapping[str, PurposeEntry] | Mapping[str, LicenceEntry], kind: str) -> None:
    taken: dict[int, str] = {}
    for name, entry in entries.items():
        other = taken.setdefault(entry["bit"], name)
        if other != name:
            raise PolicyError(f"{kind} {name}, field bit: {entry['bit']} belongs to {other}; take a new number")


def _check_references(document: Document, refs: list[ReferenceEntry], place: str) -> None:
    for number, ref in enumerate(refs):
        if ref["source"] not in document.sources:
            raise PolicyError(
                f"{place}, field refs[{number}].source: {ref['source']} is no source;"
                f" known are {_known(document.sources)}"
            )


def _check_rule(document: Document, rule: RuleEntry, place: str) -> None:
    fact = document.facts.get(rule["fact"])
    if fact is None:
        raise PolicyError(f"{place}, field fact: {rule['fact']} is no fact; known are {_known(document.facts)}")
    _check_references(document, rule["refs"], place)
    if rule["type"] in SET_TYPES:
        _check_set(document, rule, fact, place)
    else:
        _check_number(rule, fact, place)
    for problem in _unanswerable(rule, fact):
        raise PolicyError(f"{place}, field sources: {problem}")


def _check_set(document: Document, rule: RuleEntry, fact: FactEntry, place: str) -> None:
    if "values" not in rule or "value_micros" in rule or fact["unit"] != "set":
        raise PolicyError(
            f"{place}: type {rule['type']} takes 'values' and a fact of unit set;"
            f" {rule['fact']} is of unit {fact['unit']}"
        )
    vocabulary = document.purposes if fact["vocabulary"] == "purposes" else document.licences
    for name in rule["values"]:
        if name not in vocabulary:
            raise PolicyError(
                f"{place}, field values: {name} is not among the {fact['vocabulary']}; known are {_known(vocabulary)}"
            )


def _check_number(rule: RuleEntry, fact: FactEntry, place: str) -> None:
    if "value_micros" not in rule or "values" in rule or fact["unit"] == "set":
        raise PolicyError(
            f"{place}: type {rule['type']} takes 'value' and a fact that is a number;"
            f" {rule['fact']} is of unit {fact['unit']}"
        )
    value, unit = rule["value_micros"], fact["unit"]
    if value < 0:
        raise PolicyError(f"{place}, field value: a {unit} is never negative")
    if value > fact.get("largest_micros", value):
        raise PolicyError(f"{place}, field value: {rule['fact']} is never that large; see its field largest")
    if unit == "ratio" and value > MICROS:
        raise PolicyError(f"{place}, field value: a ratio lies between 0 and 1; write 0.10 for 10 %")
    if unit == "count" and value % MICROS:
        raise PolicyError(f"{place}, field value: a count is a whole number")


def _unanswerable(rule: RuleEntry, fact: FactEntry) -> Iterator[str]:
    for phase in rule["phases"]:
        possible = fact["evidence"].get(phase, [])
        if not set(possible) & set(rule["sources"]):
            yield (
                f"in phase {phase} {rule['fact']} is never {' or '.join(rule['sources'])}"
                f" (it can be {', '.join(possible) or 'nothing'}), so the rule would always fail"
            )


def _check_coverage(document: Document) -> None:
    # A rule whose day lies ahead does not cover today.
    covered = {
        (tier, phase)
        for rule in document.rules.values()
        if "applies_from" not in rule
        for tier in rule["tiers"]
        for phase in rule["phases"]
    }
    for tier in Tier:
        for phase in Phase:
            if (tier.name.lower(), phase.name.lower()) not in covered:
                raise PolicyError(
                    f"tier {tier.name.lower()} has no rule in phase {phase.name.lower()} that is in"
                    " force from the start; a hole is no permission, so the contract would refuse"
                    " everything there: add a rule"
                )


def _known(names: Mapping[str, object]) -> str:
    return ", ".join(sorted(names)) or "none"
