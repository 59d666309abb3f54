"""A small network with real keys and a real chain, told by a script, for tests of the audit.

Three owners, an institute, a data centre and five laboratories; two candidates, of which the constitution refuses
the first and the members release the second; payments, a refund, a newcomer by vote, and a proposal left open.
"""

from __future__ import annotations

import json
import socket
import subprocess
import time
import urllib.request
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass, field
from pathlib import Path

from eth_utils.crypto import keccak

from agents.training.metrics import metric_code_digest
from folkmoot.constitution import COURT_WINDOW_S, DAY_S, METRICS, Founder, Founding, deploy
from folkmoot.devnet import find_anvil
from folkmoot.settings import read_settings
from governance.adapters.evm import EvmChain, KeySigner
from governance.adapters.store import FileStore
from governance.domain import evidence
from governance.domain.deployment import Deployment
from governance.domain.market import AggregationPrivacy, IntegrationMode, JobTerms, Kind, Mandate, PrivacyUnit, Terms
from governance.domain.record import canonical_json, sha256
from governance.domain.release import Manifest, jury_commitment
from governance.domain.signing import Binding
from governance.policy import load_policies
from governance.services.court import Court
from governance.services.market import Market, RoundClaim
from governance.services.registry import Registry, Role
from governance.services.releases import FOR, Governor, Releases

OWNERS = ("Ashford", "Birchwood", "Cedarville")
LABORATORIES = tuple(f"Laboratory {letter}" for letter in "ABCDE")
INSTITUTE, CENTRE = "Institute", "Data centre"
ROLES = (
    dict.fromkeys(OWNERS, Role.OWNER)
    | {INSTITUTE: Role.COORDINATOR, CENTRE: Role.COMPUTE}
    | dict.fromkeys(LABORATORIES, Role.EVALUATOR)
)
CANDIDATES = ("plain", "reweighed")
ROUNDS = 3
"""One for statistics, one for each candidate."""
ROWS, EVALUATION_ROWS = 120, 60
SUPPLY_E18 = 1_000 * 10**18
PRICE_E18 = 10**19 + 1
"""Not divisible by the instalments."""
EPSILON_MICROS, DELTA_E12 = 8_000_000, 10_000_000
MEASURED = {"plain": (860_000, 780_000, 180_000), "reweighed": (850_000, 790_000, 60_000)}
"""AUC, balanced accuracy and gap, millionths."""


@dataclass
class Story:
    """The finished story, and who is in it."""

    rpc: str
    chain: EvmChain
    deployment: Deployment
    store: FileStore
    job: bytes = b""
    agreements: dict[str, bytes] = field(default_factory=dict)
    releases: dict[str, bytes] = field(default_factory=dict)
    proposals: dict[str, int] = field(default_factory=dict)

    @property
    def registry(self) -> str:
        return self.deployment.contracts["ReleaseRegistry"]

    def call(self, method: str, *parameters: object) -> object:
        """Ask the node something that only a development node answers."""
        body = json.dumps({"jsonrpc": "2.0", "id": 1, "method": method, "params": parameters}).encode()
        request = urllib.request.Request(self.rpc, body, {"Content-Type": "application/json"})
        with urllib.request.urlopen(request, timeout=30) as answer:
            document = json.load(answer)
        assert "error" not in document, document
        return document["result"]

    def advance(self, seconds: int) -> None:
        self.call("evm_increaseTime", seconds)
        self.call("evm_mine")

    @contextmanager
    def rewound(self) -> Iterator[None]:
        """Undo on the node whatever happens inside."""
        snapshot = self.call("evm_snapshot")
        yield
        assert self.call("evm_revert", snapshot)


def key(name: str) -> KeySigner:
    return KeySigner.from_secret(keccak(text=f"story {name}"))


def member(name: str) -> KeySigner:
    return key(f"{name} member")


def operator(name: str) -> KeySigner:
    return key(f"{name} operator")


