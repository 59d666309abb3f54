from __future__ import annotations

import subprocess
import sys

import pytest

from folkmoot.settings import CHECKOUT

PROBE = """
import sys, governance, web3, uagents, sklearn, json
from governance.domain.record import parse_canonical_json
from governance.errors import RecordError
assert sys.getrecursionlimit() == 1000, sys.getrecursionlimit()
try:
    parse_canonical_json(sys.argv[1].encode() * 1_000_000)
except RecordError:
    print("refused")
"""


@pytest.mark.parametrize("opening", ["[", '{"a":'])
def test_deeply_nested_json_is_refused_and_kills_no_process(opening: str) -> None:
    done = subprocess.run(
        [sys.executable, "-c", PROBE, opening], capture_output=True, text=True, cwd=CHECKOUT, check=False
    )

    assert (done.returncode, done.stdout) == (0, "refused\n"), done.stderr
