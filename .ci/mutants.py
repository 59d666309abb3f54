#!/usr/bin/env python3
"""Change the contracts one small thing at a time, and see whether a test notices.

``.ci/mutants.py --defences``: the list in contracts/mutants/defences.yaml, each with the test that has to fail.
``.ci/mutants.py [--contract NAME] [--sample N] [--seed S]``: generated changes of contracts/src.
``.ci/mutants.py --report``: write docs/mutants.md from what is known.

Generated changes are compiled together, each behind a switch (switches.py); a listed defence is a build of its own.
What is known stands in var/mutants.json, so that an interrupted run goes on where it was.
Exit code 0 if nothing that has to be noticed survived, 1 if something did.
"""

from __future__ import annotations

import argparse
import json
import os
import random
import re
import shutil
import subprocess
import sys
import tempfile
import time
from collections import Counter
from collections.abc import Iterator, Mapping
from concurrent.futures import ThreadPoolExecutor, as_completed
from contextlib import ExitStack
from dataclasses import dataclass, replace
from functools import cache
from pathlib import Path

import switches
import yaml
from testfiles import digest_of, remember, tests_now, text_of

ROOT = Path(__file__).resolve().parent.parent
CONTRACTS = ROOT / "contracts"
DEFENCES = CONTRACTS / "mutants" / "defences.yaml"
SURVIVORS = CONTRACTS / "mutants" / "survivors.yaml"
STATE = ROOT / "var" / "mutants.json"
REPORT = ROOT / "docs" / "mutants.md"
KILLED, SURVIVED, BROKEN = "killed", "survived", "does not compile"
TIMEOUT_S = 300
ALL_TESTS = "test/**/[A-Z]*.t.sol"
# A comparison at its boundary, a condition turned round, arithmetic turned round, a guard taken out.
SWAPS = (
    (r" >= ", " > "),
    (r" <= ", " < "),
    (r" > ", " >= "),
    (r" < ", " <= "),
    (r" == ", " != "),
    (r" != ", " == "),
    (r" && ", " || "),
    (r" \|\| ", " && "),
    (r" \+ ", " - "),
    (r" - ", " + "),
    (r" \* ", " / "),
)
# Compiled without the optimizer, which takes more than half of the time; what measures gas would fail then.
SETTINGS = {"FOUNDRY_OPTIMIZER": "false", "FOUNDRY_INVARIANT_RUNS": "8", "FOUNDRY_LINT_LINT_ON_BUILD": "false"}
ABOUT_GAS = "PolicyGas"
WITH_NODE = [str(ROOT / ".ci" / "with-node")]
GUARD = re.compile(r"^\s*if \(.*\) revert \w.*;$")


@dataclass(frozen=True, slots=True, kw_only=True)
class Mutant:
    """One changed source."""

    name: str
    file: str
    """Below contracts/src."""
    old: str
    new: str
    match_path: str
    """Which test files may notice it, as forge takes it."""
    match_test: str = ""
    answers: str = ""
    line: int = 0
    column: int = 0
    operator: str = ""

    @property
    def changed(self) -> str:
        """The whole source, with the change."""
        text = text_of(CONTRACTS / "src" / self.file)
        if text.count(self.old) != 1:
            raise SystemExit(f"{self.name}: {self.old.strip()!r} stands {text.count(self.old)} times in {self.file}")
        return text.replace(self.old, self.new)

    @property
    def identity(self) -> str:
        """Changes with the source, the change and the test asked for."""
        return digest_of(self.changed, self.match_test)


@dataclass(frozen=True, slots=True)
class Verdict:
    """What came of a change."""

    said: str
    tests: str
    """The test files it hangs on: of a kill the one that noticed, or else all that ran."""


def listed() -> list[Mutant]:
    """Return the defences, each taken out."""
    entries = yaml.safe_load(DEFENCES.read_text())
    return [
        Mutant(
            name=f"{entry['answers']} {entry['test']}",
            file=entry["file"],
            old=entry["old"],
            new=entry.get("new", ""),
            match_path=f"test/{entry['tests']}",
            match_test=f"^{entry['test']}",
            answers=entry["answers"],
        )
        for entry in entries
    ]


