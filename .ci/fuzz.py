#!/usr/bin/env python3
"""Attack all invariants of the contracts with many random calls, and say how many there were.

``.ci/fuzz.py CALLS``: at least so many calls in all suites together, from another seed each time, which it prints;
exit code 1 if there were fewer, or an invariant or fuzz test broke.
"""

from __future__ import annotations

import os
import re
import secrets
import subprocess
import sys
import time
from pathlib import Path

ROOT = Path(__file__).resolve().parent.parent
DEPTH = 128
SUITE = re.compile(r"^contract \w+InvariantTest\b", re.MULTILINE)
RAN = re.compile(r"^Ran \d+ tests? for (\S+)|calls: (\d+), reverts: (\d+)", re.MULTILINE)


def counted(said: str) -> tuple[int, int]:
    """Return the calls, and how many of them reverted, of what forge said.

    The invariants of one contract are tried on the same random calls again and again: these count once.
    """
    suites: dict[str, tuple[int, int]] = {}
    suite = ""
    for name, calls, reverts in RAN.findall(said):
        if name:
            suite = name
        else:
            suites[suite] = max(suites.get(suite, (0, 0)), (int(calls), int(reverts)))
    return sum(calls for calls, _ in suites.values()), sum(reverts for _, reverts in suites.values())


def main() -> int:
    """Run forge and count."""
    asked, begun = int(sys.argv[1]), time.monotonic()
    suites = sum(len(SUITE.findall(path.read_text())) for path in (ROOT / "contracts" / "test").rglob("*.sol"))
    settings = {
        "FOUNDRY_FUZZ_RUNS": "5000",
        "FOUNDRY_FUZZ_SEED": hex(secrets.randbits(64)),
        "FOUNDRY_INVARIANT_RUNS": str(-(-asked // (suites * DEPTH))),
        "FOUNDRY_INVARIANT_DEPTH": str(DEPTH),
    }
    command = [str(ROOT / ".ci" / "with-node"), str(ROOT / ".ci" / "forge"), "test"]
    sys.stdout.write(f"FOUNDRY_FUZZ_SEED={settings['FOUNDRY_FUZZ_SEED']}\n")
    sys.stdout.flush()
    done = subprocess.run(
        command, cwd=ROOT / "contracts", env={**os.environ, **settings}, stdout=subprocess.PIPE, text=True, check=False
    )
    sys.stdout.write(done.stdout)
    calls, reverts = counted(done.stdout)
    sys.stdout.write(
        f"{calls:,} random calls in {suites} suites, {reverts:,} of them refused; "
        f"asked were {asked:,}; {time.monotonic() - begun:.0f} s\n"
    )
    return done.returncode or (1 if calls < asked else 0)


if __name__ == "__main__":
    sys.exit(main())
