"""Starts real agent processes and speaks to them as a stranger would."""

import json
import os
import sqlite3
import subprocess
import sys
import time
import uuid
from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path

import requests
from uagents_core.envelope import Envelope
from uagents_core.models import Model

from agents.net.keys import evm_address_of_public_key, identity_from_key, public_key_of, uagents_address
from agents.protocols.messages import EvaluationReport

HERE = Path(__file__).parent
ROOT = HERE.parents[1]
JSON = {"content-type": "application/json"}


def address_of(key: bytes) -> str:
    return evm_address_of_public_key(public_key_of(key))


def agent_address_of(key: bytes) -> str:
    return uagents_address(public_key_of(key))


def report(msg_id: str, case: str = "0x" + "0" * 64) -> EvaluationReport:
    return EvaluationReport(msg_id=msg_id, case_id=case, facts=[], tx="0x" + "0" * 64)


def wait_for(fact: Callable[[], bool], *, timeout_s: float = 15.0, what: str = "it") -> None:
    end = time.monotonic() + timeout_s
    while not fact():
        assert time.monotonic() < end, f"{what} did not happen within {timeout_s} s"
        time.sleep(0.05)


class TableFile:
    """What the agents read in place of AgentRegistry."""

    def __init__(self, path: Path) -> None:
        self.path = path
        self.rows: dict[str, list[object]] = {}
        self._write()

    def put(self, key: bytes, endpoint: str, *, active: bool = True) -> None:
        self.rows[address_of(key)] = [public_key_of(key).hex(), endpoint, active]
        self._write()

    def _write(self) -> None:
        fresh = self.path.with_suffix(".new")
        fresh.write_text(json.dumps(self.rows))
        fresh.replace(self.path)


@dataclass
class Peer:
    """One running agent process."""

    process: subprocess.Popen[str]
    port: int
    home: Path

    @property
    def url(self) -> str:
        return f"http://127.0.0.1:{self.port}"

    @classmethod
    def start(cls, script: str, *arguments: object, home: Path) -> "Peer":
        command = [sys.executable, str(HERE / script), *(str(argument) for argument in arguments)]
        log = (home.parent / f"{home.name}.log").open("a")
        process = subprocess.Popen(
            command, stdout=subprocess.PIPE, stderr=log, text=True, env={**os.environ, "PYTHONPATH": str(ROOT)}
        )
        assert process.stdout is not None
        line = process.stdout.readline()
        assert line, (home.parent / f"{home.name}.log").read_text()
        return cls(process, json.loads(line)["port"], home)

    def noted(self) -> dict[str, int]:
        with sqlite3.connect(self.home / "mail.sqlite", timeout=10) as database:
            return dict(database.execute("SELECT msg_id, times FROM noted"))

    def outgoing(self) -> int:
        with sqlite3.connect(self.home / "mail.sqlite", timeout=10) as database:
            return int(database.execute("SELECT COUNT(*) FROM mail_outgoing").fetchone()[0])

    def kill(self) -> None:
        self.process.kill()
        self.process.wait(10)

    def stop(self) -> int:
        self.process.terminate()
        return self.process.wait(15)


def envelope(
    message: Model | str,
    *,
    key: bytes,
    target: str,
    sender: str = "",
    schema: str = "",
    expires_in_s: int | None = 30,
    nonce: int | None = None,
    signed: bool = True,
) -> Envelope:
    """An envelope as a peer would make it, or as an attacker would."""
    identity = identity_from_key(key)
    made = Envelope(
        version=1,
        sender=sender or identity.address,
        target=target,
        session=uuid.uuid4(),
        schema_digest=schema or Model.build_schema_digest(message),
        expires=None if expires_in_s is None else int(time.time()) + expires_in_s,
        nonce=nonce,
    )
    made.encode_payload(message if isinstance(message, str) else message.json())
    if signed:
        made.sign(identity)
    return made


def post(peer: Peer, body: Envelope | bytes | str, headers: dict[str, str] | None = None) -> int:
    data = body.model_dump_json() if isinstance(body, Envelope) else body
    answer = requests.post(f"{peer.url}/submit", data=data, headers={**JSON, **(headers or {})}, timeout=20)
    return answer.status_code
