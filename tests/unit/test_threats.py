"""docs/threat-model.md names tests that exist, and every test that says which threat it answers."""

from __future__ import annotations

import importlib.util
import re
from pathlib import Path
from types import ModuleType

from folkmoot.settings import CHECKOUT

# Marked for the constitution by the review of the design.
FINDINGS = (2, 3, 4, 6, 12, 13, 14, 15, 16, 17, 18, 19, 23, 24, 25, 31, 33)


def load() -> ModuleType:
    spec = importlib.util.spec_from_file_location("threats", CHECKOUT / ".ci" / "threats.py")
    assert spec is not None
    assert spec.loader is not None
    module = importlib.util.module_from_spec(spec)
    spec.loader.exec_module(module)
    return module


threats = load()


def table() -> dict[str, set[str]]:
    found: dict[str, set[str]] = threats.rows((CHECKOUT / "docs" / "threat-model.md").read_text())
    return found


def test_names_and_marks_fit_the_table() -> None:
    marks = threats.marked(CHECKOUT / "contracts" / "test")

    assert threats.problems(table(), marks, threats.existing(CHECKOUT)) == []


def test_every_threat_and_finding_has_a_row() -> None:
    assert set(table()) >= {f"T{n}" for n in range(1, 31)} | {f"F{n}" for n in FINDINGS}


def test_a_row_without_tests_says_that_it_is_open() -> None:
    text = (CHECKOUT / "docs" / "threat-model.md").read_text()
    silent = [name for name, tests in table().items() if not tests]

    assert all(re.search(rf"^\| {name} \|.*\| open", text, re.MULTILINE) for name in silent)


def test_a_marked_test_outside_the_table_is_a_problem(tmp_path: Path) -> None:
    (tmp_path / "A.t.sol").write_text(
        "/// @dev Finding 13, and Threat 2.\nfunction test_a() public {\n}\n\n/// @dev No mark.\nfunction test_b() {}\n"
    )

    marks = threats.marked(tmp_path)

    assert marks == {"test_a": {"F13", "T2"}}
    assert len(threats.problems({"F13": {"test_a"}, "T2": {"test_gone"}}, marks, {"test_a"})) == 2


def test_marked_tests_are_written_into_their_rows() -> None:
    text = "| F13 | an attack | a defence | open |\n| T2 | an attack | a defence | `test_old` |\n"

    done = threats.written(text, {"test_a": {"F13", "T2"}}, {"test_a", "test_old"})

    assert threats.rows(done) == {"F13": {"test_a"}, "T2": {"test_old", "test_a"}}
    assert "open" not in done


def test_a_row_whose_tests_are_gone_is_open_again() -> None:
    text = "| T2 | an attack | a defence | `test_gone` |\n"

    assert threats.written(text, {}, set()) == "| T2 | an attack | a defence | open |\n"
