"""The stages of one job in the small network of the audit's tests, each told by a script with real keys."""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from dataclasses import dataclass

from eth_utils.crypto import keccak

from agents.training.metrics import metric_code_digest
from folkmoot.constitution import APPEAL_WINDOW_S, COURT_WINDOW_S, DAY_S, METRICS
from governance.adapters.evm import KeySigner
from governance.domain import evidence
from governance.domain.income import Share, share_root
from governance.domain.market import NOBODY, AggregationPrivacy, IntegrationMode, JobTerms, Kind, PrivacyUnit, Terms
from governance.domain.record import canonical_json, sha256
from governance.domain.release import MISSING, Manifest, jury_commitment
from governance.ports import Event
from governance.services.court import Court
from governance.services.market import Market, RoundClaim
from governance.services.registry import Registry
from governance.services.releases import Governor, Releases
from governance.services.shares import SHARES, share_entries
from tests.audit_cast import CENTRE, INSTITUTE, LABORATORIES, OWNERS, Story, agent, member, operator

ROWS, EVALUATION_ROWS = 120, 60
PRICE_E18 = 10**19 + 1
BONUS_E18, USE_PRICE_E18 = 7 * 10**18 + 1, 10**18 + 3
"""Not divisible by the instalments."""
BOND_E18 = 3 * 10**18 + 1
EPSILON_MICROS, DELTA_E12 = 8_000_000, 10_000_000
AGAINST, FOR, ABSTAIN = 0, 1, 2


@dataclass(frozen=True)
class Plan:
    """A job with one training round for each candidate."""

    number: int
    candidates: tuple[str, ...]
    mode: IntegrationMode = IntegrationMode.COUPLED

    @property
    def rounds(self) -> int:
        return 1 + len(self.candidates)

    def label(self, name: str, kind: str) -> str:
        """Return the key of an agreement in the story; those of the first job go without its number."""
        return f"{name} {kind}" + (f" {self.number}" if self.number > 1 else "")

    def body(self) -> dict[str, object]:
        return {
            "version": self.number,
            "candidates": [{"name": name, "rounds": 1} for name in self.candidates],
            "privacy": {"epsilon_micros": EPSILON_MICROS, "delta_e12": DELTA_E12},
        }


def encoded(document: dict[str, object]) -> bytes:
    return canonical_json(document)  # type: ignore[arg-type]


def data_root(name: str, kind: str, number: int) -> bytes:
    return keccak(text=f"{name} {kind} rows" + (f" {number}" if number > 1 else ""))


def commit_rows(story: Story, plan: Plan) -> None:
    registry = Registry(story.chain)
    for name in OWNERS:
        registry.commit_training(agent(name), data_root(name, "training", plan.number), ROWS)
        registry.commit_evaluation(agent(name), data_root(name, "evaluation", plan.number), EVALUATION_ROWS)


def open_job(story: Story, plan: Plan) -> bytes:
    terms = JobTerms(
        coordinator=agent(INSTITUTE).address,
        purposes=1,
        rounds_per_candidate=1,
        epsilon_micros=EPSILON_MICROS,
        delta_e12=DELTA_E12,
        privacy_unit=PrivacyUnit.RECORD,
        aggregation_privacy=AggregationPrivacy.CLEAR,
        integration_mode=plan.mode,
        task=story.store.put(encoded({"type": "plan", **plan.body()})),
        metric_code=bytes.fromhex(metric_code_digest()),
        candidates=plan.candidates,
        bonus_e18=BONUS_E18 if plan.number == 1 else 0,
        deadline_s=story.chain.now_s() + 100 * DAY_S,
        nonce=plan.number,
    )
    market = Market(story.chain)
    market.open_job(agent(INSTITUTE), terms)
    return market.job_id(terms)


def make_agreements(story: Story, plan: Plan, job: bytes) -> None:
    sold = [(name, Kind.DATA) for name in OWNERS]
    sold += [(name, Kind.EVALUATION_ROWS) for name in OWNERS]
    sold += [(CENTRE, Kind.COMPUTE), *((name, Kind.EVALUATION) for name in LABORATORIES)]
    market = Market(story.chain)
    for name, kind in sold:
        terms = terms_of(story, plan, job, name=name, kind=kind)
        digest = market.terms_digest(terms)
        market.create_agreement(
            agent(INSTITUTE),
            terms,
            buyer_signature=agent(INSTITUTE).sign_digest(digest),
            # Terms may be signed by an operator's wallet as well.
            seller_signature=(operator if name == LABORATORIES[0] else agent)(name).sign_digest(digest),
        )
        story.agreements[plan.label(name, kind.word)] = digest


