"""The list of defences that are taken out one by one fits the sources, and a change is noticed."""

from __future__ import annotations

import importlib.util
import sys
from pathlib import Path
from types import ModuleType
from typing import Any

import pytest

from folkmoot.settings import CHECKOUT


def load(name: str) -> ModuleType:
    spec = importlib.util.spec_from_file_location(name, CHECKOUT / ".ci" / f"{name}.py")
    assert spec is not None
    assert spec.loader is not None
    module = importlib.util.module_from_spec(spec)
    # A dataclass looks its module up.
    sys.modules[name] = module
    spec.loader.exec_module(module)
    return module


switches, testfiles = load("switches"), load("testfiles")
fuzz, mutants, threats = load("fuzz"), load("mutants"), load("threats")


def test_every_listed_defence_stands_once_in_its_source() -> None:
    gone = [
        each.name
        for each in mutants.listed()
        if (CHECKOUT / "contracts" / "src" / each.file).read_text().count(each.old) != 1
    ]

    assert gone == []


def test_every_listed_defence_names_a_test_and_a_row_of_the_threats() -> None:
    rows = threats.rows((CHECKOUT / "docs" / "threat-model.md").read_text())
    tests = threats.existing(CHECKOUT)

    assert [each.name for each in mutants.listed() if each.match_test.removeprefix("^") not in tests] == []
    assert [each.name for each in mutants.listed() if each.answers not in rows] == []


def test_changes_of_every_contract_are_generated() -> None:
    changed = {each.file for each in mutants.generated(None)}
    contracts = {path.name for path in (CHECKOUT / "contracts" / "src").glob("*.sol")}

    # A constructor that calls others and does nothing else has nothing to change.
    assert contracts - changed <= {"Credit.sol", "Timelock.sol"}


def test_every_generated_change_can_be_made() -> None:
    made = [each.changed for each in mutants.generated(None)]

    assert len(made) > 1000


def test_every_generated_change_has_a_switch(tmp_path: Path) -> None:
    changes = list(mutants.generated(None))

    numbers = mutants.put_switches(mutants.Bench(tmp_path).contracts, changes)

    assert [each.name for each in changes if each.name not in numbers] == []
    assert len(set(numbers.values())) == len(changes)


def test_a_switch_changes_one_thing_and_keeps_the_lines(tmp_path: Path) -> None:
    source = """pragma solidity 0.8.37;
error TooMuch(uint256 left);
contract A {
    function half(uint256 whole, uint256 most) external pure returns (uint256) {
        if (whole + 1 > most) revert TooMuch(most - 1);
        return whole / 2;
    }
}
"""
    (tmp_path / "src").mkdir()
    (tmp_path / "src" / "A.sol").write_text(source)
    (tmp_path / "script").symlink_to(CHECKOUT / "contracts" / "script")
    changes = [
        switches.Change(1, line=5, column=8),
        switches.Change(2, line=5, column=18, operator="-"),
        switches.Change(3, line=5, column=22, operator=">="),
        switches.Change(4, line=5, column=50, operator="+"),
        switches.Change(5, line=3, column=0, operator="-"),
    ]

    tree = switches.syntax_trees(tmp_path, mutants.WITH_NODE)["A.sol"]
    written, placed = switches.with_switches(source, tree, changes)

    assert placed == {1, 2, 3, 4}
    total = "(changed(2) ? whole - 1 : whole + 1)"
    compared = f"(changed(3) ? {total} >= most : {total} > most)"
    left = "(changed(4) ? most + 1 : most - 1)"
    guard = f"if (!changed(1) && ({compared})) revert TooMuch({left});"
    assert written == source.replace("if (whole + 1 > most) revert TooMuch(most - 1);", guard)


def test_sources_are_judged_as_they_were_whatever_was_built_beside_them(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    source = tmp_path / "src" / "A.sol"
    source.parent.mkdir()
    source.write_text("before")
    # Forge names the folder of what it built after the source.
    (tmp_path / "out" / "A.sol").mkdir(parents=True)
    monkeypatch.setattr(testfiles, "CONTRACTS", tmp_path)

    testfiles.remember()
    source.write_text("since")

    assert testfiles.text_of(source) == "before"


def test_what_a_test_file_imports_is_part_of_it() -> None:
    throughout = testfiles.with_imports(testfiles.matched("test/**/{System,Consent}.t.sol"))

    assert {path.name for path in throughout} >= {"System.t.sol", "SystemBase.sol", "MarketBase.sol", "Consent.t.sol"}


def test_a_verdict_stands_as_long_as_the_tests_it_hangs_on() -> None:
    change = next(mutants.generated("PolicyCode"))
    found = {"verdict": "killed", "tests": "test/System.t.sol"}
    same, other = testfiles.tests_now("test/System.t.sol"), testfiles.tests_now("test/Lines.t.sol")

    assert mutants.verdict_of(change, {}) is None
    assert mutants.verdict_of(change, {change.identity: {**found, "digest": same}}) == "killed"
    assert mutants.verdict_of(change, {change.identity: {**found, "digest": other}}) is None


def test_a_survivor_of_the_nearest_tests_is_tried_by_all() -> None:
    class Near:
        def judge(self, mutant: Any) -> Any:
            everything = mutant.match_path == mutants.ALL_TESTS
            return mutants.Verdict("killed" if everything else "survived", mutant.match_path)

    change = next(mutants.generated("PolicyCode"))

    assert mutants._wide(Near(), change) == mutants.Verdict("killed", mutants.ALL_TESTS)


def test_a_part_is_tried_by_the_tests_of_the_contract_that_it_is_part_of() -> None:
    change = next(mutants.generated("RoundScores"))

    assert "RoundLedger" in change.match_path


def test_random_calls_shared_by_invariants_count_once() -> None:
    said = (
        "Ran 2 tests for test/A.sol:A\n[PASS] invariant_x() (runs: 2, calls: 256, reverts: 9)\n"
        "[PASS] invariant_y() (runs: 2, calls: 256, reverts: 8)\n"
        "Ran 1 test for test/B.sol:B\n[PASS] invariant_z() (runs: 2, calls: 100, reverts: 0)\n"
    )

    assert fuzz.counted(said) == (356, 9)


def test_every_explained_survivor_is_a_change_that_is_generated() -> None:
    made = {(each.file, each.old.strip(), each.new.strip()) for each in mutants.generated(None)}

    assert sorted(set(mutants.explanations()) - made) == []
    assert all(len(why) > 20 for why in mutants.explanations().values())
