"""What an audit found: counts, findings, and evidence that was not to be had."""

from dataclasses import dataclass
from enum import IntEnum
from typing import Final

from governance.domain.market import Address

SHOWN_CHARACTERS: Final = 90
"""A hostile node may answer with a megabyte where a number belongs."""

UNSEEN: Final = (
    "whether the noise of each update was really drawn, and from a good source",
    "whether the rows behind a committed root are real, and of the people they are said to be of",
    "whether the evaluation rows were kept out of training",
    "whether the jurors are independent of each other and of the parties",
    "whether data, updates and refused files were deleted by those who saw them",
    "whether the parties made side deals outside the contracts",
    "whether the blocks are the ones that others see: compare the head's hash below with somebody else's",
)
"""What nobody outside can see, whatever the chain and the store hold."""


class ExitCode(IntEnum):
    """How ``folkmoot audit verify`` ends."""

    CLEAN = 0
    FINDINGS = 1
    USAGE = 2
    EVIDENCE_UNAVAILABLE = 4


@dataclass(frozen=True, slots=True, kw_only=True)
class Finding:
    """One contradiction, and where it lies."""

    where: str
    """A file, log entry, transaction, block or contract."""
    what: str
    expected: str
    found: str


@dataclass(frozen=True, slots=True, kw_only=True)
class CheckResult:
    """What one family of checks did."""

    name: str
    checked: int
    """Comparisons made."""
    findings: tuple[Finding, ...]
    unavailable: tuple[str, ...]
    """Evidence that a digest or log points at and nobody supplied."""
    remarks: tuple[str, ...] = ()
    """What is in order and a reader should know: whose power was used."""


@dataclass(frozen=True, slots=True, kw_only=True)
class AuditReport:
    """An audit of one network up to one block."""

    registry: Address
    chain_id: int
    head_number: int
    head_hash: str
    """As 0x hex."""
    head_time_s: int
    events: int
    """Events of our contracts, each proven from the hash of its block."""
    results: tuple[CheckResult, ...]

    @property
    def findings(self) -> tuple[Finding, ...]:
        """All findings in the order of the checks."""
        return tuple(finding for result in self.results for finding in result.findings)

    @property
    def unavailable(self) -> tuple[str, ...]:
        """All evidence that was not to be had, each once."""
        return tuple(dict.fromkeys(text for result in self.results for text in result.unavailable))

    @property
    def remarks(self) -> tuple[str, ...]:
        """All remarks in the order of the checks."""
        return tuple(text for result in self.results for text in result.remarks)

    @property
    def exit_code(self) -> ExitCode:
        """A finding outweighs missing evidence."""
        if self.findings:
            return ExitCode.FINDINGS
        return ExitCode.EVIDENCE_UNAVAILABLE if self.unavailable else ExitCode.CLEAN


class Examination:
    """Collects what one family of checks compares."""

    def __init__(self, name: str) -> None:
        self.name = name
        self._checked = 0
        self._findings: dict[Finding, None] = {}
        self._unavailable: dict[str, None] = {}
        self._remarks: dict[str, None] = {}

    @property
    def contradictions(self) -> int:
        """Number of findings so far."""
        return len(self._findings)

    def equal(self, where: str, what: str, *, expected: object, found: object) -> bool:
        """Compare two values; a difference is a finding."""
        self._checked += 1
        if expected != found:
            self._note(where, what, expected, found)
        return expected == found

    def holds(self, where: str, what: str, *, condition: bool, found: object = "it does not") -> bool:
        """Require a statement; its failure is a finding."""
        self._checked += 1
        if not condition:
            self._note(where, what, "it holds", found)
        return condition

    def fault(self, where: str, what: str, *, found: object) -> None:
        """Note what contradicts on its own."""
        self._note(where, what, "nothing like it", found)

    def lacking(self, what: str) -> None:
        """Note evidence that nobody supplied."""
        self._unavailable[what] = None

    def remark(self, text: str) -> None:
        """Tell of a power that was used, be it rightly."""
        self._remarks["".join(letter if letter.isprintable() else "�" for letter in text)] = None

    def result(self) -> CheckResult:
        """Return what was collected so far."""
        return CheckResult(
            name=self.name,
            checked=self._checked,
            findings=tuple(self._findings),
            unavailable=tuple(self._unavailable),
            remarks=tuple(self._remarks),
        )

    def _note(self, where: str, what: str, expected: object, found: object) -> None:
        where = "".join(letter if letter.isprintable() else "�" for letter in where)
        self._findings[Finding(where=where, what=what, expected=show(expected), found=show(found))] = None


def show(value: object) -> str:
    """Return a value as people read it: bytes as hex, and never more than a line."""
    # A stranger's text may hold lone bytes, which cannot be printed, or commands to a terminal.
    text = "".join(letter if letter.isprintable() else "�" for letter in _plain(value))
    return text if len(text) <= SHOWN_CHARACTERS else f"{text[: SHOWN_CHARACTERS - 1]}…"


def _plain(value: object) -> str:
    if isinstance(value, bytes):
        return "0x" + value[:SHOWN_CHARACTERS].hex()
    if isinstance(value, bool | str):
        return str(value)[: SHOWN_CHARACTERS + 1]
    if isinstance(value, int):
        # Python refuses to print integers of thousands of digits in decimal.
        return str(value) if value.bit_length() <= 512 else f"a number of {value.bit_length()} bits"
    if isinstance(value, list | tuple | set | frozenset):
        return "[" + ", ".join(_plain(item) for item in list(value)[:8]) + (", …]" if len(value) > 8 else "]")
    return repr(value)[: SHOWN_CHARACTERS + 1]
