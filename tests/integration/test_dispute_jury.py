"""The agents' jurors hear complaints about an update on a real chain: the bond is slashed, or the deposit is lost."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass, field, replace
from pathlib import Path
from typing import cast

import pytest
from eth_utils.crypto import keccak
from typer.testing import CliRunner

from agents.net.artifacts import PublicStore
from agents.roles.desk import Desk
from agents.roles.evaluator import Evaluator
from agents.roles.keeper import Keeper
from agents.roles.plan import plan_digest
from agents.training.client import TrainingChild
from agents.training.federated import update_length
from agents.training.preprocessing import statistics_length
from agents.training.task import Candidate, OwnerRows, TrainingTask, plan_task
from folkmoot.cli import load_commands
from folkmoot.home import Home
from folkmoot.keystore import open_keystore
from folkmoot.settings import read_settings
from governance.adapters.evm import KeySigner
from governance.domain import evidence, payouts
from governance.domain.market import Address
from governance.domain.record import sha256
from governance.domain.release import Stage
from governance.services import reading
from governance.services.challenges import Challenges
from governance.services.court import Court
from governance.services.disputes import Disputes, DisputeState, Ground
from governance.services.market import Market
from governance.services.reading import number
from governance.services.registry import Registry
from tests.audit_cast import CENTRE, INSTITUTE, LABORATORIES, OWNERS, Story, agent, operator, running_network
from tests.audit_job import BOND_E18, ROWS, Plan, make_agreements, open_job
from tests.audit_runs import Reading, audit
from tests.audit_story import prepare
from tests.integration.test_omitted_owner import desk_of
from tests.training_cases import heart_schema

pytestmark = pytest.mark.chain

ACCUSED, BAD_ROUND = OWNERS[0], 1
BEYOND_CLIP = ROWS * 10**12
"""In nanos; an honest update is at most rows times 10⁹ and the noise."""
WINDOW_S = 2 * 86_400 + 2


def the_task() -> TrainingTask:
    owners = [OwnerRows(name.lower(), ROWS) for name in OWNERS]
    return plan_task("a job", heart_schema(), owners, candidates=(Candidate(name="plain", rounds=1),))


@dataclass(frozen=True)
class TrainedPlan(Plan):
    """A job whose plan is one that agents train by."""

    def body(self) -> dict[str, object]:
        return {key: value for key, value in the_task().to_json().items() if key != "owners"}


PLAN = TrainedPlan(1, ("plain",))
WORDS = {"values": "answer, from the evidence", "report": "a report of a dispute"}


def post(story: Story, round_number: int, *, first: int, signed_by: str = ACCUSED) -> evidence.RoundEvidence:
    """Post a round of zeros, in which the accused's update begins with this number, and is signed by it or another."""
    length = update_length(the_task(), 0) if round_number else statistics_length(the_task())
    updates = {name: ((first if name == ACCUSED else 0), *[0] * (length - 1)) for name in OWNERS}
    leaves = []
    for name, values in updates.items():
        document = evidence.update_document(story.job, round_number, agent(name).address, values)
        leaf = evidence.Leaf(agent=agent(name).address, digest=story.store.put(document))
        signer = agent(signed_by if name == ACCUSED else name)
        leaves.append(signed(leaf, story, round_number, signer))
    total = tuple(map(sum, zip(*updates.values(), strict=True)))
    own = evidence.aggregate_document(story.job, round_number, agent(CENTRE).address, sum_nanos=total, owners=leaves)
    provider = evidence.Leaf(agent=agent(CENTRE).address, digest=story.store.put(own))
    leaves.append(signed(provider, story, round_number, agent(CENTRE)))
    found = evidence.RoundEvidence(job=story.job, round_number=round_number, leaves=tuple(leaves))
    story.store.put(found.document())
    Market(story.chain).post_round(
        agent(INSTITUTE), story.job, round_number, root=found.root(), leaves=len(found.leaves)
    )
    return found


def signed(leaf: evidence.Leaf, story: Story, round_number: int, signer: KeySigner) -> evidence.Leaf:
    digest = leaf.signed_digest(story.job, round_number, Challenges(story.chain).domain)
    return replace(leaf, signature=signer.sign_digest(digest))


