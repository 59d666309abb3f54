"""A line-by-line exchange with the training child: start, deadline, crash, kill."""

import contextlib
import os
import selectors
import subprocess
import sys
import time
from pathlib import Path

import agents
from agents.training.errors import ChildError

MAX_MESSAGE_BYTES = 10_000_000
CHUNK_BYTES = 1 << 16
ENVIRONMENT = {
    # One thread: a dozen agents share the machine, and sums come out the same.
    "OMP_NUM_THREADS": "1",
    "OPENBLAS_NUM_THREADS": "1",
    "MKL_NUM_THREADS": "1",
    # joblib would try to make a semaphore, which is a file.
    "JOBLIB_MULTIPROCESSING": "0",
    "PYTHONHASHSEED": "0",
    "LC_ALL": "C.UTF-8",
    "PATH": "/usr/bin:/bin",
}


class ChildCrashError(ChildError):
    """The child ended, or answered what cannot be an answer; asking again is harmless."""


class ChildTimeoutError(ChildError):
    """The child did not answer in time and was killed."""


class ChildProcess:
    """The process behind a training child; started when needed, and again after it ended."""

    def __init__(self, configuration: bytes, *, timeout_s: float) -> None:
        self._configuration = configuration
        self._timeout_s = timeout_s
        self._process: subprocess.Popen[bytes] | None = None

    @property
    def pid(self) -> int | None:
        """Process id, ``None`` while there is no process."""
        return self._process.pid if self._process else None

    def exchange(self, line: bytes) -> bytes:
        """Send one line and return the line that answers it.

        Raises
        ------
        ChildCrashError
            If the child ended before it answered.
        ChildTimeoutError
            If it took too long; it was killed.
        """
        process = self._running()
        deadline = time.monotonic() + self._timeout_s
        if process.stdin is None or process.stdout is None:
            raise ChildCrashError("the child has no pipes")
        received, sent = bytearray(), 0
        with selectors.DefaultSelector() as selector:
            selector.register(process.stdin, selectors.EVENT_WRITE)
            selector.register(process.stdout, selectors.EVENT_READ)
            while not received.endswith(b"\n"):
                ready = selector.select(max(0.0, deadline - time.monotonic()))
                if not ready:
                    raise ChildTimeoutError(f"no answer in {self._timeout_s:g} s; killed")
                for key, _ in ready:
                    if key.fileobj is process.stdout:
                        received += _read(process, received)
                    elif sent < len(line):
                        sent += _write(process, line[sent : sent + CHUNK_BYTES])
                    else:
                        selector.unregister(process.stdin)
        return bytes(received)

    def stop(self) -> None:
        """Kill the process if there is one."""
        if self._process is None:
            return
        self._process.kill()
        for pipe in (self._process.stdin, self._process.stdout):
            if pipe is not None:
                with contextlib.suppress(OSError):
                    pipe.close()
        self._process.wait()
        self._process = None

    def _running(self) -> subprocess.Popen[bytes]:
        if self._process is None or self._process.poll() is not None:
            self.stop()
            self._process = _start(self._configuration)
        return self._process


def _start(configuration: bytes) -> subprocess.Popen[bytes]:
    root = Path(str(agents.__file__)).resolve().parent.parent
    command = [sys.executable, "-P", "-s", "-B", "-m", "agents.training.child"]
    try:
        process = subprocess.Popen(
            command,
            stdin=subprocess.PIPE,
            stdout=subprocess.PIPE,
            stderr=subprocess.DEVNULL,
            # Nothing of the agent's environment: it may name keys, tokens, or endpoints.
            env=ENVIRONMENT | {"PYTHONPATH": str(root)},
            # Not the agent's home, where its keys lie.
            cwd="/",
            bufsize=0,
        )
    except OSError as error:
        raise ChildError(f"the training child cannot be started ({command[0]}): {error}") from error
    for pipe in (process.stdin, process.stdout):
        if pipe is not None:
            os.set_blocking(pipe.fileno(), False)
    with contextlib.suppress(OSError):
        _write(process, configuration)
    return process


def _read(process: subprocess.Popen[bytes], received: bytearray) -> bytes:
    chunk = process.stdout.read(CHUNK_BYTES) if process.stdout else b""
    if not chunk:
        raise ChildCrashError(f"the child ended with code {_code(process)} before it answered")
    if len(received) + len(chunk) > MAX_MESSAGE_BYTES:
        raise ChildCrashError(f"an answer over {MAX_MESSAGE_BYTES} bytes; killed")
    return chunk


def _write(process: subprocess.Popen[bytes], chunk: bytes) -> int:
    try:
        return (process.stdin.write(chunk) or 0) if process.stdin else 0
    except BrokenPipeError as error:
        raise ChildCrashError(f"the child ended with code {_code(process)}") from error


def _code(process: subprocess.Popen[bytes]) -> str:
    try:
        code = process.wait(timeout=5)
    except subprocess.TimeoutExpired:
        return "unknown"
    # Negative: a signal; 9 is what the kernel sends when memory runs out.
    return str(code)