def terms_of(story: Story, plan: Plan, job: bytes, *, name: str, kind: Kind) -> Terms:
    """Return what the institute and a seller agree on for a job of a plan."""
    is_data, has_rows = kind is Kind.DATA, kind in {Kind.DATA, Kind.EVALUATION_ROWS}
    root = data_root(name, "training" if is_data else "evaluation", plan.number)
    return Terms(
        kind=kind,
        buyer=agent(INSTITUTE).address,
        seller=agent(name).address,
        job=job,
        price_e18=PRICE_E18,
        units=plan.rounds if kind in {Kind.DATA, Kind.COMPUTE} else len(plan.candidates),
        epsilon_micros=EPSILON_MICROS if is_data else 0,
        delta_e12=DELTA_E12 if is_data else 0,
        privacy_unit=PrivacyUnit.RECORD if is_data else PrivacyUnit.NONE,
        aggregation_privacy=AggregationPrivacy.CLEAR,
        rows=(ROWS if is_data else EVALUATION_ROWS) if has_rows else 0,
        data_root=root if has_rows else b"\0" * 32,
        purposes=1,
        compute_seconds=60,
        bond_e18=BOND_E18 if is_data and plan.number == 1 else 0,
        auditor=agent(LABORATORIES[0]).address if is_data else NOBODY,
        # One owner signed terms without a veto.
        withdrawal_blocks=is_data and name != OWNERS[2],
        deadline_s=story.chain.now_s() + 90 * DAY_S,
        valid_until_s=story.chain.now_s() + DAY_S,
        nonce=plan.number,
    )


def _update(name: str, number: int) -> list[int]:
    return [index * 1000 + number - len(name) for index in range(3)]


def _round_evidence(story: Story, job: bytes, number: int) -> evidence.RoundEvidence:
    leaves = []
    for name in OWNERS:
        document = evidence.update_document(job, number, agent(name).address, _update(name, number))
        leaves.append(evidence.Leaf(agent=agent(name).address, digest=story.store.put(document)))
    total = [sum(column) for column in zip(*(_update(name, number) for name in OWNERS), strict=True)]
    document = evidence.aggregate_document(job, number, agent(CENTRE).address, sum_nanos=total, owners=leaves)
    own = evidence.Leaf(agent=agent(CENTRE).address, digest=story.store.put(document))
    found = evidence.RoundEvidence(job=job, round_number=number, leaves=(*leaves, own))
    story.store.put(found.document())
    return found


def post_round(story: Story, plan: Plan, job: bytes, number: int) -> None:
    found = _round_evidence(story, job, number)
    market = Market(story.chain)
    market.post_round(agent(INSTITUTE), job, number, root=found.root(), leaves=len(found.leaves))
    for name in (*OWNERS, CENTRE):
        leaf, proof = found.proof(agent(name).address)
        kind = Kind.COMPUTE if name == CENTRE else Kind.DATA
        claim = RoundClaim(round_number=number, digest=leaf.digest, proof=tuple(proof))
        # One owner forgets the last round, so that something is left to refund.
        if (name, number) != (OWNERS[2], plan.rounds - 1):
            market.claim_rounds(operator(CENTRE), story.agreements[plan.label(name, kind.word)], [claim], job=job)


def submit(story: Story, plan: Plan, job: bytes, index: int) -> None:
    name = plan.candidates[index]
    artifact = story.store.put(f"model file of {name}".encode())
    task = {**plan.body(), "owners": [{"owner": owner.lower(), "rows": ROWS} for owner in OWNERS]}
    card = {
        "artifact_sha256": artifact.hex(),
        "candidate": index,
        "candidate_name": name,
        "task": task,
        "task_digest": sha256(encoded(task)).hex(),
        "owners_per_round": [[owner.lower() for owner in OWNERS]],
    }
    kinds = ("data", "evaluation_rows")
    manifest = Manifest(
        job=job,
        candidate=name,
        candidate_index=index,
        artifact=artifact,
        card=story.store.put(encoded(card)),
        licences=1,
        use_price_e18=USE_PRICE_E18,
        agreements=tuple(story.agreements[plan.label(owner, kind)] for owner in OWNERS for kind in kinds),
        declared=(("energy_kwh", 5_000),),
    )
    releases = Releases(story.chain)
    story.releases[name] = releases.release_id(manifest)
    story.manifests[name] = manifest
    releases.submit(agent(INSTITUTE), manifest)