@dataclass
class Hearing:
    """A job under complaint, and the agents that carry the complaint to its end."""

    story: Story
    home: Path
    silent: bool = False
    """Nobody serves anything."""
    jurors: dict[Address, Evaluator] = field(default_factory=dict)

    def __post_init__(self) -> None:
        for name in (CENTRE, *LABORATORIES):
            (self.home / name).mkdir()
        self.keeper = Keeper(self.desk(CENTRE))
        self.restart()

    def desk(self, name: str) -> Desk:
        found = desk_of(self.story, self.home, name, agent(name))
        return replace(found, fetch=self.fetch)

    def fetch(self, peer: Address, digest: bytes) -> bytes:
        """Serve what the coordinator serves; everybody else is away."""
        served = peer == agent(INSTITUTE).address and not self.silent
        folder = self.story.store.folder if served else self.home / "nothing"
        return PublicStore(folder).read(digest.hex())

    def restart(self) -> None:
        """Start all jurors anew: what they know is on chain and in their files."""
        child = cast("TrainingChild", None)
        self.jurors = {agent(name).address: Evaluator(self.desk(name), child) for name in LABORATORIES}

    def step(self) -> None:
        for juror in self.jurors.values():
            assert "trouble" not in juror.step().busy
        assert "trouble" not in self.keeper.step().busy

    def complain(self, document: bytes) -> bytes:
        """Raise a complaint of the data centre's operator about the accused's agreement; return its id."""
        disputes, deal = Disputes(self.story.chain), self.story.agreements[f"{ACCUSED} data"]
        deposit, challenger = disputes.deposit_e18(), operator(CENTRE)
        self.story.chain.send(operator(INSTITUTE), "Credit", "transfer", (challenger.address, deposit))
        vault = self.story.deployment.contracts["RewardVault"]
        self.story.chain.send(challenger, "Credit", "approve", (vault, deposit))
        digest = self.story.store.put(document)
        disputes.raise_(challenger, deal, ground=Ground.INVALID_UPDATE, evidence=digest)
        return disputes.id_of(deal, ground=Ground.INVALID_UPDATE, evidence=digest)

    def hear(self, dispute: bytes) -> DisputeState:
        """Let the agents draw, commit, crash, reveal, finalise and conclude; return what came of it."""
        court = Court(self.story.chain)
        for _ in range(3):
            self.story.advance(1)
        self.keeper.step()
        self.step()
        self.restart()
        self.step()
        self.step()
        if court.case(dispute).stage is Stage.COMMITTING:
            self.story.advance(86_400 - 3_600)
            self.step()
            self.step()
        assert court.case(dispute).stage is Stage.FINAL
        assert court.case(dispute).reveals == len(court.jury(dispute)) == len(LABORATORIES)
        self.story.advance(WINDOW_S)
        self.step()
        return self.state(dispute)

    def state(self, dispute: bytes) -> DisputeState:
        found = Disputes(self.story.chain).dispute(dispute)
        assert found is not None
        return found.state

    def bond_e18(self) -> int:
        return Market(self.story.chain).bond_left_e18(self.story.agreements[f"{ACCUSED} data"])

    def owed_e18(self, name: str) -> int:
        return number(self.story.chain.read("RewardVault", "balanceOf", operator(name).address))

    def punished(self) -> int:
        """Return what jurors lost, and how often one was absent or deviated."""
        registry, court = Registry(self.story.chain), Court(self.story.chain)
        records = [court.service(registry.organisation_of(agent(name).address)) for name in LABORATORIES]
        return sum(record.slashed_e18 + record.absent + record.deviated for record in records)

    def collect(self) -> None:
        """Put the jurors' reports where an auditor looks."""
        for name in LABORATORIES:
            for path in (self.home / name / "store").iterdir():
                self.story.store.put(path.read_bytes())


@pytest.fixture(scope="module")
def network(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Story]:
    with running_network(tmp_path_factory.mktemp("network")) as story:
        prepare(story)
        story.job = open_job(story, PLAN)
        make_agreements(story, PLAN, story.job)
        post(story, 0, first=0)
        yield story


@pytest.fixture
def hearing(network: Story, tmp_path: Path) -> Iterator[Hearing]:
    with network.rewound():
        yield Hearing(network, tmp_path)


def test_agents_uphold_a_true_complaint_and_the_bond_is_slashed(hearing: Hearing) -> None:
    played = post(hearing.story, BAD_ROUND, first=BEYOND_CLIP)
    dispute = hearing.complain(played.document())
    before, gained = hearing.bond_e18(), hearing.owed_e18(INSTITUTE)

    assert hearing.hear(dispute) is DisputeState.UPHELD

    part = payouts.part(BOND_E18, 2_500)
    assert before - hearing.bond_e18() == part > 0
    assert hearing.owed_e18(INSTITUTE) - gained == payouts.slash(part, challenged=True).injured_e18
    assert hearing.punished() == 0
    hearing.collect()
    require_audited(hearing)


