"""What is bought and sold: jobs, terms and mandates, exactly as the contracts know them.

The EIP-712 types of these records stand in ``docs/encodings.md``; field order here is field order there.
"""

from dataclasses import asdict, dataclass, fields
from enum import IntEnum
from typing import Final, Self

from governance.errors import InvalidRecord

Address = str
"""A checksummed EVM address."""

NOBODY: Final = "0x0000000000000000000000000000000000000000"
"""The address of zeros."""


class Kind(IntEnum):
    """What an agreement sells."""

    DATA = 1
    EVALUATION_ROWS = 2
    COMPUTE = 3
    EVALUATION = 4

    @property
    def word(self) -> str:
        """Return the kind as it is written for people and in files."""
        return self.name.lower()


class AggregationPrivacy(IntEnum):
    """Who sees a single owner's update."""

    CLEAR = 1
    GROUPED = 2
    MASKED = 3


class IntegrationMode(IntEnum):
    """How training and chain are coupled; the definitions are ours, surveys differ."""

    DECOUPLED = 1
    COUPLED = 2
    OVERLAPPED = 3


class PrivacyUnit(IntEnum):
    """Whose presence the privacy loss bounds."""

    NONE = 0
    RECORD = 1


@dataclass(frozen=True, slots=True, kw_only=True)
class JobTerms:
    """What a coordinator announces before anybody signs; its EIP-712 digest is the job's id."""

    coordinator: Address
    purposes: int
    """Bit set."""
    rounds_per_candidate: int
    epsilon_micros: int
    """Privacy loss for one record over the whole job, millionths."""
    delta_e12: int
    privacy_unit: PrivacyUnit
    aggregation_privacy: AggregationPrivacy
    integration_mode: IntegrationMode
    task: bytes
    """SHA-256 of the canonical task document."""
    metric_code: bytes
    """SHA-256 of the metric code that jurors run."""
    candidates: tuple[str, ...]
    """Names in the order in which they are tried."""
    bonus_e18: int = 0
    """Shared by the contributors if a candidate is released, 1e-18 credit."""
    deadline_s: int
    """Chain time."""
    nonce: int

    @property
    def rounds(self) -> int:
        """Rounds of the whole job: one for statistics, then each candidate's."""
        return 1 + self.rounds_per_candidate * len(self.candidates)


@dataclass(frozen=True, slots=True, kw_only=True)
class Terms:
    """What buyer and seller both sign; its EIP-712 digest is the agreement's id."""

    kind: Kind
    buyer: Address
    seller: Address
    job: bytes
    price_e18: int
    """Of all units together, 1e-18 credit."""
    units: int
    """Instalments: rounds for data and compute, looks for evaluation and its rows."""
    epsilon_micros: int
    delta_e12: int
    privacy_unit: PrivacyUnit
    aggregation_privacy: AggregationPrivacy
    rows: int
    data_root: bytes
    purposes: int
    compute_seconds: int
    bond_e18: int = 0
    """Locked from the seller's operator until the job and its claims are over, 1e-18 credit."""
    auditor: Address = NOBODY
    """Judges disputes about what happened inside the seller's site."""
    withdrawal_blocks: bool
    deadline_s: int
    valid_until_s: int
    nonce: int

    def to_json(self) -> dict[str, int | str | bool]:
        """Return the terms as JSON values: integers, booleans, and bytes as 0x hex."""
        values = asdict(self)
        return {
            name: "0x" + value.hex()
            if isinstance(value, bytes)
            else bool(value)
            if isinstance(value, bool)
            else int(value)
            if isinstance(value, int)
            else value
            for name, value in values.items()
        }

    @classmethod
    def from_json(cls, document: object) -> Self:
        """Read terms that a peer sent.

        Raises
        ------
        InvalidRecord
            If a field is missing, unknown, of the wrong type or out of range.
        """
        if not isinstance(document, dict) or set(document) != {field.name for field in fields(cls)}:
            raise InvalidRecord("terms must hold exactly the fields of docs/encodings.md")
        try:
            return cls(
                kind=Kind(_whole(document, "kind")),
                buyer=_address(document, "buyer"),
                seller=_address(document, "seller"),
                job=_word(document, "job"),
                price_e18=_whole(document, "price_e18", bits=128),
                units=_whole(document, "units", bits=32),
                epsilon_micros=_whole(document, "epsilon_micros", bits=64),
                delta_e12=_whole(document, "delta_e12", bits=64),
                privacy_unit=PrivacyUnit(_whole(document, "privacy_unit")),
                aggregation_privacy=AggregationPrivacy(_whole(document, "aggregation_privacy")),
                rows=_whole(document, "rows", bits=32),
                data_root=_word(document, "data_root"),
                purposes=_whole(document, "purposes", bits=127),
                compute_seconds=_whole(document, "compute_seconds", bits=32),
                bond_e18=_whole(document, "bond_e18", bits=128),
                auditor=_address(document, "auditor"),
                withdrawal_blocks=_flag(document, "withdrawal_blocks"),
                deadline_s=_whole(document, "deadline_s", bits=64),
                valid_until_s=_whole(document, "valid_until_s", bits=64),
                nonce=_whole(document, "nonce", bits=64),
            )
        except ValueError as problem:
            raise InvalidRecord(f"terms: {problem}") from problem


@dataclass(frozen=True, slots=True, kw_only=True)
class Mandate:
    """Limits that an operator sets for one agent; the chain enforces both sides'."""

    max_spend_e18: int = 0
    """Most that may ever be locked: prices and bonuses as a buyer, bonds as a seller."""
    max_agreements: int = 0
    floors_e18: tuple[int, int, int, int, int] = (0, 0, 0, 0, 0)
    """Least price of a whole agreement by kind; the first entry is unused."""
    max_epsilon_micros: int = 0
    lifetime_epsilon_micros: int = 0
    purposes: int = 0
    valid_until_s: int = 0
    """Chain time; zero revokes."""


def _whole(document: dict[str, object], name: str, *, bits: int = 8) -> int:
    value = document[name]
    if isinstance(value, bool) or not isinstance(value, int) or not 0 <= value < 1 << bits:
        raise ValueError(f"{name} must be a whole number of at most {bits} bits")
    return value


def _flag(document: dict[str, object], name: str) -> bool:
    value = document[name]
    if not isinstance(value, bool):
        raise ValueError(f"{name} must be true or false")  # noqa: TRY004 - one error type for a peer's bad terms
    return value


def _word(document: dict[str, object], name: str) -> bytes:
    value = document[name]
    if not isinstance(value, str) or len(value) != 66 or not value.startswith("0x"):
        raise ValueError(f"{name} must be 32 bytes as 0x hex")
    return bytes.fromhex(value[2:])


def _address(document: dict[str, object], name: str) -> Address:
    from eth_utils.address import is_checksum_address

    value = document[name]
    if not isinstance(value, str) or not is_checksum_address(value):
        raise ValueError(f"{name} must be a checksummed address")
    return value
