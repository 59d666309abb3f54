"""What an operator reads when something is in the way."""

from __future__ import annotations

import subprocess

NOTES = ("development chain:", "The owners' noise is seeded")


def assert_one_sentence(done: subprocess.CompletedProcess[str], *words: str) -> None:
    """Assert exit code 1, one sentence on standard error with these words, and no traceback."""
    lines = [line for line in done.stderr.splitlines() if line and not line.startswith(NOTES)]
    assert done.returncode == 1, done
    assert len(lines) == 1, done.stderr
    assert lines[0].startswith("folkmoot: ")
    for word in words:
        assert word in lines[0]
    assert "Traceback" not in done.stdout + done.stderr