def agent(name: str) -> KeySigner:
    return key(f"{name} agent")


@contextmanager
def running_story(folder: Path) -> Iterator[Story]:
    """Start a node, tell the story on it, and stop the node at the end."""
    with socket.socket() as probe:
        probe.bind(("127.0.0.1", 0))
        port = probe.getsockname()[1]
    command = [str(find_anvil(read_settings())), "--port", str(port), "--accounts", "0", "--chain-id", "7770001"]
    with subprocess.Popen([*command, "--silent"]) as node:
        try:
            story = _found(f"http://127.0.0.1:{port}", folder)
            _tell(story)
            yield story
        finally:
            node.terminate()


def _found(rpc: str, folder: Path) -> Story:
    names = tuple(ROLES)
    founders = tuple(Founder(name=name, member=member(name).address, operator=operator(name).address) for name in names)
    founding = Founding(
        founders=founders,
        panel=LABORATORIES,
        policy=load_policies(),
        treasury=operator(INSTITUTE).address,
        supply_e18=SUPPLY_E18,
    )
    deployer = key("deployer")
    empty = Deployment(chain_id=0, genesis="", first_block=0, contracts={})
    story = Story(rpc, EvmChain(rpc, empty), empty, FileStore(folder / "store"))
    _wait(story)
    everybody = [deployer, *(make(name) for name in (*names, "Newcomer") for make in (member, operator, agent))]
    for signer in everybody:
        story.call("anvil_setBalance", signer.address, hex(10**20))
    deployed = deploy(rpc, deployer, founding, progress=lambda _: None)
    story.deployment = deployed.deployment
    story.chain = EvmChain(rpc, deployed.deployment)
    return story


def _wait(story: Story) -> None:
    for _ in range(100):
        try:
            story.call("eth_chainId")
        except OSError:
            time.sleep(0.1)
        else:
            return
    raise AssertionError("the node did not start")


def _tell(story: Story) -> None:
    _bind_agents(story)
    _commit_data(story)
    _open_job(story)
    _make_agreements(story)
    _admit_newcomer(story)
    for index, name in enumerate(CANDIDATES):
        if index == 0:
            _post_round(story, 0)
        _post_round(story, index + 1)
        _submit(story, index)
        _measure(story, name)
        _decide(story, name)
    _settle(story)
    _leave_one_open(story)


def _bind_agents(story: Story) -> None:
    registry = Registry(story.chain)
    for name, role in ROLES.items():
        signer = agent(name)
        binding = Binding(
            agent=signer.address,
            operator=operator(name).address,
            roles=int(role),
            public_key_x=signer.public_key[:32],
            public_key_y=signer.public_key[32:],
            encryption_key=keccak(text=name),
            endpoint=f"http://127.0.0.1/{name}",
            nonce=registry.binding_nonce(signer.address),
            deadline_s=story.chain.now_s() + DAY_S,
        )
        registry.bind(operator(name), binding, signer.sign_digest(registry.binding_digest(binding)))
        limits = Mandate(
            max_spend_e18=SUPPLY_E18,
            max_agreements=50,
            floors_e18=(0, 1, 1, 1, 1),
            max_epsilon_micros=EPSILON_MICROS,
            lifetime_epsilon_micros=2 * EPSILON_MICROS,
            purposes=1,
            valid_until_s=story.chain.now_s() + 365 * DAY_S,
        )
        registry.set_mandate(operator(name), signer.address, limits)
    # A name that is no UTF-8 cannot be sent by this client; an odd one can.
    registry.set_endpoint(operator(OWNERS[0]), agent(OWNERS[0]).address, "http://127.0.0.1/Ashford-moved-é")
    registry.heartbeat(agent(OWNERS[1]))
    story.chain.send(
        operator(INSTITUTE), "Credit", "approve", (story.deployment.contracts["AgreementBook"], SUPPLY_E18)
    )