def require_audited(hearing: Hearing) -> None:
    """Require an audit without findings that judged again, and notices another answer and another report."""
    read = Reading.of(hearing.story)
    events = read.context.history.events
    values = next(reading.items(event.values["values"]) for event in events if event.name == "Revealed")
    other = {"values": (1_000_000 - reading.number(values[0]),), "report": plan_digest(the_task())}

    (found,) = read.with_events(events, "disputes")[1:]

    assert (found.findings, found.unavailable) == ((), ())
    for name, value in other.items():
        changed = [
            replace(event, values={**event.values, name: value}) if event.name == "Revealed" else event
            for event in events
        ]
        (altered,) = read.with_events(changed, "disputes")[1:]
        assert any(WORDS[name] in str(finding) for finding in altered.findings)
    assert audit(hearing.story).findings == ()


@pytest.fixture
def commands(hearing: Hearing, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> list[str]:
    """The end of every command of the data centre's operator."""
    (tmp_path / "deployment.json").write_text(hearing.story.deployment.to_json())
    monkeypatch.setenv("FOLKMOOT_RPC", hearing.story.rpc)
    keys = open_keystore(Home.at(tmp_path), read_settings())
    keys.create("centre", private_key=keccak(text=f"story {CENTRE} operator"))
    return ["--home", str(tmp_path)]


def run(*arguments: str) -> str:
    result = CliRunner().invoke(load_commands(), [*arguments])
    assert result.exit_code == 0, (result.output, result.exception)
    return result.output


def test_a_complaint_is_raised_with_its_evidence_and_shown_with_the_jurys_words(
    hearing: Hearing, commands: list[str], tmp_path: Path
) -> None:
    story, disputes = hearing.story, Disputes(hearing.story.chain)
    document = post(story, BAD_ROUND, first=BEYOND_CLIP).document()
    (tmp_path / "round.json").write_bytes(document)
    deposit, deal = disputes.deposit_e18(), story.agreements[f"{ACCUSED} data"]
    story.chain.send(operator(INSTITUTE), "Credit", "transfer", (operator(CENTRE).address, deposit))
    said = ["dispute", "raise", deal.hex(), "invalid-update", str(tmp_path / "round.json")]

    run(*said, "--key", "centre", "--store", str(tmp_path / "served"), *commands)

    assert PublicStore(tmp_path / "served").read(sha256(document).hex()) == document
    dispute = disputes.id_of(deal, ground=Ground.INVALID_UPDATE, evidence=sha256(document))
    drawing = run("dispute", "show", dispute.hex(), *commands)
    assert drawing.splitlines()[-1] == "jury: drawing; 0 of 0 committed, 0 revealed"
    hearing.hear(dispute)
    shown = run("dispute", "show", dispute.hex(), *commands)
    assert shown.startswith("upheld: invalid-update")
    assert "jury: final; 5 of 5 committed, 5 revealed" in shown
    assert sum(line.endswith(" upheld") for line in shown.splitlines()) == len(LABORATORIES)


def test_agents_reject_a_false_complaint_and_the_accused_gets_the_deposit(hearing: Hearing) -> None:
    played = post(hearing.story, BAD_ROUND, first=0)
    dispute = hearing.complain(played.document())
    before, gained = hearing.bond_e18(), hearing.owed_e18(ACCUSED)

    assert hearing.hear(dispute) is DisputeState.REJECTED

    assert hearing.bond_e18() == before
    assert hearing.owed_e18(ACCUSED) - gained == Disputes(hearing.story.chain).deposit_e18()
    assert hearing.punished() == 0
    hearing.collect()
    require_audited(hearing)


def test_agents_reject_a_complaint_about_bytes_that_the_accused_never_signed(hearing: Hearing) -> None:
    played = post(hearing.story, BAD_ROUND, first=BEYOND_CLIP, signed_by=INSTITUTE)
    dispute = hearing.complain(played.document())
    before = hearing.bond_e18()

    assert hearing.hear(dispute) is DisputeState.REJECTED

    assert hearing.bond_e18() == before
    hearing.collect()
    require_audited(hearing)


def test_evidence_that_nobody_serves_costs_nobody_anything(hearing: Hearing) -> None:
    dispute = hearing.complain(post(hearing.story, BAD_ROUND, first=BEYOND_CLIP).document())
    before, gained = hearing.bond_e18(), hearing.owed_e18(CENTRE)
    hearing.silent = True

    assert hearing.hear(dispute) is DisputeState.LAPSED

    assert hearing.bond_e18() == before
    assert hearing.owed_e18(CENTRE) - gained == Disputes(hearing.story.chain).deposit_e18()
    assert hearing.punished() == 0
