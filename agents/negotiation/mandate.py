"""Mandates: about ten lines of YAML in which an operator says what an agent may agree to."""

import json
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from datetime import UTC, datetime, timedelta
from decimal import Decimal
from enum import StrEnum
from pathlib import Path
from typing import Any, Final, cast

import jsonschema
import yaml

from agents.negotiation.errors import MandateError
from governance.domain.market import Kind, Mandate

SCHEMA_FILE: Final = Path(__file__).with_name("mandate.schema.json")
NOT_SOLD_E18: Final = 2**128 - 1
"""Floor of a kind that is not sold: nobody can pay it."""
LONGEST_FILE: Final = 20_000
DEFAULT_WEIGHTS: Final = {"price": 60, "epsilon": 30, "deadline": 10}


class Tactic(StrEnum):
    """How willingly a side gives way as time passes."""

    BOULWARE = "boulware"
    """Late: with the fourth power of the elapsed share."""
    LINEAR = "linear"
    """Evenly."""
    CONCEDER = "conceder"
    """Early: with the fourth root of the elapsed share."""


@dataclass(frozen=True, slots=True, kw_only=True)
class SellerMandate:
    """What a seller's agent may grant."""

    floors_e18: Mapping[Kind, int]
    """Least price of a whole agreement; a kind that is missing is not sold."""
    asks_e18: Mapping[Kind, int] = field(default_factory=dict)
    """Opening price; by default a round figure well above the floor."""
    price_per_epsilon_e18: int = 0
    """Asked on top of the floor for each unit of epsilon of a data agreement."""
    max_epsilon_micros: int = 0
    lifetime_epsilon_micros: int = 0
    purposes: int
    """Bit set; terms may name no other."""
    max_rows: int = 2**32 - 1
    until_s: int
    """Chain time after which nothing is signed."""
    tactic: Tactic = Tactic.LINEAR
    withdrawal_blocks: bool = True
    weights: Mapping[str, int] = field(default_factory=lambda: DEFAULT_WEIGHTS)

    def on_chain(self) -> Mandate:
        """Return the limits that the operator key sets in AgentRegistry."""
        data, rows, compute, evaluation = (self.floors_e18.get(kind, NOT_SOLD_E18) for kind in Kind)
        return Mandate(
            floors_e18=(0, data, rows, compute, evaluation),
            max_epsilon_micros=self.max_epsilon_micros,
            lifetime_epsilon_micros=self.lifetime_epsilon_micros,
            purposes=self.purposes,
            valid_until_s=self.until_s,
        )


@dataclass(frozen=True, slots=True, kw_only=True)
class BuyerMandate:
    """What a buyer's agent may pay."""

    max_spend_e18: Mapping[Kind, int]
    """Most for all agreements of a kind together; a kind that is missing is not bought."""
    max_price_e18: Mapping[Kind, int] = field(default_factory=dict)
    """Most for one agreement; by default all that may be spent."""
    target_price_e18: Mapping[Kind, int] = field(default_factory=dict)
    """Opening price; by default a round figure well below the most."""
    max_agreements: int
    purposes: int
    until_s: int
    tactic: Tactic = Tactic.LINEAR
    weights: Mapping[str, int] = field(default_factory=lambda: DEFAULT_WEIGHTS)

    def on_chain(self) -> Mandate:
        """Return the limits that the operator key sets in AgentRegistry."""
        return Mandate(
            max_spend_e18=sum(self.max_spend_e18.values()),
            max_agreements=self.max_agreements,
            floors_e18=(0, NOT_SOLD_E18, NOT_SOLD_E18, NOT_SOLD_E18, NOT_SOLD_E18),
            purposes=self.purposes,
            valid_until_s=self.until_s,
        )


def load_mandate(path: Path, purposes: Mapping[str, int]) -> SellerMandate | BuyerMandate:
    """Read a mandate file.

    Parameters
    ----------
    path
        YAML as ``mandate.schema.json`` describes it.
    purposes
        Bit number of each purpose by name.

    Raises
    ------
    MandateError
        If the file cannot be read or is wrong; the message names file and field.
    """
    try:
        text = path.read_text(encoding="utf-8")
    except (OSError, UnicodeDecodeError) as error:
        reason = getattr(error, "strerror", None) or error
        raise MandateError(f"mandate {path} cannot be read: {reason}") from error
    try:
        return parse_mandate(text, purposes)
    except MandateError as error:
        raise MandateError(f"mandate {path}: {error}") from error


def parse_mandate(text: str, purposes: Mapping[str, int]) -> SellerMandate | BuyerMandate:
    """Read the text of a mandate; see :func:`load_mandate`."""
    document = _read_yaml(text)
    validator = jsonschema.Draft202012Validator(json.loads(SCHEMA_FILE.read_text()))
    for error in validator.iter_errors(document):
        place = ".".join(str(part) for part in error.absolute_path) or "top level"
        raise MandateError(f"{place}: {_what(error)}")
    fields = _Fields(document, purposes)
    return fields.seller() if document["side"] == "seller" else fields.buyer()


def _what(error: jsonschema.ValidationError) -> str:
    """Say what is wrong with a field, and what may stand there."""
    shown = f"'{str(error.instance)[:60]}'"
    match error.validator:
        case "additionalProperties":
            known = error.schema.get("properties", {}) if isinstance(error.schema, Mapping) else {}
            given = error.instance if isinstance(error.instance, dict) else {}
            return f"unknown field {', '.join(sorted(given.keys() - known.keys()))}; known are {', '.join(known)}"
        case "required":
            return f"{error.message.replace(' is a required property', ' is missing')}; add it"
        case "enum":
            return f"{shown} is not one of {', '.join(map(str, cast('list[object]', error.validator_value)))}"
        case "anyOf":
            return f"{shown} is no amount; write a number of 0 or more such as 60, or in quotes with a point: '2.5'"
        case "pattern":
            return f"{shown} does not have the form {error.validator_value}, such as 2036-12-31 for a day"
    return error.message[:200]


