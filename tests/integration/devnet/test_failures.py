"""What an operator reads when something is in the way: one clear sentence, and the right exit code."""

from __future__ import annotations

import subprocess
import sys
from pathlib import Path

import pytest

from folkmoot.home import Home
from folkmoot.settings import CHECKOUT, child_environment
from tests.limits import limited

pytestmark = pytest.mark.chain


def folkmoot(
    *arguments: str, file_bytes: int | None = None, obey_permissions: bool = False, **environment: str
) -> subprocess.CompletedProcess[str]:
    command = [sys.executable, "-m", "folkmoot", *arguments]
    return subprocess.run(
        limited(command, file_bytes=file_bytes, obey_permissions=obey_permissions),
        capture_output=True,
        text=True,
        timeout=60,
        env=child_environment(**environment),
        cwd=CHECKOUT,
        check=False,
    )


def assert_one_sentence(done: subprocess.CompletedProcess[str], *words: str) -> None:
    lines = [line for line in done.stderr.splitlines() if line and not line.startswith("development chain:")]
    assert done.returncode == 1, done
    assert len(lines) == 1, done.stderr
    assert lines[0].startswith("folkmoot: ")
    for word in words:
        assert word in lines[0]
    assert "Traceback" not in done.stdout + done.stderr


def test_without_anvil_up_says_what_to_install(home: Home) -> None:
    done = folkmoot("up", "--home", str(home.root), ANVIL="/nowhere/anvil")

    assert_one_sentence(done, "/nowhere/anvil", "ANVIL")


def test_a_program_that_is_no_anvil_is_named(home: Home) -> None:
    done = folkmoot("up", "--home", str(home.root), ANVIL="/bin/false")

    assert_one_sentence(done, "anvil did not start")


def test_a_full_disk_is_said_in_one_sentence(home: Home) -> None:
    done = folkmoot("up", "--home", str(home.root), file_bytes=0)

    assert_one_sentence(done, "the disk is full")


def test_a_read_only_home_is_said_in_one_sentence(home: Home) -> None:
    home.root.chmod(0o555)
    try:
        done = folkmoot("up", "--home", str(home.root), obey_permissions=True, PYTHONDONTWRITEBYTECODE="1")
    finally:
        home.root.chmod(0o755)

    assert_one_sentence(done, "read-only", "--home")


def test_a_home_below_a_file_is_said_in_one_sentence(tmp_path: Path) -> None:
    (tmp_path / "file").write_text("")

    done = folkmoot("up", "--home", str(tmp_path / "file" / "home"))

    assert_one_sentence(done, "cannot write")


def test_status_of_a_home_that_is_down_names_the_command(home: Home) -> None:
    done = folkmoot("status", "--home", str(home.root))

    assert_one_sentence(done, "is down", "folkmoot up")


def test_a_foreign_network_that_does_not_answer_is_named(home: Home) -> None:
    done = folkmoot("status", "--home", str(home.root), FOLKMOOT_RPC="http://127.0.0.1:9")

    assert_one_sentence(done, "http://127.0.0.1:9")


def test_time_of_a_foreign_network_is_not_moved(home: Home) -> None:
    done = folkmoot("devnet", "advance", "5", "--home", str(home.root), FOLKMOOT_RPC="http://127.0.0.1:9")

    assert_one_sentence(done, "FOLKMOOT_RPC", "development chain only")


def test_a_setting_out_of_range_is_named(home: Home) -> None:
    done = folkmoot("up", "--home", str(home.root), FOLKMOOT_IDLE_BLOCK_S="11")

    assert_one_sentence(done, "FOLKMOOT_IDLE_BLOCK_S", "'11'")


def test_a_damaged_journal_names_the_line_and_the_way_back(home: Home) -> None:
    folkmoot("up", "--home", str(home.root))
    folkmoot("devnet", "advance", "5", "--home", str(home.root))
    folkmoot("down", "--home", str(home.root))
    journal = home.chain / "epoch-0" / "journal.jsonl"
    lines = journal.read_text().splitlines()
    journal.write_text("\n".join(["{}", *lines[1:]]) + "\n")

    done = folkmoot("up", "--home", str(home.root))

    assert_one_sentence(done, "line 1", "folkmoot devnet restore")
    restored = folkmoot("devnet", "restore", snapshot_of(home), "--home", str(home.root))
    assert "every signature made for the old id is void" in restored.stdout
    assert folkmoot("up", "--home", str(home.root)).returncode == 0
    assert folkmoot("down", "--home", str(home.root)).returncode == 0


def snapshot_of(home: Home) -> str:
    return next((home.chain / "epoch-0").glob("*.state")).stem
