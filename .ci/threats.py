#!/usr/bin/env python3
"""Compare docs/threat-model.md with the tests.

``--write`` adds the tests that are marked to their rows, and takes out those that are gone.
"""

from __future__ import annotations

import re
import sys
from pathlib import Path

ROOT = Path(__file__).resolve().parent.parent
TABLE = ROOT / "docs" / "threat-model.md"
MARK = re.compile(r"\b(Finding|Threat)s? (\d+)")
CONTRACT_TEST = re.compile(r"function ((?:test|testFuzz|invariant|check)_\w+)")
REMEDY = "run .ci/threats.py --write, and read the difference"
OPEN = "open"


def marked(folder: Path) -> dict[str, set[str]]:
    """Return the ids that each test of a contract is marked with, by the test's name."""
    found: dict[str, set[str]] = {}
    for path in sorted(folder.rglob("*.sol")):
        pending: set[str] = set()
        for line in path.read_text().splitlines():
            text = line.strip()
            if text.startswith("///"):
                pending |= {f"{kind[0]}{number}" for kind, number in MARK.findall(text)}
                continue
            if pending and (name := CONTRACT_TEST.match(text)):
                found[name[1]] = pending
            pending = set()
    return found


def existing(root: Path) -> set[str]:
    """Return the names of all tests: of the contracts, and of Python."""
    contracts = (path.read_text() for path in (root / "contracts" / "test").rglob("*.sol"))
    python = (path.read_text() for path in (root / "tests").rglob("*.py"))
    names = {name for text in contracts for name in CONTRACT_TEST.findall(text)}
    return names | {name for text in python for name in re.findall(r"def (test_\w+)", text)}


def rows(text: str) -> dict[str, set[str]]:
    """Return the tests of each row by its id; an empty set for a row that is open."""
    found = {}
    for line in text.splitlines():
        cells = [cell.strip() for cell in line.strip("|").split("|")]
        if line.startswith("|") and len(cells) == 4 and re.fullmatch(r"[TF]\d+", cells[0]):
            found[cells[0]] = set(re.findall(r"`(\w+)`", cells[3]))
    return found


def problems(table: dict[str, set[str]], marks: dict[str, set[str]], names: set[str]) -> list[str]:
    """Return one sentence for each thing that does not fit."""
    unknown = [
        f"{row} names {test}, which is no test; {REMEDY}" for row in table for test in sorted(table[row] - names)
    ]
    missing = [
        f"{test} is marked {row} and not in its row; {REMEDY}"
        for test, ids in marks.items()
        for row in sorted(ids)
        if test not in table.get(row, set())
    ]
    return unknown + missing


def written(text: str, marks: dict[str, set[str]], names: set[str]) -> str:
    """Return the table with every marked test in its rows, and no name of a test that is gone."""
    return "".join(f"{_row(line, marks, names)}\n" for line in text.splitlines())


def _row(line: str, marks: dict[str, set[str]], names: set[str]) -> str:
    found = re.match(r"\| ([TF]\d+) \|", line)
    if not found:
        return line
    head, _, cell = line.rstrip().removesuffix("|").rstrip().rpartition("| ")
    kept = [name for name in re.findall(r"`(\w+)`", cell) if name in names]
    new = sorted(test for test, ids in marks.items() if found[1] in ids and test not in kept)
    return f"{head}| {' '.join(f'`{name}`' for name in kept + new) or OPEN} |"


def main() -> int:
    """Say what does not fit, or write what is missing."""
    marks, names = marked(ROOT / "contracts" / "test"), existing(ROOT)
    if "--write" in sys.argv:
        TABLE.write_text(written(TABLE.read_text(), marks, names))
    left = problems(rows(TABLE.read_text()), marks, names)
    sys.stdout.write("".join(f"{line}\n" for line in left))
    return 1 if left else 0


if __name__ == "__main__":
    sys.exit(main())
