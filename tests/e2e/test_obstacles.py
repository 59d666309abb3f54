"""What stands in the way of a demonstration: one clear sentence each, and an honest exit code."""

from __future__ import annotations

import signal
import subprocess
import sys
from collections.abc import Iterator
from pathlib import Path

import pytest

from folkmoot import processes
from folkmoot.demo.run import stop
from folkmoot.devnet import Devnet, NotRunning
from folkmoot.home import Home
from folkmoot.settings import CHECKOUT, child_environment
from tests.e2e.short_network import ShortNetwork, wait_until
from tests.limits import limited
from tests.one_sentence import assert_one_sentence

pytestmark = [pytest.mark.chain]


def demonstrate(
    root: Path, *, file_bytes: int | None = None, obey_permissions: bool = False, **environment: str
) -> subprocess.CompletedProcess[str]:
    command = [sys.executable, "-m", "folkmoot", "demo", "--home", str(root)]
    return subprocess.run(
        limited(command, file_bytes=file_bytes, obey_permissions=obey_permissions),
        capture_output=True,
        text=True,
        timeout=120,
        env=child_environment(PYTHONDONTWRITEBYTECODE="1", **environment),
        cwd=CHECKOUT,
        check=False,
    )


@pytest.fixture
def short(tmp_path: Path) -> Iterator[ShortNetwork]:
    network = ShortNetwork.prepare(tmp_path, rounds=1)
    yield network
    network.close()


def test_without_anvil_the_demonstration_says_what_to_install(home: Home) -> None:
    done = demonstrate(home.root, ANVIL="/nowhere/anvil")

    assert_one_sentence(done, "/nowhere/anvil", "ANVIL")


def test_with_a_foreign_network_the_demonstration_says_what_to_unset(home: Home) -> None:
    done = demonstrate(home.root, FOLKMOOT_RPC="http://127.0.0.1:9")

    assert_one_sentence(done, "unset FOLKMOOT_RPC")


@pytest.mark.parametrize("kilobytes", [0, 100])
def test_a_full_disk_ends_the_demonstration_with_one_sentence(home: Home, kilobytes: int) -> None:
    # With none it ends at once, with 100 midway.
    try:
        done = demonstrate(home.root, file_bytes=kilobytes * 1000)

        assert_one_sentence(done, "the disk is full")
        assert_nothing_runs(home)
    finally:
        stop(home, Devnet(home))


def test_a_read_only_folder_ends_the_demonstration_with_one_sentence(tmp_path: Path) -> None:
    folder = tmp_path / "read-only"
    folder.mkdir(mode=0o555)

    done = demonstrate(folder / "home", obey_permissions=True)

    assert_one_sentence(done, "read-only", "--home")


def test_a_second_demonstration_in_one_home_leaves_the_first_alone(short: ShortNetwork) -> None:
    first = short.demonstrate()
    wait_until(lambda: "the development chain is up" in short.said(), seconds=60)

    second = demonstrate(short.home.root)

    assert_one_sentence(second, f"another demonstration (process {first.pid}) runs in {short.home.root}")
    assert first.poll() is None
    assert Devnet(short.home).status().block >= 0


def test_a_demonstration_killed_half_way_starts_over_and_keeps_the_old_home(short: ShortNetwork) -> None:
    killed = short.demonstrate()
    wait_until(lambda: len(processes.running(short.home)) == 14, seconds=120)
    killed.kill()
    killed.wait()
    left = [process.pid for process in processes.running(short.home)]
    old, chain_id = Home.at(short.home.root.with_name("home.old")), Devnet(short.home).info().chain_id

    again = short.demonstrate()
    wait_until(lambda: f"kept as {old.root}" in short.said(), seconds=60)
    wait_until(short.home.devnet_file.exists, seconds=60)

    assert len(left) == 14
    assert not any(processes.is_running(pid) for pid in left)
    assert (old.agent("cleveland") / "data" / "training.csv").exists()
    assert_nothing_runs(old)
    assert Devnet(short.home).info().chain_id != chain_id
    assert again.poll() is None


def test_an_interrupted_demonstration_leaves_nothing_running(short: ShortNetwork) -> None:
    script = short.demonstrate()
    wait_until(lambda: len(processes.running(short.home)) == 14, seconds=120)

    script.send_signal(signal.SIGINT)
    code = script.wait(timeout=60)

    assert code == 130
    assert "interrupted" in short.said()
    assert "Traceback" not in short.said()
    assert_nothing_runs(short.home)
    agent = short.command("agent", "run", str(short.config("cleveland")))
    assert_one_sentence(agent, "cleveland", "folkmoot up")


def assert_nothing_runs(home: Home) -> None:
    assert processes.running(home) == ()
    with pytest.raises(NotRunning):
        Devnet(home).status()