def _data_root(name: str, kind: str) -> bytes:
    return keccak(text=f"{name} {kind} rows")


def _commit_data(story: Story) -> None:
    registry = Registry(story.chain)
    for name in OWNERS:
        registry.commit_training(agent(name), _data_root(name, "training"), ROWS)
        registry.commit_evaluation(agent(name), _data_root(name, "evaluation"), EVALUATION_ROWS)


def _task_body() -> dict[str, object]:
    return {
        "version": 1,
        "candidates": [{"name": name, "rounds": 1} for name in CANDIDATES],
        "privacy": {"epsilon_micros": EPSILON_MICROS, "delta_e12": DELTA_E12},
    }


def _open_job(story: Story) -> None:
    plan = canonical_json({"type": "plan", **_task_body()})  # type: ignore[dict-item]
    terms = JobTerms(
        coordinator=agent(INSTITUTE).address,
        purposes=1,
        rounds_per_candidate=1,
        epsilon_micros=EPSILON_MICROS,
        delta_e12=DELTA_E12,
        privacy_unit=PrivacyUnit.RECORD,
        aggregation_privacy=AggregationPrivacy.CLEAR,
        integration_mode=IntegrationMode.COUPLED,
        task=story.store.put(plan),
        metric_code=bytes.fromhex(metric_code_digest()),
        candidates=CANDIDATES,
        deadline_s=story.chain.now_s() + 100 * DAY_S,
        nonce=1,
    )
    market = Market(story.chain)
    story.job = market.job_id(terms)
    market.open_job(agent(INSTITUTE), terms)


def _make_agreements(story: Story) -> None:
    sold = [(name, Kind.DATA) for name in OWNERS]
    sold += [(name, Kind.EVALUATION_ROWS) for name in OWNERS]
    sold += [(CENTRE, Kind.COMPUTE), *((name, Kind.EVALUATION) for name in LABORATORIES)]
    market = Market(story.chain)
    for nonce, (name, kind) in enumerate(sold):
        is_data, has_rows = kind is Kind.DATA, kind in {Kind.DATA, Kind.EVALUATION_ROWS}
        terms = Terms(
            kind=kind,
            buyer=agent(INSTITUTE).address,
            seller=agent(name).address,
            job=story.job,
            price_e18=PRICE_E18,
            units=ROUNDS if kind in {Kind.DATA, Kind.COMPUTE} else len(CANDIDATES),
            epsilon_micros=EPSILON_MICROS if is_data else 0,
            delta_e12=DELTA_E12 if is_data else 0,
            privacy_unit=PrivacyUnit.RECORD if is_data else PrivacyUnit.NONE,
            aggregation_privacy=AggregationPrivacy.CLEAR,
            rows=(ROWS if is_data else EVALUATION_ROWS) if has_rows else 0,
            data_root=_data_root(name, "training" if is_data else "evaluation") if has_rows else b"\0" * 32,
            purposes=1,
            compute_seconds=60,
            withdrawal_blocks=is_data,
            deadline_s=story.chain.now_s() + 90 * DAY_S,
            valid_until_s=story.chain.now_s() + DAY_S,
            nonce=nonce,
        )
        digest = market.terms_digest(terms)
        market.create_agreement(
            agent(INSTITUTE),
            terms,
            buyer_signature=agent(INSTITUTE).sign_digest(digest),
            seller_signature=agent(name).sign_digest(digest),
        )
        story.agreements[f"{name} {kind.word}"] = digest


