"""Whether a policy file has the right shape, said in words that name file, rule and field."""

import json
from collections.abc import Iterable, Sequence
from functools import cache
from pathlib import Path
from typing import NotRequired, TypedDict, cast

from jsonschema import Draft202012Validator
from jsonschema.exceptions import ValidationError, best_match

from governance.errors import PolicyError
from governance.policy.strict_yaml import Tree

POLICIES = Path(__file__).resolve().parents[2] / "policies"
"""The rule sets that ship with the project, beside their schema."""


class ReferenceEntry(TypedDict):
    """One place in a law."""

    source: str
    at: str
    applies_from: NotRequired[str]
    checked: str


class SourceEntry(TypedDict):
    """One law or standard."""

    title: str


class FactEntry(TypedDict):
    """One fact that rules may judge."""

    title: str
    unit: str
    vocabulary: NotRequired[str]
    largest_micros: NotRequired[int]
    evidence: dict[str, list[str]]


class PurposeEntry(TypedDict):
    """One purpose of use."""

    bit: int
    tier: str
    title: str
    refs: list[ReferenceEntry]


class LicenceEntry(TypedDict):
    """One licence."""

    bit: int
    title: str


class RuleEntry(TypedDict, total=False):
    """One rule; ``value_micros`` takes the place of ``value`` in a document."""

    id: str
    type: str
    fact: str
    value_micros: int
    values: list[str]
    sources: list[str]
    phases: list[str]
    tiers: list[str]
    entrenchment: str
    applies_from: str
    rationale: str
    refs: list[ReferenceEntry]


class PolicyFile(TypedDict, total=False):
    """One policy file whose shape has been checked; its rules still hold ``value``."""

    schema: int
    version: int
    title: str
    sources: dict[str, SourceEntry]
    facts: dict[str, FactEntry]
    purposes: dict[str, PurposeEntry]
    licences: dict[str, LicenceEntry]
    rules: list[dict[str, Tree]]


def check_schema(tree: Tree, *, name: str) -> PolicyFile:
    """Return the tree as a policy file once it fits ``policies/schema.json``.

    Raises
    ------
    PolicyError
        If it does not fit; the message says where, what is wrong and what is allowed.
    """
    problem = best_match(_validator().iter_errors(tree))
    if problem is not None:
        raise PolicyError(f"{name}{_where(tree, problem.absolute_path)}: {_what(problem)}")
    # The schema has just proven every field that the TypedDict names.
    return cast("PolicyFile", tree)


@cache
def _validator() -> Draft202012Validator:
    return Draft202012Validator(json.loads((POLICIES / "schema.json").read_text("utf-8")))


def _where(tree: Tree, path: Iterable[str | int]) -> str:
    steps = list(path)
    if len(steps) < 2:
        return "".join(f", field {step}" for step in steps)
    section, entry, *field = steps
    place = f", {str(section).removesuffix('s')} {_entry_name(tree, section, entry)}"
    return place + (f", field {_field(field)}" if field else "")


def _entry_name(tree: Tree, section: str | int, entry: str | int) -> str:
    if not isinstance(entry, int):
        return entry
    rules = tree[section] if isinstance(tree, dict) and isinstance(section, str) else []
    rule = rules[entry] if isinstance(rules, list) else {}
    named = rule.get("id") if isinstance(rule, dict) else None
    return named if isinstance(named, str) else f"number {entry + 1}"


def _field(steps: Sequence[str | int]) -> str:
    return "".join(f"[{s}]" if isinstance(s, int) else f".{s}" for s in steps).lstrip(".")


def _what(problem: ValidationError) -> str:
    shown = _shown(problem.instance)
    sentences = {
        "additionalProperties": _unknown_fields(problem),
        "required": f"{problem.message}; add it",
        "enum": f"{shown} is not one of {_listed(problem.validator_value)}",
        "const": f"{shown} is not {problem.validator_value}, the only form this program reads",
        "pattern": f"{shown} does not have the form {problem.validator_value}",
        "type": f"{shown} is no {problem.validator_value}; numbers are written plainly, 3 or 0.10",
    }
    return sentences.get(str(problem.validator), problem.message[:200])


def _unknown_fields(problem: ValidationError) -> str:
    schema, instance = problem.schema, problem.instance
    known = schema.get("properties", {}) if isinstance(schema, dict) else {}
    given = instance if isinstance(instance, dict) else {}
    return f"unknown field {_listed(given.keys() - known.keys())}; known are {_listed(known)}"


def _listed(names: object) -> str:
    return ", ".join(sorted(map(str, names))) if isinstance(names, Iterable) else str(names)


def _shown(value: object) -> str:
    text = str(value)
    return f"'{text[:60]}{'…' if len(text) > 60 else ''}'"