def measure(
    story: Story, name: str, *, measured: tuple[int, ...], reveals: int, shares: Sequence[Share] = (), away: str = ""
) -> None:
    """Draw, commit, and let the first jurors reveal, shares of the owners as well if given; the others never do.

    The laboratory that is away has a seat and does nothing.
    """
    court, case = Court(story.chain), story.releases[name]
    story.call("anvil_mine", "0x3")
    court.draw(operator(CENTRE), case)
    signers = {agent(laboratory).address: agent(laboratory) for laboratory in LABORATORIES}
    seated = [signers[juror] for juror in court.jury(case)]
    jurors = [juror for juror in seated if not away or juror.address != agent(away).address]
    assert len(jurors) == len(seated) - bool(away)
    opened, root = [], share_root(case, shares) if shares else bytes(32)
    for place, juror in enumerate(jurors):
        # One juror is a little off, and one cannot give the last metric.
        values = tuple(value - 10_000 * (place == 0) for value in measured)
        values = (*values[:2], MISSING) if place == 1 else values
        document, salt = _report(name, values, place, shares=shares), keccak(text=f"salt {name} {place}")
        report = story.store.put(document) if place < reveals else sha256(document)
        commitment = jury_commitment(
            values,
            report,
            salt,
            chain_id=story.chain.chain_id,
            court=story.deployment.contracts["EvaluatorCourt"],
            case=case,
            artifact=sha256(f"model file of {name}".encode()),
            juror=juror.address,
            contributions=root,
        )
        court.commit(juror, case, commitment)
        opened.append((juror, values, report, salt))
    if away:
        story.advance(COURT_WINDOW_S + 2)
    for juror, values, report, salt in opened[:reveals]:
        court.reveal(juror, case, values=values, report=report, salt=salt, contributions=root)
    if reveals < len(seated):
        story.advance(COURT_WINDOW_S + 2)
    court.finalise(operator(CENTRE), case)


def conclude(story: Story, name: str) -> None:
    """Wait until no appeal can come any more, and judge the jurors."""
    court, case = Court(story.chain), story.releases[name]
    if not court.is_conclusive(case):
        story.advance(APPEAL_WINDOW_S + 2)
    court.settle(operator(CENTRE), case)


def _report(name: str, values: tuple[int, ...], place: int, *, shares: Sequence[Share]) -> bytes:
    facts = {key: {"value_micros": value} for (key, _), value in zip(METRICS, values, strict=True) if value != MISSING}
    return encoded(
        {
            "artifact_sha256": sha256(f"model file of {name}".encode()).hex(),
            "metric_code_sha256": metric_code_digest(),
            "rows": EVALUATION_ROWS * len(OWNERS),
            "facts": facts,
            "juror": place,
            **({SHARES: share_entries(shares)} if shares else {}),
        }
    )


def proposal_of(events: Iterable[Event]) -> int:
    return next(int(str(event.values["proposalId"])) for event in events if event.name == "ProposalCreated")


def propose_release(story: Story, name: str, *, proposer: KeySigner | None = None) -> int:
    """Ask for a candidate's release, by its coordinator or somebody else; return the proposal."""
    releases, governor = Releases(story.chain), Governor(story.chain)
    record = releases.release(story.releases[name])
    approval = governor.approval(
        record,
        policy_hash=releases.policy_hash(),
        facts_hash=releases.facts_hash(record.id),
        deadline_s=story.chain.now_s() + 30 * DAY_S,
    )
    by = proposer or agent(INSTITUTE)
    receipt = governor.propose(by, target="ReleaseRegistry", calldata=approval, description=f"Release {name}")
    story.proposals[name] = proposal_of(receipt.events)
    return story.proposals[name]


def vote_on(story: Story, name: str, *, support: int, proposer: KeySigner | None = None) -> int:
    """Propose a candidate, vote, and wait until the vote is over; return the proposal."""
    governor, proposal = Governor(story.chain), propose_release(story, name, proposer=proposer)
    story.advance(DAY_S + 2)
    for voter in (*OWNERS[:2], INSTITUTE, *LABORATORIES):
        governor.cast_vote(member(voter), proposal, support)
    governor.cast_vote(member(CENTRE), proposal, ABSTAIN)
    story.advance(6 * DAY_S + 2)
    return proposal


def carry_out(story: Story, proposal: int, *, refused: bytes | None = None) -> None:
    """Queue a passed proposal, wait, and execute it, or refuse the candidate that the constitution forbids."""
    governor = Governor(story.chain)
    governor.queue(operator(CENTRE), proposal)
    story.advance(2 * DAY_S + 2)
    if refused is not None:
        Releases(story.chain).refuse(operator(CENTRE), refused)
    else:
        governor.execute(operator(CENTRE), proposal)
