"""A real agent process for the tests: notes every EvaluationReport it is sent.

Usage: net_peer.py KEY_HEX HOME TABLE_JSON PORT [SEND_TO,SEND_TO COUNT]
"""

import json
import logging
import os
import sys
from itertools import product
from pathlib import Path

from sqlmodel import Field, Session, SQLModel

from agents.net.agent import NetAgent, NetSettings
from agents.net.artifacts import PublicStore
from agents.net.directory import AgentEntry, CachedDirectory, DirectoryTimes
from agents.net.gate import GateLimits
from agents.net.lanes import LaneLimits
from agents.net.lock import KeyLock
from agents.net.mailbox import Mailbox
from agents.net.post import PostOffice
from agents.net.replay import ReplayGuard
from agents.protocols.messages import EvaluationReport


class Noted(SQLModel, table=True):
    __tablename__ = "noted"

    msg_id: str = Field(primary_key=True)
    times: int = 0


class TableFile:
    """Stands for AgentRegistry: a JSON file {address: [public key, endpoint, active]}."""

    def __init__(self, path: Path) -> None:
        self._path = path

    def find(self, agent: str) -> AgentEntry | None:
        row = json.loads(self._path.read_text()).get(agent)
        return AgentEntry(bytes.fromhex(row[0]), row[1], row[2]) if row else None


def note(session: Session, _sender: str, message: EvaluationReport) -> None:
    row = session.get(Noted, message.msg_id) or Noted(msg_id=message.msg_id)
    row.times += 1
    session.add(row)
    if message.case_id.endswith("bad"):
        raise KeyError("a bug in a handler")


def main() -> int:
    logging.basicConfig(level=logging.INFO)
    key, home, table, port = sys.argv[1], Path(sys.argv[2]), Path(sys.argv[3]), int(sys.argv[4])
    directory = CachedDirectory(TableFile(table), times=DirectoryTimes(fresh_s=0.3, unknown_s=0.1))
    mailbox = Mailbox.open(home / "mail.sqlite", [Noted])
    mailbox.handle(EvaluationReport, note)
    agent = NetAgent(
        NetSettings(
            "peer", port=port, lanes=LaneLimits(timeout_s=2.0), gate=GateLimits(rate_per_s=20, burst=60, body_s=1.5)
        ),
        key=bytes.fromhex(key),
        directory=directory,
        replay=ReplayGuard(home / "seen.sqlite"),
        store=PublicStore(home / "public"),
    )
    with KeyLock(home, agent.evm_address):
        office = PostOffice(agent, mailbox)
        if len(sys.argv) > 5:
            with mailbox.transaction() as session:
                for to, index in product(sys.argv[5].split(","), range(int(sys.argv[6]))):
                    mailbox.send(session, to, report(f"report:{index}"))
        sys.stdout.write(json.dumps({"port": agent.port, "pid": os.getpid()}) + "\n")
        sys.stdout.flush()
        assert office
        return agent.run()


def report(msg_id: str, case: str = "0x" + "0" * 64) -> EvaluationReport:
    return EvaluationReport(msg_id=msg_id, case_id=case, facts=[], tx="0x" + "0" * 64)


if __name__ == "__main__":
    sys.exit(main())