def generated(contract: str | None) -> Iterator[Mutant]:
    """Yield small changes of every source of ours, or of one."""
    for path in sorted((CONTRACTS / "src").rglob("*.sol")):
        file = path.relative_to(CONTRACTS / "src").as_posix()
        if file.startswith("interfaces/") or (contract is not None and path.stem != contract):
            continue
        text = text_of(path)
        for number, line in enumerate(text.splitlines(keepends=True), start=1):
            yield from _of_line(file, number, line, unique=text.count(line) == 1)


def _of_line(file: str, number: int, line: str, *, unique: bool) -> Iterator[Mutant]:
    code = line.split("//", maxsplit=1)[0]
    # Only lines that stand once can be found again by their text.
    if not unique or not code.strip() or code.lstrip().startswith(("*", "import", "pragma", "///")):
        return
    where, tests = f"{file}:{number}", _tests_of(Path(file).stem)
    common = Mutant(name=f"{where} without its guard", file=file, old=line, new="", match_path=tests, line=number)
    if GUARD.match(code.rstrip()):
        yield replace(common, column=len(code) - len(code.lstrip()))
    for pattern, other in SWAPS:
        for place, found in enumerate(re.finditer(pattern, code)):
            new = line[: found.start()] + other + line[found.end() :]
            column = len(line[: found.start() + 1].encode())
            name = f"{where}{other}for{found[0]}({place + 1})"
            yield replace(common, name=name, new=new, column=column, operator=other.strip())


@cache
def _tests_of(stem: str) -> str:
    """Return a glob of the test files that name a source, or one that it is part of; System.t.sol always."""
    named, names = {"System"}, re.compile(rf"\bI?({'|'.join(sorted(_wholes_of(stem)))})\b")
    for path in (CONTRACTS / "test").rglob("*.t.sol"):
        if "proofs" not in path.parts and names.search(text_of(path)):
            named.add(path.name.removesuffix(".t.sol"))
    return "test/**/{" + ",".join(sorted(named)) + "}.t.sol"


@cache
def _wholes_of(stem: str) -> frozenset[str]:
    """Return the names of a source and of all that inherit or import it, and so on."""
    importing = re.compile(rf'from "[\w./]*/{stem}\.sol"')
    direct = {path.stem for path in (CONTRACTS / "src").rglob("*.sol") if importing.search(text_of(path))}
    return frozenset({stem}).union(*(_wholes_of(each) for each in direct))


class Bench:
    """A copy of the contracts in which one source at a time is changed; forge compiles only what hangs on it."""

    def __init__(self, folder: Path) -> None:
        self.contracts = folder / "contracts"
        shutil.copytree(CONTRACTS, self.contracts, ignore=shutil.ignore_patterns("out", "cache", "artifacts"))
        shutil.copytree(ROOT / "tests" / "golden", folder / "tests" / "golden")
        (folder / "node_modules").symlink_to(ROOT / "node_modules")
        self._answer_for_the_compiler()

    def _answer_for_the_compiler(self) -> None:
        """Say which compiler it is without loading it: forge asks each time, which takes a third of a run."""
        script = self.contracts / "script" / "solc"
        real = script.rename(script.with_name("solc.js"))
        asked = [*WITH_NODE, "node", str(real), "--version"]
        version = subprocess.run(asked, capture_output=True, text=True, check=True).stdout
        script.write_text(f'#!/bin/sh\n[ "$1" = --version ] || exec "$0.js" "$@"\ncat <<\'END\'\n{version}END\n')
        script.chmod(0o755)

    def judge(self, mutant: Mutant) -> Verdict:
        """Run the tests with one change, and take it back."""
        target = self.contracts / "src" / mutant.file
        original = target.read_text()
        target.write_text(mutant.changed)
        try:
            return self.run(mutant)
        finally:
            target.write_text(original)

    def run(self, mutant: Mutant, switch: int = 0) -> Verdict:
        """Run the tests that may notice a change."""
        command = ["test", "--match-path", mutant.match_path, "--no-match-contract", ABOUT_GAS]
        command += ["--fuzz-runs", "32", "--fail-fast", *switches.turned_on(switch)]
        command += ["--match-test", mutant.match_test] if mutant.match_test else []
        try:
            done = self.forge(command)
        except subprocess.TimeoutExpired:
            # A loop that never ends is noticed by everybody.
            return Verdict(KILLED, mutant.match_path)
        said = done.stdout + done.stderr
        if "Compiler run failed" in said or "Error (" in said:
            return Verdict(BROKEN, mutant.match_path)
        if done.returncode == 0 and "No tests" not in said:
            return Verdict(SURVIVED, mutant.match_path)
        noticed = re.search(r"failing tests? in (\S+):\w+", said)
        if noticed is None:
            raise SystemExit(f"{mutant.name}: forge ran no test:\n{said[-2000:]}")
        return Verdict(KILLED, noticed[1])

    def forge(self, command: list[str], timeout_s: int = TIMEOUT_S) -> subprocess.CompletedProcess[str]:
        """Run forge in the copy."""
        return subprocess.run(
            [*WITH_NODE, str(ROOT / "node_modules" / ".bin" / "forge"), *command],
            cwd=self.contracts,
            env={**os.environ, **SETTINGS},
            capture_output=True,
            text=True,
            timeout=timeout_s,
            check=False,
        )


