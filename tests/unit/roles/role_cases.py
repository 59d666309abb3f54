"""A desk without a network: the chain's answers are set by the test, the mail is real."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass, field, replace
from pathlib import Path
from types import SimpleNamespace
from typing import cast

from sqlmodel import select

from agents.net.artifacts import PublicStore
from agents.net.errors import ArtifactError
from agents.net.mailbox import Mailbox
from agents.net.outbox import MailOutgoing
from agents.protocols.messages import MESSAGES, Wire
from agents.roles import compute, coordinator, evaluator, evidence, omissions, owner
from agents.roles.desk import Desk
from agents.roles.plan import plan_digest
from agents.training.canonical import canonical_json
from agents.training.task import Candidate, OwnerRows, TrainingTask, plan_task
from governance.adapters.evm import KeySigner
from governance.domain.evidence import Leaf
from governance.domain.market import Address, Kind
from governance.domain.policy import PolicySet
from governance.domain.receipt import ledger_domain
from governance.policy import load_policies
from governance.ports import Event
from tests.training_cases import heart_schema

# In the order of their addresses, as rounds are.
PARTIES = sorted((KeySigner.from_secret(bytes([n]) * 32) for n in range(0xC0, 0xC5)), key=lambda party: party.address)
KEYS = {party.address: party for party in PARTIES}
COORDINATOR, COMPUTE, CLEVELAND, HUNGARY, ZURICH = KEYS
OWNERS = {CLEVELAND: "cleveland", HUNGARY: "hungary", ZURICH: "zurich"}
ROWS, ROUNDS, EPSILON_MICROS, DELTA_E12 = 100, 2, 8_000_000, 10**7
LEDGER = "0x" + "00" * 19 + "09"
SIGNER = KeySigner.from_secret(b"\x07" * 32)
JOB = b"\x01" * 32
JOB_HEX = "0x" + JOB.hex()
TABLES = (
    *compute.Compute.tables,
    *coordinator.Coordinator.tables,
    *evaluator.Evaluator.tables,
    *owner.Owner.tables,
    *omissions.Omissions.tables,
    evidence.KnownRound,
)
WIRE = {model.__name__: model for model in MESSAGES}


def task(*, delta_e12: int = DELTA_E12, clip_micros: int = 10**6) -> TrainingTask:
    owners = [OwnerRows(name, ROWS) for name in OWNERS.values()]
    candidate = Candidate(name="plain", rounds=ROUNDS, clip_micros=clip_micros)
    return plan_task("job", heart_schema(), owners, candidates=(candidate,), delta_e12=delta_e12)


def task_json(of: TrainingTask | None = None) -> str:
    return canonical_json((of or task()).to_json()).decode()


def rules_for(*, least_owners: int) -> PolicySet:
    """Return the shipped rules with another number of owners that a round must have."""
    shipped = load_policies()
    rules = [
        replace(rule, bound=least_owners * 10**6) if rule.fact == "round_contributors" else rule
        for rule in shipped.rules
    ]
    return replace(shipped, rules=tuple(rules))


@dataclass(slots=True)
class Chain:
    """What the chain says."""

    time_s: int = 1_000
    posted: list[bytes] = field(default_factory=list)
    """Roots of the job's rounds."""
    seen: list[Event] = field(default_factory=list)
    plan: TrainingTask = field(default_factory=task)
    policy: PolicySet = field(default_factory=lambda: rules_for(least_owners=1))
    first_block: int = 0
    chain_id: int = 7

    def address(self, _contract: str) -> Address:
        return LEDGER

    def now_s(self) -> int:
        return self.time_s

    def block_number(self) -> int:
        return 1

    def events(self, _contract: str, names: list[str], **_: int) -> list[Event]:
        return [event for event in self.seen if event.name in names]

    def post_round(self, _signer: object, _job: bytes, _number: int, *, root: bytes, leaves: int) -> None:
        assert leaves
        self.posted.append(root)


def agreements(chain: Chain) -> SimpleNamespace:
    def found(_job: bytes, kind: Kind, *, seller: Address) -> SimpleNamespace:
        return SimpleNamespace(
            kind=kind, seller=seller, units=1 + ROUNDS, epsilon_micros=EPSILON_MICROS, data_root=JOB, rows=ROWS
        )

    record = SimpleNamespace(coordinator=COORDINATOR, candidates=1, rounds_per_candidate=ROUNDS, purposes=1)
    return SimpleNamespace(
        job=lambda _job: record,
        active=found,
        of=lambda job: [found(job, Kind.DATA, seller=each) for each in OWNERS],
        task_digest=lambda _job: plan_digest(chain.plan),
        delta_e12=lambda _job: DELTA_E12,
        rounds_per_candidate=lambda _job: ROUNDS,
    )


def desk_of(home: Path, address: Address, chain: Chain, **changes: object) -> Desk:
    store = PublicStore(home / "store")
    market = SimpleNamespace(
        round_count=lambda _job: len(chain.posted),
        round_root=lambda _job, number: chain.posted[number] if number < len(chain.posted) else bytes(32),
        rounds=lambda _job: [SimpleNamespace(root=root) for root in chain.posted],
        post_round=chain.post_round,
    )
    fields: dict[str, object] = {
        "home": home,
        "address": address,
        "signer": KEYS.get(address, SIGNER),
        "chain": chain,
        "mailbox": Mailbox.open(home / "agent.sqlite", TABLES),
        "store": store,
        "fetch": nobody_serves,
        "agreements": agreements(chain),
        "market": market,
        "registry": SimpleNamespace(data_set=lambda _root: SimpleNamespace(rows=1)),
        "owner_name": OWNERS.__getitem__,
        "wake": lambda: None,
        "policy": chain.policy,
    }
    return cast("Desk", SimpleNamespace(**(fields | changes)))


def signed(leaf: Leaf, number: int, *, key: KeySigner | None = None) -> Leaf:
    """Return an agent's leaf of a round, signed with its key, or with another one's."""
    signer = key or KEYS[leaf.agent]
    return replace(leaf, signature=signer.sign_digest(leaf.signed_digest(JOB, number, ledger_domain(7, LEDGER))))


def nobody_serves(agent: Address, digest: bytes) -> bytes:
    raise ArtifactError(f"{agent} does not serve {digest.hex()}")


def serving(documents: dict[bytes, bytes]) -> Callable[[Address, bytes], bytes]:
    return lambda _agent, digest: documents[digest]


def sent(desk: Desk) -> list[Wire]:
    """Return what waits in the outbox, in order."""
    with desk.mailbox.reading() as session:
        rows = session.exec(select(MailOutgoing))
        return [WIRE[row.schema_name].parse_raw(row.body) for row in rows]
