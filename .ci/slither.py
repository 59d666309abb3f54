#!/usr/bin/env python3
"""Run slither on the contracts; fail on every high or medium finding that no reason accepts.

``.ci/slither.py [FOLDER]``: FOLDER with Solidity sources, else contracts/src.
Exit code 0 for no such finding, 1 for at least one, 2 if slither could not work.
"""

from __future__ import annotations

import json
import os
import re
import shutil
import subprocess
import sys
import tempfile
from dataclasses import dataclass
from pathlib import Path

import yaml

ROOT = Path(__file__).resolve().parent.parent
SLITHER = ROOT / ".venv-prove" / "bin" / "slither"
ACCEPTED = ROOT / "contracts" / "slither-accepted.yaml"
SEVERE = ("High", "Medium")


class CannotWork(Exception):
    """slither said nothing, or what it said is known to be incomplete."""


@dataclass(frozen=True, slots=True)
class Finding:
    """One thing that slither saw."""

    check: str
    impact: str
    text: str

    @property
    def sentence(self) -> str:
        """The text without line numbers, which every edit moves."""
        return re.sub(r" \([^()]*\.sol#[\d-]+\)", "", self.text).strip()


def findings(sources: Path) -> list[Finding]:
    """Return everything that slither finds in the sources below a folder."""
    with tempfile.TemporaryDirectory() as name:
        out, report = Path(name) / "out", Path(name) / "report.json"
        build = [*_node(), "contracts/script/buildinfo.js", str(sources), str(out / "build-info")]
        if subprocess.run(build, cwd=ROOT, check=False).returncode:
            raise CannotWork("the sources do not compile")
        command = [str(SLITHER), ".", "--ignore-compile", "--foundry-out-directory", str(out)]
        command += ["--filter-paths", "node_modules", "--exclude-informational", "--exclude-optimization"]
        command += ["--json", str(report)]
        folder = ROOT / "contracts"
        done = subprocess.run(command, cwd=folder, env=_with_forge(), capture_output=True, text=True, check=False)
        if not report.exists():
            raise CannotWork(done.stdout + done.stderr)
        _refuse_gaps(done.stderr)
        results = json.loads(report.read_text())["results"].get("detectors", [])
    return [Finding(each["check"], each["impact"], each["description"]) for each in results]


def _refuse_gaps(said: str) -> None:
    """With a base contract that it cannot resolve slither goes on, and misses what stands there."""
    gaps = [line for line in said.splitlines() if line.startswith(("Failed to resol", "Missing "))]
    if gaps:
        raise CannotWork(f"slither did not understand {len(gaps)} names, so it proves nothing; the first: {gaps[0]}")


def _with_forge() -> dict[str, str]:
    # slither asks forge for the project's folders.
    return {**os.environ, "PATH": f"{ROOT / 'node_modules' / '.bin'}{os.pathsep}{os.environ['PATH']}"}


def _node() -> list[str]:
    return ["node"] if shutil.which("node") else [str(ROOT / ".ci" / "with-node"), "node"]


def unaccepted(found: list[Finding], accepted: list[dict[str, str]]) -> tuple[list[Finding], list[dict[str, str]]]:
    """Return the severe findings that no entry accepts, and the entries that accept none."""
    used: set[int] = set()
    left = []
    for finding in found:
        fits = [
            number
            for number, entry in enumerate(accepted)
            if entry["check"] == finding.check and re.search(entry["where"], finding.sentence)
        ]
        used.update(fits)
        if finding.impact in SEVERE and not fits:
            left.append(finding)
    return left, [entry for number, entry in enumerate(accepted) if number not in used]


def main() -> int:
    """Print what is left, and return the exit code."""
    sources = Path(sys.argv[1]).resolve() if len(sys.argv) > 1 else ROOT / "contracts" / "src"
    accepted = yaml.safe_load(ACCEPTED.read_text())
    try:
        found = findings(sources)
    except CannotWork as problem:
        sys.stderr.write(f"{problem}\n")
        return 2
    left, stale = unaccepted(found, accepted)
    for finding in left:
        sys.stdout.write(f"{finding.impact}, {finding.check}: {finding.text.strip()}\n\n")
    for entry in stale if len(sys.argv) == 1 else ():
        sys.stdout.write(f"accepts nothing any more, remove it: {entry['check']} {entry['where']}\n")
    severe = sum(finding.impact in SEVERE for finding in found)
    sys.stdout.write(
        f"slither: {len(found)} findings, {severe} high or medium, {len(left)} of these without a reason\n"
    )
    return 1 if left else 0


if __name__ == "__main__":
    sys.exit(main())