def _admit_newcomer(story: Story) -> None:
    # A delegation before the snapshot, so that one member votes with the weight of two.
    story.chain.send(member(OWNERS[2]), "MemberToken", "delegate", (member(OWNERS[1]).address,))
    arguments = ("Newcomer", member("Newcomer").address, operator("Newcomer").address)
    calldata = story.chain.encode("AgentRegistry", "admit", *arguments)
    governor = Governor(story.chain)
    story.advance(5)
    receipt = governor.propose(member(OWNERS[0]), target="AgentRegistry", calldata=calldata, description="Admit")
    proposal = _proposal_of(receipt.events)
    story.proposals["newcomer"] = proposal
    story.advance(DAY_S + 2)
    for name in (*OWNERS[:2], INSTITUTE, CENTRE, *LABORATORIES[:3]):
        governor.cast_vote(member(name), proposal, FOR, reason="welcome")
    story.advance(5 * DAY_S + 2)
    governor.queue(operator(CENTRE), proposal)
    story.advance(2 * DAY_S + 2)
    governor.execute(operator(CENTRE), proposal)


def _proposal_of(events: tuple[object, ...]) -> int:
    found = [event for event in events if getattr(event, "name", "") == "ProposalCreated"]
    return int(found[0].values["proposalId"])  # type: ignore[attr-defined]


def _update(name: str, number: int) -> list[int]:
    return [index * 1000 + number - len(name) for index in range(3)]


def round_evidence(story: Story, number: int) -> evidence.RoundEvidence:
    """Return the documents of a round, and see to it that the store has them."""
    leaves = []
    for name in OWNERS:
        document = evidence.update_document(story.job, number, agent(name).address, _update(name, number))
        leaves.append(evidence.Leaf(agent=agent(name).address, digest=story.store.put(document)))
    total = [sum(column) for column in zip(*(_update(name, number) for name in OWNERS), strict=True)]
    document = evidence.aggregate_document(story.job, number, agent(CENTRE).address, sum_nanos=total, owners=leaves)
    own = evidence.Leaf(agent=agent(CENTRE).address, digest=story.store.put(document))
    found = evidence.RoundEvidence(job=story.job, round_number=number, leaves=(*leaves, own))
    story.store.put(found.document())
    return found


def _post_round(story: Story, number: int) -> None:
    found = round_evidence(story, number)
    market = Market(story.chain)
    market.post_round(agent(INSTITUTE), story.job, number, root=found.root(), leaves=len(found.leaves))
    for name in (*OWNERS, CENTRE):
        leaf, proof = found.proof(agent(name).address)
        kind = Kind.COMPUTE if name == CENTRE else Kind.DATA
        claim = RoundClaim(round_number=number, digest=leaf.digest, proof=tuple(proof))
        # One owner forgets the last round, so that something is left to refund.
        if (name, number) != (OWNERS[2], ROUNDS - 1):
            market.claim_rounds(operator(CENTRE), story.agreements[f"{name} {kind.word}"], [claim])


def _submit(story: Story, index: int) -> None:
    name = CANDIDATES[index]
    artifact = story.store.put(f"model file of {name}".encode())
    task = {**_task_body(), "owners": [{"owner": owner.lower(), "rows": ROWS} for owner in OWNERS]}
    card = {
        "artifact_sha256": artifact.hex(),
        "candidate": index,
        "candidate_name": name,
        "task": task,
        "task_digest": sha256(canonical_json(task)).hex(),  # type: ignore[arg-type]
        "owners_per_round": [[owner.lower() for owner in OWNERS]],
    }
    cited = [story.agreements[f"{owner} {kind}"] for owner in OWNERS for kind in ("data", "evaluation_rows")]
    manifest = Manifest(
        job=story.job,
        candidate=name,
        candidate_index=index,
        artifact=artifact,
        card=story.store.put(canonical_json(card)),  # type: ignore[arg-type]
        licences=1,
        agreements=tuple(cited),
        declared=(("energy_kwh", 5_000),),
    )
    releases = Releases(story.chain)
    story.releases[name] = releases.release_id(manifest)
    releases.submit(agent(INSTITUTE), manifest)


