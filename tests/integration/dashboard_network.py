"""A small network with real contracts and real keys, played quickly: what the dashboard shows is read from it."""

import hashlib
import json
from collections.abc import Sequence
from dataclasses import dataclass, field
from pathlib import Path

from eth_utils.crypto import keccak

from folkmoot.constitution import DAY_S, VOTING_DELAY_S, VOTING_PERIOD_S, Founder, Founding, deploy
from folkmoot.devnet import Devnet
from governance.adapters.evm import EvmChain, KeySigner
from governance.adapters.store import FileStore
from governance.domain.market import (
    AggregationPrivacy,
    IntegrationMode,
    JobTerms,
    Kind,
    Mandate,
    PrivacyUnit,
    Terms,
)
from governance.domain.merkle import proof, root, standard_leaf
from governance.domain.release import Manifest, ProposalState, jury_commitment
from governance.domain.signing import Binding
from governance.errors import ContractRefused
from governance.policy import licence_bits, load_policies, purpose_bits
from governance.services.amendments import Amendments
from governance.services.court import Court
from governance.services.market import Market, RoundClaim
from governance.services.registry import Registry, Role
from governance.services.releases import FOR, Consent, Governor, Releases

HOSPITALS = ("Cleveland", "Hungary", "Switzerland", "VA Long Beach")
LABORATORIES = tuple(f"Laboratory {letter}" for letter in "ABCDEFG")
INSTITUTE, CENTRE = "Moot Institute", "North Data Centre"
NAMES = (*HOSPITALS, INSTITUTE, CENTRE, *LABORATORIES)
CREDIT = 10**18
OFFICE = 3
"""A bit number."""
EPSILON_MICROS = 8_000_000
CANDIDATES = ("plain", "without-sex", "reweighed")
AGAINST = 0


def sha(text: str) -> bytes:
    return hashlib.sha256(text.encode()).digest()


def key(name: str, what: str) -> KeySigner:
    return KeySigner.from_secret(keccak(text=f"dashboard test {name} {what}"))


GUARDIAN = key("", "guardian")