def put_switches(contracts: Path, mutants: list[Mutant]) -> dict[str, int]:
    """Put changes behind switches, in a copy of the contracts; return the number of each that has one, by name."""
    source, numbers = contracts / "src", {each.name: number for number, each in enumerate(mutants, start=1)}
    placed: set[int] = set()
    for file, tree in switches.syntax_trees(contracts, WITH_NODE).items():
        here = [each for each in mutants if each.file == file]
        changes = [switches.Change(numbers[each.name], each.line, each.column, each.operator) for each in here]
        written, of_file = switches.with_switches((source / file).read_text(), tree, changes)
        (source / file).write_text(switches.with_import(written, file) if of_file else written)
        placed |= of_file
    (source / switches.FILE).write_text(switches.SWITCH)
    return {name: number for name, number in numbers.items() if number in placed}


class Switchboard(Bench):
    """A copy of the contracts with many changes at once, all of them switched off."""

    def __init__(self, folder: Path, mutants: list[Mutant]) -> None:
        super().__init__(folder)
        self.numbers = put_switches(self.contracts, mutants) if mutants else {}
        if not self.numbers:
            return
        # All at once, or each run would compile what is not among its tests.
        self.forge(["build"], timeout_s=900)
        done = self.forge(["test", "--match-path", ALL_TESTS, "--no-match-contract", ABOUT_GAS])
        if done.returncode:
            said = done.stdout + done.stderr
            raise SystemExit(f"with all changes switched off, the tests do not pass:\n{said[-6000:]}")

    def judge(self, mutant: Mutant) -> Verdict:
        """Run the tests with one change switched on; for several changes at once, from one thread each."""
        return self.run(mutant, self.numbers[mutant.name])


def explanations() -> dict[tuple[str, str, str], str]:
    """Return why a change cannot be noticed, by source, line and changed line."""
    entries = yaml.safe_load(SURVIVORS.read_text())
    return {(each["file"], each["old"], each["new"]): " ".join(each["why"].split()) for each in entries}


def why_unnoticed(mutant: Mutant) -> str | None:
    """Return why no test can notice a change, None if nobody said so."""
    return explanations().get((mutant.file, mutant.old.strip(), mutant.new.strip()))


def known() -> dict[str, dict[str, str]]:
    """Return what earlier runs found, by identity."""
    found: dict[str, dict[str, str]] = json.loads(STATE.read_text()) if STATE.exists() else {}
    return found


def verdict_of(mutant: Mutant, state: Mapping[str, Mapping[str, str]]) -> str | None:
    """Return what is known of a change, None if a test that the verdict hangs on is another since."""
    found = state.get(mutant.identity)
    if found is None or found["digest"] != tests_now(found["tests"]):
        return None
    return found["verdict"]


def run(mutants: list[Mutant], jobs: int) -> int:
    """Judge what is not known yet; return how many survived."""
    state, begun = known(), time.monotonic()
    verdicts = {each.name: verdict_of(each, state) for each in mutants}
    unknown = [each for each in mutants if verdicts[each.name] is None]
    _say(f"{len(mutants) - len(unknown)} of {len(mutants)} are known from before")
    with ExitStack() as stack:
        folders = [Path(stack.enter_context(tempfile.TemporaryDirectory())) for _ in range(2)]
        board = Switchboard(folders[0], [each for each in unknown if each.line])
        alone = [each for each in unknown if each.name not in board.numbers]
        together = [each for each in unknown if each.name in board.numbers]
        _say(f"{len(together)} are compiled together, {len(alone)} one by one")
        for each, verdict in [*_judged(board, together, state, jobs), *_judged(Bench(folders[1]), alone, state, 1)]:
            verdicts[each.name] = verdict
    survived = list(verdicts.values()).count(SURVIVED)
    _say(f"{survived} of {len(mutants)} survived, {time.monotonic() - begun:.0f} s")
    return survived