def _measure(story: Story, name: str) -> None:
    court, case = Court(story.chain), story.releases[name]
    for _ in range(3):
        story.call("evm_mine")
    court.draw(operator(CENTRE), case)
    artifact = sha256(f"model file of {name}".encode())
    signers = {agent(laboratory).address: agent(laboratory) for laboratory in LABORATORIES}
    jurors = [signers[juror] for juror in court.jury(case)]
    opened = {}
    for place, juror in enumerate(jurors):
        # One juror is a little off, and one cannot give the gap.
        values = tuple(value - 10_000 * (place == 0) for value in MEASURED[name])
        values = (*values[:2], -(1 << 127)) if place == 1 else values
        facts = {key: {"value_micros": value} for (key, _), value in zip(METRICS, values, strict=True)}
        report = {
            "artifact_sha256": artifact.hex(),
            "metric_code_sha256": metric_code_digest(),
            "rows": EVALUATION_ROWS * len(OWNERS),
            "facts": {key: fact for key, fact in facts.items() if fact["value_micros"] != -(1 << 127)},
            "juror": place,
        }
        document, salt = canonical_json(report), keccak(text=f"salt {name} {place}")  # type: ignore[arg-type]
        digest = sha256(document)
        if name == "plain" or place < 4:
            story.store.put(document)
        commitment = jury_commitment(
            values,
            digest,
            salt,
            chain_id=story.chain.chain_id,
            court=story.deployment.contracts["EvaluatorCourt"],
            case=case,
            artifact=artifact,
            juror=juror.address,
        )
        court.commit(juror, case, commitment)
        opened[juror.address] = (juror, values, digest, salt)
    for juror, values, digest, salt in list(opened.values())[: len(jurors) if name == "plain" else 4]:
        court.reveal(juror, case, values=values, report=digest, salt=salt)
    if name != "plain":
        story.advance(COURT_WINDOW_S + 2)
    court.finalise(operator(CENTRE), case)


def _decide(story: Story, name: str) -> None:
    releases, governor = Releases(story.chain), Governor(story.chain)
    record = releases.release(story.releases[name])
    approval = governor.approval(
        record,
        policy_hash=releases.policy_hash(),
        facts_hash=releases.facts_hash(record.id),
        deadline_s=story.chain.now_s() + 30 * DAY_S,
    )
    receipt = governor.propose(
        agent(INSTITUTE), target="ReleaseRegistry", calldata=approval, description=f"Release {name}"
    )
    proposal = _proposal_of(receipt.events)
    story.proposals[name] = proposal
    story.advance(DAY_S + 2)
    for voter in (*OWNERS[:2], INSTITUTE, *LABORATORIES):
        governor.cast_vote(member(voter), proposal, FOR)
    governor.cast_vote(member(CENTRE), proposal, 2)
    story.advance(6 * DAY_S + 2)
    governor.queue(operator(CENTRE), proposal)
    story.advance(2 * DAY_S + 2)
    if name == "plain":
        releases.refuse(operator(CENTRE), record.id)
    else:
        governor.execute(operator(CENTRE), proposal)


def _settle(story: Story) -> None:
    market = Market(story.chain)
    both = list(story.releases.values())
    for name in OWNERS:
        market.claim_looks(operator(CENTRE), story.agreements[f"{name} evaluation_rows"], both)
    market.claim_looks(operator(CENTRE), story.agreements[f"{LABORATORIES[0]} evaluation"], both[:1])
    story.advance(7 * DAY_S + 2)
    market.close(operator(CENTRE), story.agreements[f"{OWNERS[2]} data"])


def _leave_one_open(story: Story) -> None:
    calldata = story.chain.encode("EvaluatorCourt", "joinPanel", 11)
    governor = Governor(story.chain)
    receipt = governor.propose(
        member("Newcomer"), target="EvaluatorCourt", calldata=calldata, description="Join the panel"
    )
    story.proposals["open"] = _proposal_of(receipt.events)
    story.advance(DAY_S + 2)
    governor.cast_vote(member("Newcomer"), story.proposals["open"], FOR)
