"""The command line: finds the commands, and turns every failure into one clear sentence."""

from __future__ import annotations

import importlib
import pkgutil
import sys
import tempfile
import traceback
from pathlib import Path

import typer

import folkmoot.commands
from folkmoot.files import explain_os_error
from governance.errors import FolkmootError

INTERRUPTED = 130
STOPPED = "interrupted; nothing was lost, run the command again"

app = typer.Typer(
    name="folkmoot",
    help="A self-governing network for training models on data that nobody hands over.",
    no_args_is_help=True,
    add_completion=False,
    pretty_exceptions_enable=False,
    rich_markup_mode="rich",
)


def load_commands() -> typer.Typer:
    """Let every module of ``folkmoot.commands`` register its commands, in order of name."""
    for module in sorted(found.name for found in pkgutil.iter_modules(folkmoot.commands.__path__)):
        importlib.import_module(f"folkmoot.commands.{module}").register(app)
    return app


def main() -> None:
    """Run the command line; the process ends with the command's exit code."""
    try:
        load_commands()()
    except FolkmootError as error:
        _fail(str(error))
    except KeyboardInterrupt:
        _say(STOPPED)
        raise SystemExit(INTERRUPTED) from None
    except SystemExit as ended:
        # Typer turns Ctrl-C into this exit code, and says nothing.
        if ended.code == INTERRUPTED:
            _say(STOPPED)
        raise
    except OSError as error:
        _fail(explain_os_error(error, "a file"))
    except Exception:  # noqa: BLE001 - the process edge: the operator gets a sentence
        _fail(f"this is a fault of ours; please report it with the file {_keep_traceback()}")


def _keep_traceback() -> Path:
    with tempfile.NamedTemporaryFile("w", prefix="folkmoot-fault-", suffix=".txt", delete=False) as file:
        traceback.print_exc(file=file)
    return Path(file.name)


def _fail(sentence: str) -> None:
    _say(sentence)
    raise SystemExit(1) from None


def _say(sentence: str) -> None:
    sys.stderr.write(f"folkmoot: {sentence}\n")
