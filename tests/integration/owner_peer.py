"""An owner's process without a network: it is asked on standard input and shows what it would send.

Usage: owner_peer.py HOME LIFETIME_EPSILON_MICROS
Each line of input is JOB_NUMBER MESSAGE_ID, which asks for the job's first round, or `ack`, which
acknowledges everything that was sent; each line of output is a JSON object.
"""

import json
import sys
from dataclasses import dataclass
from pathlib import Path
from types import SimpleNamespace

from sqlmodel import select

from agents.net.keys import canonical_address
from agents.net.mailbox import Mailbox, MailReceived
from agents.net.outbox import MailOutgoing
from agents.protocols.messages import TrainingTask
from agents.roles.owner import Owner, OwnerSetup, RowFile, TaskReceived
from agents.roles.plan import plan_digest
from agents.training.canonical import canonical_json
from agents.training.client import TrainingChild
from agents.training.schema import load_schema
from agents.training.task import Candidate, OwnerRows, plan_task
from agents.training.task import TrainingTask as Task
from folkmoot.demo.cast import SCHEMA
from governance.adapters.evm import KeySigner
from governance.domain.market import IntegrationMode, Kind
from governance.policy import load_policies
from governance.services.market import AgreementRecord, AgreementState

COORDINATOR, COMPUTE, OWNER = (canonical_address(f"0x{number:040x}") for number in (0xC0, 0xC1, 0xC2))
EPSILON_MICROS = 8_000_000
ROUNDS = 2


@dataclass(frozen=True)
class Jobs:
    """Agreements as the chain would tell of them: every job is bought, each for epsilon 8."""

    rows: RowFile

    def task(self, number: int) -> Task:
        owners = (OwnerRows("cleveland", self.rows.rows), OwnerRows("hungary", 170), OwnerRows("switzerland", 70))
        candidate = Candidate(name="plain", rounds=ROUNDS)
        return plan_task(f"job-{number}", load_schema(SCHEMA), owners, candidates=(candidate,))

    def job(self, _job: bytes) -> SimpleNamespace:
        return SimpleNamespace(coordinator=COORDINATOR, purposes=1)

    def rounds_per_candidate(self, _job: bytes) -> int:
        return ROUNDS

    def task_digest(self, job: bytes) -> bytes:
        return plan_digest(self.task(job[0]))

    def delta_e12(self, _job: bytes) -> int:
        return self.task(0).budget.delta_e12

    def active(self, job: bytes, kind: Kind, *, seller: str) -> AgreementRecord:
        return AgreementRecord(
            id=job,
            state=AgreementState.ACTIVE,
            kind=kind,
            mode=IntegrationMode.COUPLED,
            seller=seller,
            units=1 + ROUNDS,
            next_unit=0,
            paid_units=0,
            price_e18=1,
            organisation=1,
            rows=self.rows.rows,
            epsilon_micros=EPSILON_MICROS,
            job=job,
            buyer=COORDINATOR,
            deadline_s=2**40,
            purposes=1,
            data_root=self.rows.root,
        )


class QuietChain:
    """A chain on which nothing has happened yet."""

    first_block = 0
    chain_id = 7

    def address(self, _contract: str) -> str:
        return COORDINATOR

    def now_s(self) -> int:
        return 0

    def block_number(self) -> int:
        return 0

    def events(self, *_: object, **__: object) -> list[object]:
        return []


def build_owner(home: Path, lifetime_epsilon_micros: int) -> Owner:
    split = json.loads((home / "data" / "split.json").read_text())
    files = {
        name: RowFile(
            path=home / "data" / split[name]["file"],
            rows=split[name]["rows"],
            root=bytes.fromhex(split[name]["root"][2:]),
        )
        for name in ("training", "evaluation")
    }
    desk = SimpleNamespace(
        address=OWNER,
        signer=KeySigner.from_secret(b"\x07" * 32),
        chain=QuietChain(),
        mailbox=Mailbox.open(home / "agent.sqlite", Owner.tables),
        agreements=Jobs(files["training"]),
        market=SimpleNamespace(round_count=lambda _job: 0),
        registry=SimpleNamespace(data_set=lambda _root: SimpleNamespace(rows=1)),
        owner_name=lambda _address: "cleveland",
        wake=lambda: None,
        policy=load_policies(),
    )
    setup = OwnerSetup(
        schema=load_schema(SCHEMA),
        training=files["training"],
        evaluation=(files["evaluation"],),
        lifetime_epsilon_micros=lifetime_epsilon_micros,
    )
    # No seed: noise that came out the same twice was kept, not drawn again.
    return Owner(desk, setup, TrainingChild(owner="cleveland", training_csv=files["training"].path))


def ask(owner: Owner, number: int, msg_id: str) -> dict[str, object]:
    task = owner.desk.agreements.task(number)
    message = TrainingTask(
        msg_id=msg_id,
        job="0x" + bytes([number] * 32).hex(),
        candidate=0,
        round_index=0,
        kind="statistics",
        task_json=canonical_json(task.to_json()).decode(),
        request_json="",
        compute_agent=COMPUTE,
        deadline_s=2**40,
    )
    verdict = owner.desk.mailbox.receive(COORDINATOR, message)
    owner.step()
    return {"verdict": verdict.value, **state(owner, msg_id)}


def acknowledge(owner: Owner) -> dict[str, object]:
    with owner.desk.mailbox.reading() as session:
        sent = [row.msg_id for row in session.exec(select(MailOutgoing))]
    for msg_id in sent:
        owner.desk.mailbox.outbox.acknowledge(COMPUTE, msg_id)
    return state(owner, "")


def state(owner: Owner, msg_id: str) -> dict[str, object]:
    with owner.desk.mailbox.reading() as session:
        received = session.get(MailReceived, (COORDINATOR, msg_id))
        return {
            "refused": received.refused if received else "",
            "sent": [row.body for row in session.exec(select(MailOutgoing))],
            "kept": {bytes.fromhex(row.job)[0]: row.update for row in session.exec(select(TaskReceived))},
        }


def main() -> None:
    owner = build_owner(Path(sys.argv[1]), int(sys.argv[2]))
    for line in sys.stdin:
        words = line.split()
        said = acknowledge(owner) if words == ["ack"] else ask(owner, int(words[0]), words[1])
        sys.stdout.write(json.dumps(said) + "\n")
        sys.stdout.flush()


if __name__ == "__main__":
    main()
