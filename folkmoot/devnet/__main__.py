"""``python -m folkmoot.devnet HOME [PORT]``: run the supervisor; ``Devnet.start`` does this.

The first line on standard output says how the start went, for the process that waits for it.
After it, everything goes to the log.
"""

from __future__ import annotations

import json
import logging
import os
import sys
from collections.abc import Callable
from dataclasses import asdict
from pathlib import Path

from folkmoot.devnet.folder import ChainFolder
from folkmoot.devnet.info import DevnetInfo
from folkmoot.devnet.supervisor import Supervisor, own
from folkmoot.files import explain_os_error
from folkmoot.home import Home
from folkmoot.settings import read_settings
from governance.errors import FolkmootError


def main() -> int:
    """Run until told to stop, and return the exit code."""
    home = Home.at(Path(sys.argv[1]))
    port = int(sys.argv[2]) if len(sys.argv) > 2 else None
    folder = ChainFolder(home)
    try:
        with own(folder, wait_s=3.0):
            logging.basicConfig(filename=folder.log, level=logging.INFO, format="%(asctime)s %(message)s")
            Supervisor(home, read_settings(), port=port).run(_say_ready(folder.log))
    except (FolkmootError, OSError) as error:
        words = explain_os_error(error, str(home.root)) if isinstance(error, OSError) else error
        logging.exception("%s", words)  # noqa: LOG015 - the process edge
        _say({"error": str(words), "kind": type(error).__name__})
        return 1
    except Exception:
        logging.exception("the supervisor failed")  # noqa: LOG015 - the process edge
        _say({"error": f"the supervisor failed; see {folder.log}", "kind": "DevnetError"})
        return 1
    return 0


def _say_ready(log: Path) -> Callable[[DevnetInfo], None]:
    def ready(info: DevnetInfo) -> None:
        _say(asdict(info))
        # The process that started us goes on without us: its pipe is about to close.
        handle = os.open(log, os.O_WRONLY | os.O_APPEND)
        os.dup2(handle, 1)
        os.dup2(handle, 2)

    return ready


def _say(message: dict[str, object]) -> None:
    print(json.dumps(message), flush=True)  # noqa: T201 - the waiting process reads it


if __name__ == "__main__":
    sys.exit(main())
