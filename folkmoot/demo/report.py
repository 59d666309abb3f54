"""What the demonstration did, for programs: ``report.json``, read back from the chain and the store."""

from __future__ import annotations

import json
from collections.abc import Mapping
from dataclasses import dataclass
from typing import TYPE_CHECKING, Final

from folkmoot.processes import running
from governance.domain.market import Kind
from governance.domain.policy import PolicySet, Source
from governance.domain.release import RefusalReason, Status
from governance.policy import rule_ids
from governance.services.market import Market
from governance.services.reading import number, raw, row
from governance.services.registry import Registry
from governance.services.releases import Governor, ReleaseRecord, Releases, Votes
from governance.services.verdicts import release_verdict

if TYPE_CHECKING:
    from folkmoot.demo.founding import Network
    from folkmoot.home import Home
    from governance.adapters.evm import EvmChain
    from governance.ports import Event, EvidenceStore

Json = dict[str, object]
TERMS_FIELDS: Final = 20


@dataclass(frozen=True, slots=True, kw_only=True)
class Candidate:
    """How one candidate fared."""

    document: Json
    agrees: bool
    """Whether the contract decided as the Python mirror predicted."""
    status: Status


class Report:
    """Reads a finished demonstration."""

    def __init__(self, home: Home, network: Network, store: EvidenceStore) -> None:
        self.home = home
        self.network = network
        self.chain: EvmChain = network.chain
        self.store = store
        self.policy: PolicySet = network.policy

    def document(self, job: bytes, *, rpc_url: str, seconds: Mapping[str, float]) -> Json:
        """Return the report of one job."""
        return {
            "chain": {"chain_id": self.chain.chain_id, "rpc": rpc_url, "genesis": self.chain.genesis},
            "contracts": self.chain.contracts,
            "owners": self._owners(),
            "processes": {process.name: process.pid for process in running(self.home)},
            "agreements": self._agreements(job),
            "rounds": self._rounds(job),
            "candidates": [candidate.document for candidate in self.candidates(job)],
            "payments": self._payments(),
            "gas": self.chain_gas(),
            "seconds": dict(seconds),
        }

    def candidates(self, job: bytes) -> list[Candidate]:
        """Return the candidates of a job in order."""
        releases = Releases(self.chain)
        return [self._candidate(releases, releases.release(key)) for key in releases.releases_of(job)]

    def _owners(self) -> list[Json]:
        registry = Registry(self.chain)
        names = {agent.address: agent for agent in registry.agents()}
        found = []
        for owner in self.network.owners:
            agent = next(each for each in names.values() if registry.organisation(each.organisation).name == owner.name)
            found.append(
                {
                    "name": owner.name,
                    "agent": agent.address,
                    "operator": registry.operator_of(agent.address),
                    "training_rows": owner.training.rows,
                    "evaluation_rows": owner.evaluation.rows,
                }
            )
        return found

    def _agreements(self, job: bytes) -> list[Json]:
        found = []
        for event in self._events("AgreementBook", "AgreementCreated"):
            terms = row(event.values["terms"], TERMS_FIELDS)
            if event.values["job"] == job:
                found.append(
                    {
                        "id": _hex(event.values["id"]),
                        "kind": Kind(number(terms[0])).word,
                        "seller": str(event.values["seller"]),
                        "price_e18": number(terms[4]),
                        "epsilon_micros": number(terms[6]),
                        "terms_hash": _hex(event.values["id"]),
                        "tx": event.transaction,
                    }
                )
        return found

    def _rounds(self, job: bytes) -> list[Json]:
        per_candidate = Market(self.chain).job(job).rounds_per_candidate
        names = Market(self.chain).candidates(job)
        found, before = [], None
        for event in self._events("RoundLedger", "RoundPosted"):
            if event.values["job"] != job:
                continue
            index, now_s = number(event.values["round"]), self.chain.time_of(event.block)
            name = "statistics" if index == 0 else names[(index - 1) // per_candidate]
            found.append(
                {
                    "candidate": name,
                    "index": index,
                    "root": _hex(event.values["root"]),
                    "tx": event.transaction,
                    "seconds": 0 if before is None else now_s - before,
                }
            )
            before = now_s
        return found

    def _candidate(self, releases: Releases, release: ReleaseRecord) -> Candidate:
        # A candidate that no jury could measure, or whose deadline passed, never came to a vote.
        asked = release.proposal_id != 0
        votes = Governor(self.chain).votes(release.proposal_id) if asked else Votes(against=0, in_favour=0, abstain=0)
        state = Governor(self.chain).state(release.proposal_id).name.lower() if asked else "none"
        verdict = release_verdict(releases, self.policy, release, now_s=release.decided_at_s)
        failed, applied = self._decided(release)
        document: Json = {
            "name": Market(self.chain).candidates(release.job)[release.candidate_index],
            "release_id": _hex(release.id),
            "manifest_hash": _hex(release.manifest_hash),
            "artifact": release.artifact.hex(),
            "proposal_id": str(release.proposal_id),
            "votes": {"for": votes.in_favour, "against": votes.against, "abstain": votes.abstain},
            "proposal_state": state,
            "outcome": release.status.name.lower(),
            "refusal": release.reason.name.lower(),
            "failed_rules": list(rule_ids(self.policy, failed)),
            "facts": {
                finding.rule.fact: {
                    "value_micros": finding.value,
                    "source": Source(finding.source).name.lower(),
                    "limit_micros": finding.rule.bound,
                    "holds": finding.holds,
                    "interval": self._intervals(release).get(finding.rule.fact),
                }
                for finding in verdict.findings
            },
        }
        # Only then the contract asked the policy.
        judged = release.reason in {RefusalReason.NONE, RefusalReason.POLICY}
        agrees = not judged or (verdict.failed == failed and (not applied or verdict.applied == applied))
        return Candidate(document=document, agrees=agrees, status=release.status)

    def _decided(self, release: ReleaseRecord) -> tuple[int, int]:
        """Return the masks that the contract decided by: failed rules and, of a release, applied ones."""
        for event in (*self._events("ReleaseRegistry", "Refused"), *self._events("ReleaseRegistry", "Released")):
            if event.values["id"] == release.id:
                failed = number(event.values.get("failedRules", 0))
                return failed, number(event.values.get("appliedRules", 0))
        return 0, 0

    def _intervals(self, release: ReleaseRecord) -> dict[str, list[int]]:
        for event in self._events("EvaluatorCourt", "Revealed"):
            if event.values["id"] == release.id:
                facts = json.loads(self.store.get(raw(event.values["report"])))["facts"]
                return {name: [fact["low_micros"], fact["high_micros"]] for name, fact in facts.items()}
        return {}

    def _payments(self) -> list[Json]:
        kinds = {
            raw(event.values["id"]): Kind(number(row(event.values["terms"], TERMS_FIELDS)[0])).word
            for event in self._events("AgreementBook", "AgreementCreated")
        }
        return [
            {
                "to": str(event.values["to"]),
                "role": kinds[raw(event.values["id"])],
                "amount_e18": number(event.values["amountE18"]),
                "tx": event.transaction,
            }
            for event in self._events("AgreementBook", "PaymentMade")
        ]

    def chain_gas(self) -> Json:
        """Return the gas of each kind of step: deployment by contract, and the mean of each call."""
        found: dict[str, list[int]] = {}
        for contract, event_name in STEPS:
            for event in self._events(contract, event_name):
                found.setdefault(f"{contract}.{event_name}", []).append(self.chain.gas_of(event.transaction))
        means = {name: sum(values) // len(values) for name, values in found.items()}
        return {**{f"deploy {name}": gas for name, gas in self.network.gas.items()}, **means}

    def _events(self, contract: str, name: str) -> list[Event]:
        return self.chain.events(contract, [name], from_block=self.chain.first_block)


STEPS: Final = (
    ("AgentRegistry", "AgentBound"),
    ("AgentRegistry", "DataCommitted"),
    ("AgreementBook", "JobOpened"),
    ("AgreementBook", "AgreementCreated"),
    ("RoundLedger", "RoundPosted"),
    ("ReleaseRegistry", "CandidateSubmitted"),
    ("EvaluatorCourt", "JuryDrawn"),
    ("EvaluatorCourt", "Committed"),
    ("EvaluatorCourt", "Revealed"),
    ("EvaluatorCourt", "CaseFinal"),
    ("ModelGovernor", "ProposalCreated"),
    ("ModelGovernor", "VoteCast"),
    ("ModelGovernor", "ProposalQueued"),
    ("ReleaseRegistry", "Released"),
    ("ReleaseRegistry", "Refused"),
    ("AgreementBook", "PaymentMade"),
    ("AgreementBook", "AgreementClosed"),
)


def _hex(value: object) -> str:
    return "0x" + raw(value).hex()
