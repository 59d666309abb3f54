#!/usr/bin/env python3
"""Attack all invariants of the contracts with many random calls, and say how many there were.

``.ci/fuzz.py CALLS``: at least so many calls in all campaigns together; exit code 1 if there were fewer, or an
invariant or fuzz test broke.
"""

from __future__ import annotations

import os
import re
import subprocess
import sys
import time
from pathlib import Path

ROOT = Path(__file__).resolve().parent.parent
DEPTH = 128
INVARIANT = re.compile(r"function invariant_\w+")
CALLS = re.compile(r"calls: (\d+)")


def main() -> int:
    """Run forge and count."""
    asked, begun = int(sys.argv[1]), time.monotonic()
    campaigns = sum(len(INVARIANT.findall(path.read_text())) for path in (ROOT / "contracts" / "test").rglob("*.sol"))
    # Forge may share one campaign among the invariants of a contract, and then counts it once for each of them.
    runs = -(-asked // (campaigns * DEPTH)) + 1
    settings = {
        "FOUNDRY_FUZZ_RUNS": "5000",
        "FOUNDRY_INVARIANT_RUNS": str(runs),
        "FOUNDRY_INVARIANT_DEPTH": str(DEPTH),
    }
    command = [str(ROOT / ".ci" / "with-node"), str(ROOT / ".ci" / "forge"), "test"]
    done = subprocess.run(
        command, cwd=ROOT / "contracts", env={**os.environ, **settings}, stdout=subprocess.PIPE, text=True, check=False
    )
    sys.stdout.write(done.stdout)
    calls = sum(int(count) for count in CALLS.findall(done.stdout))
    sys.stdout.write(
        f"{calls:,} calls in {campaigns} invariants, {time.monotonic() - begun:.0f} s; asked were {asked:,}\n"
    )
    return done.returncode or (1 if calls < asked else 0)


if __name__ == "__main__":
    sys.exit(main())