@dataclass
class PlayedNetwork:
    """Plays a job by hand; every step is a real transaction."""

    devnet: Devnet
    store: FileStore
    hospitals: tuple[str, ...] = HOSPITALS
    rounds_each: int = 1
    chain: EvmChain = field(init=False)
    job: bytes = b""
    agreements: dict[tuple[str, Kind], bytes] = field(default_factory=dict)
    rounds: dict[int, tuple[list[bytes], list[tuple[str, bytes]]]] = field(default_factory=dict)

    @property
    def names(self) -> tuple[str, ...]:
        return (*self.hospitals, INSTITUTE, CENTRE, *LABORATORIES)

    def found(self) -> None:
        policy = load_policies()
        deployer = key("", "deployer")
        signers = [key(name, what) for name in self.names for what in ("member", "operator", "agent")]
        self.devnet.fund([deployer.address, GUARDIAN.address, *(signer.address for signer in signers)], 10**18)
        founders = tuple(
            Founder(name=name, member=self.member(name).address, operator=self.operator(name).address)
            for name in self.names
        )
        founding = Founding(
            founders=founders,
            panel=LABORATORIES,
            policy=policy,
            guardian=GUARDIAN.address,
            officers=((OFFICE, self.member(CENTRE).address),),
            treasury=self.operator(INSTITUTE).address,
            supply_e18=1_000 * CREDIT,
        )
        rpc = self.devnet.info().rpc_url
        deployed = deploy(rpc, deployer, founding, progress=lambda _: None)
        self.deployment = deployed.deployment
        self.policy = policy
        self.purposes = purpose_bits(policy, ["medical_diagnosis_support"])
        self.connect(EvmChain(rpc, deployed.deployment))

    def connect(self, chain: EvmChain) -> None:
        self.chain = chain
        self.registry, self.market = Registry(self.chain), Market(self.chain)
        self.court, self.releases, self.governor = Court(self.chain), Releases(self.chain), Governor(self.chain)

    def member(self, name: str) -> KeySigner:
        return key(name, "member")

    def operator(self, name: str) -> KeySigner:
        return key(name, "operator")

    def agent(self, name: str) -> KeySigner:
        return key(name, "agent")

    def bind_agents(self) -> None:
        for name in self.hospitals:
            self._bind(name, Role.OWNER)
            self.registry.commit_training(self.agent(name), sha(f"{name} training"), 120)
            self.registry.commit_evaluation(self.agent(name), sha(f"{name} evaluation"), 60)
        self._bind(INSTITUTE, Role.COORDINATOR)
        self._bind(CENTRE, Role.COMPUTE | Role.KEEPER)
        for name in LABORATORIES:
            self._bind(name, Role.EVALUATOR)
            self._stake(name)
        for contract in ("AgreementBook", "RewardVault"):
            spender = self.chain.address(contract)
            self.chain.send(self.operator(INSTITUTE), "Credit", "approve", (spender, 1_000 * CREDIT))
        consent = Consent(self.chain)
        for name in self.names:
            consent.endorse(self.member(name), consent.deployment_digest())

    def _stake(self, name: str) -> None:
        stake, operator = self.court.settings().stake_e18, self.operator(name)
        self.chain.send(self.operator(INSTITUTE), "Credit", "transfer", (operator.address, stake))
        self.chain.send(operator, "Credit", "approve", (self.chain.address("RewardVault"), stake))
        self.court.stake(operator, self.agent(name).address, stake)

    def _bind(self, name: str, roles: Role) -> None:
        agent, operator = self.agent(name), self.operator(name)
        binding = Binding(
            agent=agent.address,
            operator=operator.address,
            roles=int(roles),
            public_key_x=agent.public_key[:32],
            public_key_y=agent.public_key[32:],
            encryption_key=sha(name),
            endpoint="http://127.0.0.1:8000/submit",
            nonce=0,
            deadline_s=self.chain.now_s() + DAY_S,
        )
        self.registry.bind(operator, binding, agent.sign_digest(self.registry.binding_digest(binding)))
        mandate = Mandate(
            max_spend_e18=1_000 * CREDIT,
            max_agreements=50,
            floors_e18=(0, CREDIT, CREDIT, CREDIT, CREDIT),
            max_epsilon_micros=EPSILON_MICROS,
            lifetime_epsilon_micros=2 * EPSILON_MICROS,
            purposes=self.purposes,
            valid_until_s=self.chain.now_s() + 400 * DAY_S,
        )
        self.registry.set_mandate(operator, agent.address, mandate)
        self.registry.heartbeat(agent)

    def open_job(self) -> None:
        self.terms = JobTerms(
            coordinator=self.agent(INSTITUTE).address,
            purposes=self.purposes,
            rounds_per_candidate=self.rounds_each,
            epsilon_micros=EPSILON_MICROS,
            delta_e12=10_000_000,
            privacy_unit=PrivacyUnit.RECORD,
            aggregation_privacy=AggregationPrivacy.CLEAR,
            integration_mode=IntegrationMode.COUPLED,
            task=sha("task"),
            metric_code=bytes.fromhex(_metric_code()),
            candidates=CANDIDATES,
            deadline_s=self.chain.now_s() + 100 * DAY_S,
            nonce=1,
        )
        self.job = self.market.job_id(self.terms)
        self.market.open_job(self.agent(INSTITUTE), self.terms)
        for name in self.hospitals:
            self._agree(name, Kind.DATA, root_of=f"{name} training", rows=120, price_e18=40 * CREDIT)
            self._agree(name, Kind.EVALUATION_ROWS, root_of=f"{name} evaluation", rows=60, price_e18=9 * CREDIT)
        self._agree(CENTRE, Kind.COMPUTE, price_e18=20 * CREDIT)
        for name in LABORATORIES[:6]:
            self._agree(name, Kind.EVALUATION, price_e18=6 * CREDIT)

    def _agree(self, seller: str, kind: Kind, *, price_e18: int, root_of: str = "", rows: int = 0) -> None:
        data = kind is Kind.DATA
        by_round = kind in {Kind.DATA, Kind.COMPUTE}
        terms = Terms(
            kind=kind,
            buyer=self.agent(INSTITUTE).address,
            seller=self.agent(seller).address,
            job=self.job,
            price_e18=price_e18,
            units=self.terms.rounds if by_round else len(CANDIDATES),
            epsilon_micros=EPSILON_MICROS if data else 0,
            delta_e12=self.terms.delta_e12 if data else 0,
            privacy_unit=PrivacyUnit.RECORD if data else PrivacyUnit.NONE,
            aggregation_privacy=AggregationPrivacy.CLEAR,
            rows=rows,
            data_root=sha(root_of) if root_of else bytes(32),
            purposes=self.purposes,
            compute_seconds=600 if kind is Kind.COMPUTE else 0,
            withdrawal_blocks=data,
            deadline_s=self.terms.deadline_s,
            valid_until_s=self.chain.now_s() + DAY_S,
            nonce=1,
        )
        digest = self.market.terms_digest(terms)
        signatures = {
            "buyer_signature": self.agent(INSTITUTE).sign_digest(digest),
            "seller_signature": self.agent(seller).sign_digest(digest),
        }
        self.market.create_agreement(self.agent(INSTITUTE), terms, **signatures)
        self.agreements[seller, kind] = digest

    def post_round(self, number: int) -> None:
        sent = [(name, sha(f"update {name} {number}")) for name in (*self.hospitals, CENTRE)]
        leaves = [
            standard_leaf(
                ("bytes32", "uint32", "address", "bytes32"), (self.job, number, self.agent(name).address, digest)
            )
            for name, digest in sent
        ]
        self.market.post_round(self.agent(INSTITUTE), self.job, number, root=root(leaves), leaves=len(leaves))
        self.rounds[number] = (leaves, sent)

    def pay_round(self, number: int) -> None:
        for name in (*self.hospitals, CENTRE):
            self.claim(name, [number])

    def claim(self, name: str, numbers: Sequence[int]) -> None:
        key, claims = self.claims_of(name, numbers)
        self.market.claim_rounds(self.operator(CENTRE), key, claims, job=self.job)

    def claim_all(self, numbers: Sequence[int]) -> None:
        claims = dict(self.claims_of(name, numbers) for name in (*self.hospitals, CENTRE))
        self.market.claim_for_all(self.operator(CENTRE), self.job, claims)

    def claims_of(self, name: str, numbers: Sequence[int]) -> tuple[bytes, list[RoundClaim]]:
        claims, kind = [], Kind.COMPUTE if name == CENTRE else Kind.DATA
        for number in numbers:
            leaves, sent = self.rounds[number]
            place, digest = next((i, digest) for i, (each, digest) in enumerate(sent) if each == name)
            claims.append(RoundClaim(round_number=number, digest=digest, proof=tuple(proof(leaves, place))))
        return self.agreements[name, kind], claims

    def submit(self, index: int, *, gap_micros: int) -> bytes:
        cited = [self.agreements[n, k] for n in self.hospitals for k in (Kind.DATA, Kind.EVALUATION_ROWS)]
        card = {
            "candidate_name": CANDIDATES[index],
            "noise_is_seeded": 1,
            "outside_epsilon": ["Row counts are public."],
        }
        manifest = Manifest(
            job=self.job,
            candidate=CANDIDATES[index],
            candidate_index=index,
            artifact=self.store.put(f"model {index}".encode()),
            card=self.store.put(json.dumps(card).encode()),
            licences=licence_bits(self.policy, [self.policy.licences[0].name]),
            use_price_e18=10**18,
            agreements=tuple(cited),
            declared=(("energy_kwh", 2_000_000),),
        )
        self.releases.submit(self.agent(INSTITUTE), manifest)
        release = self.releases.release_id(manifest)
        self._measure(release, manifest.artifact, (850_000, 800_000, gap_micros))
        return release

    def _measure(self, release: bytes, artifact: bytes, values: tuple[int, ...]) -> None:
        for _ in range(3):
            self.devnet.advance(1)
        self.court.draw(self.operator(CENTRE), release)
        by_address = {self.agent(name).address: self.agent(name) for name in LABORATORIES}
        jurors = [by_address[address] for address in self.court.jury(release)]
        facts = {
            name: {"value_micros": value, "low_micros": value - 50_000, "high_micros": value + 50_000}
            for name, value in zip(("auc", "balanced_accuracy", "tpr_gap_abs"), values, strict=True)
        }
        report = self.store.put(json.dumps({"facts": facts}).encode())
        salts = []
        for juror in jurors:
            salt, commitment = self._sealed(values, report, release, artifact, juror)
            self.court.commit(juror, release, commitment)
            salts.append(salt)
        for juror, salt in zip(jurors, salts, strict=True):
            self.court.reveal(juror, release, values=values, report=report, salt=salt)
        self.court.finalise(self.operator(CENTRE), release)
        self.devnet.advance(self.court.settings().appeal_window_s + 1)
        self.court.settle(self.operator(CENTRE), release)

    def _sealed(
        self, values: tuple[int, ...], report: bytes, release: bytes, artifact: bytes, juror: KeySigner
    ) -> tuple[bytes, bytes]:
        """Return a salt and its commitment, the latter without a zero byte.

        A zero byte costs less gas than another, so that the cost of a commitment would depend on who is drawn.
        """
        for number in range(1, 256):
            salt = number.to_bytes(32)
            commitment = jury_commitment(
                values,
                report,
                salt,
                chain_id=self.chain.chain_id,
                court=self.chain.address("EvaluatorCourt"),
                case=release,
                artifact=artifact,
                juror=juror.address,
            )
            if 0 not in commitment:
                return salt, commitment
        raise AssertionError("no commitment without a zero byte in 255 attempts")

    def speak_up(self, release: bytes) -> None:
        """Cleveland objects, which no rule of the shipped set asks about, and the officer signs off."""
        consent, owner = Consent(self.chain), self.operator("Cleveland")
        stake = consent.objection_stake_e18()
        self.chain.send(self.operator(INSTITUTE), "Credit", "transfer", (owner.address, stake))
        self.chain.send(owner, "Credit", "approve", (self.chain.address("RewardVault"), stake))
        agreement = self.agreements["Cleveland", Kind.DATA]
        consent.object_to(owner, release, agreement=agreement, reason="too many purposes")
        consent.sign_off(self.member(CENTRE), self.releases.release(release), offices=1 << OFFICE)

    def propose_release(self, release: bytes) -> int:
        calldata = self.governor.approval(
            self.releases.release(release),
            policy_hash=self.releases.policy_hash(),
            facts_hash=self.releases.facts_hash(release),
            deadline_s=self.chain.now_s() + 30 * DAY_S,
        )
        return self._propose(self.agent(INSTITUTE), "ReleaseRegistry", calldata, "Release the model")

    def propose_admission(self, name: str, *, title: str = "Admit a newcomer", proposer: str = "Cleveland") -> int:
        newcomer = (self.member(name).address, self.operator(name).address)
        admission = self.chain.encode("AgentRegistry", "admit", name, *newcomer)
        calldata = Amendments(self.chain).staging("AgentRegistry", admission)
        return self._propose(self.member(proposer), "Amendments", calldata, title)

    def _propose(self, proposer: KeySigner, target: str, calldata: bytes, title: str) -> int:
        receipt = self.governor.propose(proposer, target=target, calldata=calldata, description=title)
        created = next(event for event in receipt.events if event.name == "ProposalCreated")
        return int(str(created.values["proposalId"]))

    def vote(self, proposal: int, names: tuple[str, ...], support: int = FOR, reason: str = "") -> None:
        for name in names:
            self.governor.cast_vote(self.member(name), proposal, support, reason=reason)

    def open_vote(self) -> None:
        self.devnet.advance(VOTING_DELAY_S + 60)

    def end_vote(self) -> None:
        self.devnet.advance(VOTING_PERIOD_S + 60)

    def decide(self, release: bytes) -> int:
        proposal = self.propose_release(release)
        self.open_vote()
        self.vote(proposal, NAMES)
        self.end_vote()
        self.governor.queue(self.operator(CENTRE), proposal)
        self.devnet.advance(2 * DAY_S + 60)
        try:
            self.governor.execute(self.operator(CENTRE), proposal)
        except ContractRefused:
            self.releases.refuse(self.operator(CENTRE), release)
        return proposal


def play(devnet: Devnet, folder: Path) -> PlayedNetwork:
    """A refused candidate, a released one, and an admission that is one vote short, still open."""
    network = PlayedNetwork(devnet, FileStore(folder / "store"))
    network.found()
    network.bind_agents()
    network.open_job()
    network.post_round(0)
    network.pay_round(0)
    network.post_round(1)
    network.pay_round(1)
    network.refused = network.submit(0, gap_micros=240_000)
    network.refused_proposal = network.decide(network.refused)
    network.post_round(2)
    network.pay_round(2)
    network.released = network.submit(1, gap_micros=60_000)
    network.speak_up(network.released)
    network.released_proposal = network.decide(network.released)
    network.admission = network.propose_admission("St. Anna")
    network.open_vote()
    network.vote(network.admission, NAMES[:8])
    network.vote(network.admission, NAMES[8:9], support=AGAINST, reason="Too early for us.")
    assert network.governor.state(network.admission) is ProposalState.ACTIVE
    return network


def _metric_code() -> str:
    from agents.training.metrics import metric_code_digest

    return metric_code_digest()
