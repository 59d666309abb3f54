"""What the demonstration says while it runs: a line for each event, and a clock that shows it is alive."""

from __future__ import annotations

import time
from types import TracebackType
from typing import Self

from rich.console import Console
from rich.markup import escape
from rich.status import Status


class Progress:
    """Prints each line with the seconds since the start; the newest stays beside a spinner."""

    def __init__(self, console: Console) -> None:
        self._console = console
        self._status: Status = console.status("starting")
        self._started = time.monotonic()

    def __enter__(self) -> Self:
        self._status.start()
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        self._status.stop()

    def tell(self, line: str) -> None:
        """Say one line."""
        elapsed = time.monotonic() - self._started
        self._console.print(f"[dim]{elapsed:6.1f} s[/dim]  {escape(line)}", highlight=False)
        self._status.update(escape(line))
