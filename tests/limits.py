"""Runs a command under limits, set by a small program that then becomes the command.

A function between fork and exec would run in a copy of the test process, where a library with
threads (gRPC, which uagents brings) may end it before the command begins.
"""

from __future__ import annotations

import sys

_PROGRAM = """
import ctypes, os, resource, sys
file_bytes, permissions = int(sys.argv[1]), sys.argv[2] == "obey"
if file_bytes >= 0:
    # The system's file size limit looks to us like a disk without space.
    resource.setrlimit(resource.RLIMIT_FSIZE, (file_bytes, file_bytes))
if permissions and os.geteuid() == 0:
    # Root writes where it likes unless it drops CAP_DAC_OVERRIDE from its bounding set.
    ctypes.CDLL(None).prctl(24, 1)
os.execv(sys.argv[3], sys.argv[3:])
"""


def limited(command: list[str], *, file_bytes: int | None = None, obey_permissions: bool = False) -> list[str]:
    """Return the command that runs ``command`` with files of at most so many bytes, or without root's override."""
    size = -1 if file_bytes is None else file_bytes
    return [sys.executable, "-c", _PROGRAM, str(size), "obey" if obey_permissions else "-", *command]