def credits_e18(text: str | int) -> int:
    """Return an amount of credits, e.g. ``"12.5"``, in 1e-18 credit."""
    # Shifting the point is exact; a product of this many digits would be rounded.
    return int(Decimal(str(text)).scaleb(18))


class _Fields:
    """Reads a document that the schema has accepted."""

    def __init__(self, document: Mapping[str, Any], purposes: Mapping[str, int]) -> None:
        self._document = document
        self._purposes = purposes

    def seller(self) -> SellerMandate:
        document = self._document
        mandate = SellerMandate(
            floors_e18=self._by_kind("floor_price"),
            asks_e18=self._by_kind("ask_price"),
            price_per_epsilon_e18=credits_e18(document.get("price_per_epsilon", 0)),
            max_epsilon_micros=self._micros("max_epsilon"),
            lifetime_epsilon_micros=self._micros("lifetime_epsilon"),
            purposes=self._purpose_bits(),
            max_rows=document.get("rows", 2**32 - 1),
            until_s=self._until(),
            tactic=Tactic(document.get("tactic", "linear")),
            withdrawal_blocks=document.get("withdrawal_blocks", True),
            weights=document.get("weights", DEFAULT_WEIGHTS),
        )
        if Kind.DATA in mandate.floors_e18 and not mandate.max_epsilon_micros:
            raise MandateError("max_epsilon: data is sold, so say how much epsilon one agreement may spend")
        if mandate.max_epsilon_micros > mandate.lifetime_epsilon_micros:
            raise MandateError("lifetime_epsilon: must be at least max_epsilon")
        self._ordered(mandate.floors_e18, mandate.asks_e18, "ask_price: must not be below floor_price")
        return mandate

    def buyer(self) -> BuyerMandate:
        document = self._document
        mandate = BuyerMandate(
            max_spend_e18=self._by_kind("max_spend"),
            max_price_e18=self._by_kind("max_price"),
            target_price_e18=self._by_kind("target_price"),
            max_agreements=document["max_agreements"],
            purposes=self._purpose_bits(),
            until_s=self._until(),
            tactic=Tactic(document.get("tactic", "linear")),
            weights=document.get("weights", DEFAULT_WEIGHTS),
        )
        most = {**mandate.max_spend_e18, **mandate.max_price_e18}
        self._ordered(mandate.max_price_e18, mandate.max_spend_e18, "max_price: must not exceed max_spend")
        self._ordered(mandate.target_price_e18, most, "target_price: must not exceed max_price")
        return mandate

    def _by_kind(self, name: str) -> dict[Kind, int]:
        entries = self._document.get(name, {})
        return {Kind[kind.upper()]: credits_e18(amount) for kind, amount in entries.items()}

    def _micros(self, name: str) -> int:
        return int(Decimal(str(self._document.get(name, 0))).scaleb(6))

    def _purpose_bits(self) -> int:
        bits = 0
        for name in self._document["purposes"]:
            if name not in self._purposes:
                known = ", ".join(sorted(self._purposes))
                raise MandateError(f"purposes: {name!r} is unknown; known are {known}")
            bits |= 1 << self._purposes[name]
        return bits

    def _until(self) -> int:
        try:
            day = datetime.strptime(self._document["until"], "%Y-%m-%d").replace(tzinfo=UTC)
        except ValueError as error:
            raise MandateError(f"until: {self._document['until']!r} is no date such as 2027-12-31") from error
        return int((day + timedelta(days=1)).timestamp()) - 1

    def _ordered(self, low: Mapping[Kind, int], high: Mapping[Kind, int], message: str) -> None:
        for kind in low.keys() & high.keys():
            if low[kind] > high[kind]:
                raise MandateError(f"{message} ({kind.word})")


class _TextLoader(yaml.SafeLoader):
    """Leaves numbers with a point and dates as text, so that no float is ever between us and the file."""


_TextLoader.yaml_implicit_resolvers = {
    start: [(tag, pattern) for tag, pattern in resolvers if tag.rsplit(":", 1)[1] not in ("float", "timestamp")]
    for start, resolvers in yaml.SafeLoader.yaml_implicit_resolvers.items()
}


def _mapping_without_repeats(loader: _TextLoader, node: yaml.MappingNode) -> dict[object, object]:
    loader.flatten_mapping(node)
    pairs: Sequence[tuple[object, object]] = [
        (loader.construct_object(key, deep=True), loader.construct_object(value, deep=True))
        for key, value in node.value
    ]
    if len({str(key) for key, _ in pairs}) != len(pairs):
        raise MandateError("a field occurs twice")
    return {str(key): value for key, value in pairs}


_TextLoader.add_constructor("tag:yaml.org,2002:map", _mapping_without_repeats)


def _read_yaml(text: str) -> dict[str, Any]:
    if len(text) > LONGEST_FILE:
        raise MandateError(f"longer than {LONGEST_FILE} characters")
    try:
        # _TextLoader is a SafeLoader: it builds plain values only.
        document = yaml.load(text, Loader=_TextLoader)  # noqa: S506
    except (yaml.YAMLError, RecursionError) as error:
        mark = getattr(error, "problem_mark", None)
        place = f"line {mark.line + 1}, column {mark.column + 1}: " if mark else ""
        raise MandateError(f"not YAML: {place}{getattr(error, 'problem', None) or str(error)[:200]}") from error
    if not isinstance(document, dict):
        raise MandateError("a mandate is a list of fields such as 'side: seller'")
    return document
