from __future__ import annotations

import subprocess
import sys

import pytest
import typer
from typer.testing import CliRunner

from folkmoot import cli
from folkmoot.settings import CHECKOUT
from governance.errors import FolkmootError

HEAVY = ("web3", "sklearn", "pandas", "numpy", "streamlit", "uagents", "langchain", "sqlmodel", "eth_account")


def run_main(monkeypatch: pytest.MonkeyPatch, raised: BaseException) -> int:
    def fail() -> typer.Typer:
        raise raised

    monkeypatch.setattr(cli, "load_commands", fail)
    with pytest.raises(SystemExit) as ended:
        cli.main()
    return int(str(ended.value.code))


def test_a_foreseen_failure_is_one_sentence(
    monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    code = run_main(monkeypatch, FolkmootError("the chain is down; start it"))

    assert (code, capsys.readouterr().err) == (1, "folkmoot: the chain is down; start it\n")


def test_a_fault_of_ours_keeps_its_traceback_in_a_file(
    monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    code = run_main(monkeypatch, ZeroDivisionError("planted"))

    said = capsys.readouterr().err
    assert code == 1
    assert "Traceback" not in said
    with open(said.split()[-1]) as file:  # noqa: PTH123 - a path out of a sentence
        assert "ZeroDivisionError: planted" in file.read()


def test_an_interruption_ends_with_its_own_code(monkeypatch: pytest.MonkeyPatch) -> None:
    assert run_main(monkeypatch, KeyboardInterrupt()) == cli.INTERRUPTED


def test_help_imports_nothing_heavy() -> None:
    probe = "import sys, folkmoot.cli as c; c.load_commands(); print([m for m in sys.argv[1:] if m in sys.modules])"

    done = subprocess.run(
        [sys.executable, "-c", probe, *HEAVY], capture_output=True, text=True, cwd=CHECKOUT, check=True
    )

    assert done.stdout.strip() == "[]"


def _leaves(command: object, path: tuple[str, ...] = ()) -> list[tuple[tuple[str, ...], object]]:
    children = getattr(command, "commands", None)
    if children is None:
        return [(path, command)]
    return [leaf for name, child in children.items() for leaf in _leaves(child, (*path, name))]


@pytest.mark.parametrize(
    "path", [path for path, _ in _leaves(typer.main.get_command(cli.load_commands()))], ids=" ".join
)
def test_every_command_has_help_with_an_example_and_a_home(path: tuple[str, ...]) -> None:
    shown = CliRunner().invoke(cli.app, [*path, "--help"], env={"COLUMNS": "200"}).output

    assert "Example: folkmoot" in shown
    assert "--home" in shown
