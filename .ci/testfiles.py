"""Which test files of the contracts a verdict hangs on, and whether they are still the same."""

from __future__ import annotations

import hashlib
import re
from functools import cache
from pathlib import Path

CONTRACTS = Path(__file__).resolve().parent.parent / "contracts"


@cache
def text_of(path: Path) -> str:
    """Return a file as it was when it was first asked for."""
    return path.read_text()


def remember() -> None:
    """Read all sources and tests, so that nobody has to leave them alone for as long as changes are judged."""
    for folder in ("src", "test"):
        for path in (CONTRACTS / folder).rglob("*.sol"):
            text_of(path)


def digest_of(*parts: str) -> str:
    """Return a hash of texts."""
    return hashlib.sha256("\0".join(parts).encode()).hexdigest()


@cache
def tests_now(pattern: str) -> str:
    """Return what changes with the test files of a pattern, or with what they import of the tests."""
    return digest_of(*map(text_of, sorted(with_imports(matched(pattern)))))


@cache
def matched(pattern: str) -> frozenset[Path]:
    """Return the test files that forge takes from `test/x.t.sol`, `test/**/*.t.sol` or `test/**/{A,B}.t.sol`."""
    braces = re.fullmatch(r"test/\*\*/\{([\w.,]+)\}\.t\.sol", pattern)
    if braces is None:
        return frozenset(CONTRACTS.glob(pattern))
    names = {f"{name}.t.sol" for name in braces[1].split(",")}
    return frozenset(path for path in (CONTRACTS / "test").rglob("*.t.sol") if path.name in names)


@cache
def with_imports(files: frozenset[Path]) -> frozenset[Path]:
    """Return files with all that they import below contracts/test, and so on."""
    found = new = files
    while new:
        imported = {
            (path.parent / name).resolve() for path in new for name in re.findall(r'from "(\..*?)"', text_of(path))
        }
        new = {path for path in imported if path.is_relative_to(CONTRACTS / "test")} - found
        found |= new
    return found
