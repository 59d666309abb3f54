"""All small changes of the contracts in one build, each behind a switch that an option of forge turns on.

Compiling takes most of a minute and the tests a few seconds; so 1,500 changes cost one build and not one each.
A changed comparison becomes ``(changed(7) ? a > b : a >= b)``, a guard that is taken out ``if (!changed(8) && (...))``.
"""

from __future__ import annotations

import json
import subprocess
from collections.abc import Iterable, Iterator, Mapping
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

OPTION = "--block-coinbase"
FILE = "Switch.sol"
# Who made the block says which change is on, for no contract asks for that. Nor must a pure function, so the compiler
# is not told that it does.
SWITCH = """// SPDX-License-Identifier: Apache-2.0
pragma solidity 0.8.37;

function changed(uint256 number) pure returns (bool) {
    function(uint256) view returns (bool) asks = isOn;
    function(uint256) pure returns (bool) silent;
    assembly ("memory-safe") {
        silent := asks
    }
    return silent(number);
}

function isOn(uint256 number) view returns (bool) {
    return uint160(address(block.coinbase)) == (number << 32);
}
"""
IMPORT = "pragma solidity 0.8.37;"


@dataclass(frozen=True, slots=True)
class Change:
    """One change of a source: another operator at a place, or a guard that is taken out."""

    number: int
    """From 1."""
    line: int
    column: int
    """Where the operator, or the guard, begins in its line, in bytes from 0."""
    operator: str = ""
    """The other operator; empty for a guard that is taken out."""


@dataclass(slots=True)
class _Edit:
    """A part of a source that is written anew, with the parts inside that are too."""

    start: int
    end: int
    change: Change
    parts: tuple[tuple[int, int], ...]
    """Left and right side, or the condition of a guard."""
    inner: list[_Edit] = field(default_factory=list)


def turned_on(number: int) -> list[str]:
    """Return what forge has to be told so that a change is made; 0 makes none."""
    # Far from the addresses of precompiled contracts.
    return [OPTION, f"0x{number << 32:040x}"]


def syntax_trees(contracts: Path, node: Iterable[str]) -> dict[str, dict[str, Any]]:
    """Return the syntax tree of every source of ours, by its path below contracts/src."""
    sources = sorted((contracts / "src").rglob("*.sol"))
    asked = {
        "language": "Solidity",
        "sources": {path.relative_to(contracts).as_posix(): {"content": path.read_text()} for path in sources},
        "settings": {
            "outputSelection": {"*": {"": ["ast"]}},
            "remappings": ["@openzeppelin/=../node_modules/@openzeppelin/"],
        },
    }
    done = subprocess.run(
        [*node, str(contracts / "script" / "solc"), "--standard-json"],
        cwd=contracts,
        input=json.dumps(asked),
        capture_output=True,
        text=True,
        check=True,
    )
    said = json.loads(done.stdout)
    if failed := [each["formattedMessage"] for each in said.get("errors", ()) if each["severity"] == "error"]:
        raise SystemExit("the sources do not compile:\n" + "\n".join(failed))
    return {name.removeprefix("src/"): each["ast"] for name, each in said["sources"].items() if name.startswith("src/")}


def with_switches(text: str, tree: Mapping[str, Any], changes: Iterable[Change]) -> tuple[str, set[int]]:
    """Return a source with switches, and the numbers of the changes that have one.

    A constant has none, since it is known before anything runs; nor has what stands in assembly.
    """
    source = text.encode()
    begins = [0]
    for line in source.splitlines(keepends=True):
        begins.append(begins[-1] + len(line))
    wanted = {begins[each.line - 1] + each.column: each for each in changes}
    edits = [edit for node in _nodes(tree) if (edit := _edit_of(source, node, wanted)) is not None]
    written = _written(source, 0, len(source), _nested(edits)).decode()
    return written, {edit.change.number for edit in edits}


def with_import(text: str, file: str) -> str:
    """Return a source that can use switches; its lines keep their numbers."""
    up = "../" * file.count("/") or "./"
    return text.replace(IMPORT, f'{IMPORT} import {{changed}} from "{up}{FILE}";', 1)


def _nodes(node: Any) -> Iterator[dict[str, Any]]:
    """Yield the parts of a syntax tree whose values are not known before anything runs."""
    if isinstance(node, list):
        for each in node:
            yield from _nodes(each)
    if not isinstance(node, dict):
        return
    if node.get("nodeType") == "ArrayTypeName" or (node.get("nodeType") == "VariableDeclaration" and node["constant"]):
        return
    yield node
    for each in node.values():
        yield from _nodes(each)


def _span(node: Mapping[str, Any]) -> tuple[int, int]:
    start, length, _ = map(int, node["src"].split(":"))
    return start, start + length


def _edit_of(source: bytes, node: Mapping[str, Any], wanted: Mapping[int, Change]) -> _Edit | None:
    if node.get("nodeType") == "IfStatement":
        start, end = _span(node)
        change = wanted.get(start)
        return None if change is None or change.operator else _Edit(start, end, change, (_span(node["condition"]),))
    if node.get("nodeType") != "BinaryOperation" or node["typeDescriptions"]["typeIdentifier"].startswith("t_rational"):
        return None
    (start, end), left, right = _span(node), _span(node["leftExpression"]), _span(node["rightExpression"])
    place = source.index(node["operator"].encode(), left[1], right[0])
    change = wanted.get(place)
    return None if change is None or not change.operator else _Edit(start, end, change, (left, right))


def _nested(edits: Iterable[_Edit]) -> list[_Edit]:
    """Return the outermost edits; each holds those inside it."""
    outermost: list[_Edit] = []
    around: list[_Edit] = []
    for edit in sorted(edits, key=lambda each: (each.start, -each.end)):
        while around and edit.start >= around[-1].end:
            around.pop()
        (around[-1].inner if around else outermost).append(edit)
        around.append(edit)
    return outermost


def _written(source: bytes, start: int, end: int, edits: Iterable[_Edit]) -> bytes:
    """Return a part of a source with those of the edits that lie in it."""
    parts, place = [], start
    for edit in edits:
        if edit.start < start or edit.end > end:
            continue
        parts += [source[place : edit.start], _replaced(source, edit)]
        place = edit.end
    return b"".join([*parts, source[place:end]])


def _replaced(source: bytes, edit: _Edit) -> bytes:
    number = edit.change.number
    if not edit.change.operator:
        ((start, end),) = edit.parts
        condition = _written(source, start, end, edit.inner)
        rest = _written(source, end, edit.end, edit.inner)
        return b"if (!changed(%d) && (%b)%b" % (number, condition, rest)
    left, right = (_written(source, *part, edit.inner) for part in edit.parts)
    between = source[edit.parts[0][1] : edit.parts[1][0]]
    other = between.replace(between.strip(), edit.change.operator.encode())
    return b"(changed(%d) ? %b%b%b : %b%b%b)" % (number, left, other, right, left, between, right)