def _judged(
    bench: Bench, mutants: list[Mutant], state: dict[str, dict[str, str]], jobs: int
) -> Iterator[tuple[Mutant, str]]:
    """Yield each change with its verdict, and keep what was found."""
    with ThreadPoolExecutor(jobs) as pool:
        running = {pool.submit(_wide, bench, each): each for each in mutants}
        try:
            for place, done in enumerate(as_completed(running), start=1):
                mutant, found = running[done], done.result()
                kept = {"name": mutant.name, "verdict": found.said, "tests": found.tests}
                state[mutant.identity] = {**kept, "digest": tests_now(found.tests)}
                STATE.parent.mkdir(exist_ok=True)
                STATE.write_text(json.dumps(state, indent=1))
                _say(f"{place}/{len(mutants)} {found.said}: {mutant.name}")
                yield mutant, found.said
        finally:
            pool.shutdown(wait=False, cancel_futures=True)


def _wide(bench: Bench, mutant: Mutant) -> Verdict:
    """Judge a change by the nearest tests and, if they let it pass, by all, which takes five times as long."""
    found = bench.judge(mutant)
    if mutant.answers or found.said != SURVIVED:
        return found
    return bench.judge(replace(mutant, match_path=ALL_TESTS))


def _say(line: str) -> None:
    sys.stdout.write(line + "\n")
    sys.stdout.flush()


def report() -> None:
    """Write what is known of the sources and tests as they stand now."""
    state = known()
    asked = [(mutant, verdict_of(mutant, state)) for mutant in [*listed(), *generated(None)]]
    now = [(mutant, verdict) for mutant, verdict in asked if verdict is not None]
    counts = Counter((mutant.file, verdict) for mutant, verdict in now)
    lines = ["# Mutants", "", "Written by `.ci/mutants.py --report` from the last runs of `make mutants`.", ""]
    lines += ["| source | killed | survived | does not compile |", "|---|---|---|---|"]
    for file in sorted({file for file, _ in counts}):
        lines.append(f"| {file} | {' | '.join(str(counts[file, each]) for each in (KILLED, SURVIVED, BROKEN))} |")
    made = [verdict for mutant, verdict in now if not mutant.answers and verdict != BROKEN]
    listed_killed = sum(bool(mutant.answers) and verdict == KILLED for mutant, verdict in now)
    lines += ["", f"Listed defences taken out: {listed_killed} of {len(listed())} noticed."]
    lines += [f"Generated changes tried and compiled: {made.count(KILLED)} of {len(made)} noticed."]
    left = [mutant for mutant, verdict in now if verdict == SURVIVED]
    told = [f"- `{each.name}`: {why_unnoticed(each) or 'NOT EXPLAINED'}" for each in left]
    lines += ["", "Survived:", "", *told] if left else ["", "None survived."]
    REPORT.write_text("\n".join(lines) + "\n")


def main() -> int:
    """Run what was asked for."""
    parser = argparse.ArgumentParser(description=(__doc__ or "").splitlines()[0])
    parser.add_argument("--defences", action="store_true")
    parser.add_argument("--contract")
    parser.add_argument("--sample", type=int)
    parser.add_argument("--seed", type=int, default=0)
    parser.add_argument("--jobs", type=int, default=os.cpu_count() or 1)
    parser.add_argument("--report", action="store_true")
    asked = parser.parse_args()
    if asked.report:
        report()
        return 0
    remember()
    mutants = listed() if asked.defences else list(generated(asked.contract))
    if asked.sample is not None and asked.sample < len(mutants):
        mutants = random.Random(asked.seed).sample(mutants, asked.sample)  # noqa: S311 - a repeatable choice, no secret
    survived = run(mutants, asked.jobs)
    return 1 if survived and asked.defences else 0


if __name__ == "__main__":
    sys.exit(main())
