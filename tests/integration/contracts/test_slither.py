"""What slither says of the contracts, and that it finds a mistake that is there."""

from __future__ import annotations

import subprocess
import sys

import pytest

from folkmoot.settings import CHECKOUT

pytestmark = [pytest.mark.contracts, pytest.mark.provers]


def slither(*arguments: str) -> subprocess.CompletedProcess[str]:
    command = [sys.executable, ".ci/slither.py", *arguments]
    return subprocess.run(command, cwd=CHECKOUT, capture_output=True, text=True, timeout=600, check=False)


def test_no_severe_finding_stands_without_a_reason() -> None:
    done = slither()

    assert done.returncode == 0, done.stdout + done.stderr


def test_a_planted_reentrancy_is_found() -> None:
    done = slither("contracts/test/controls")

    assert done.returncode == 1, done.stdout + done.stderr
    assert "High, reentrancy-eth: Reentrancy in Reentrant.withdraw()" in done.stdout
