"""What happens on chain, in sentences for the person who watches."""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from typing import TYPE_CHECKING, Final

from governance.domain.market import Kind
from governance.domain.release import MANIFEST_FIELDS, RefusalReason
from governance.domain.signing import read_short_text
from governance.policy import load_policies, rule_ids
from governance.services.reading import items, number, raw, row

if TYPE_CHECKING:
    from governance.ports import Chain, Event

REFUSALS: Final = {
    "none": "nobody said why",
    "policy": "the constitution did not let it",
    "vote": "the vote failed, or was not asked for or carried out in time",
    "jury": "no jury could measure it",
    "withdrawal": "an owner behind it took its consent back",
}
TERMS_FIELDS: Final = 20
JOB_FIELDS: Final = 14


class Milestones:
    """Reads events once each and puts them into words."""

    def __init__(self, chain: Chain) -> None:
        self._chain = chain
        self._next = chain.first_block
        self._rounds = 0
        self._policy = load_policies()

    def read(self) -> list[str]:
        """Return a sentence for everything new."""
        head = self._chain.block_number()
        if head < self._next:
            return []
        events: list[Event] = []
        known = (*WORDS, *SUMS)
        for contract in dict.fromkeys(place for place, _ in known):
            names = [name for place, name in known if place == contract]
            events += self._chain.events(contract, names, from_block=self._next, to_block=head)
        self._next = head + 1
        events.sort(key=lambda event: (event.block, event.log_index))
        lines = [
            WORDS[place](self, event.values) for event in events if (place := (event.contract, event.name)) in WORDS
        ]
        for place, sentence in SUMS.items():
            lines.append(sentence([event.values for event in events if (event.contract, event.name) == place]))
        return [line for line in lines if line]

    def job(self, values: Mapping[str, object]) -> str:
        terms = row(values["terms"], JOB_FIELDS)
        names = ", ".join(read_short_text(raw(name)) for name in items(terms[10]))
        bonus = number(terms[11]) / 10**18
        promised = f"; a bonus of {bonus:.2f} credits is locked for the owners behind its release" if bonus else ""
        return f"a job is announced; its candidates, in this order: {names}{promised}"

    def agreement(self, values: Mapping[str, object]) -> str:
        terms = row(values["terms"], TERMS_FIELDS)
        kind, price = Kind(number(terms[0])), number(terms[4]) / 10**18
        return f"agreement on {kind.word.replace('_', ' ')} for {price:.2f} credits, signed by both, locked in escrow"

    def round(self, values: Mapping[str, object]) -> str:
        count = number(values["round"])
        return f"round {count} is anchored: {number(values['leaves']) - 1} owners in one Merkle root"

    def candidate(self, values: Mapping[str, object]) -> str:
        manifest = row(values["manifest"], MANIFEST_FIELDS)
        return f"candidate {read_short_text(raw(manifest[1]))} is submitted, file {raw(manifest[3]).hex()[:8]}"

    def jury(self, values: Mapping[str, object]) -> str:
        return f"a jury of {len(items(values['jurors']))} is drawn; only now evaluation rows leave, sealed to it"

    def final(self, values: Mapping[str, object]) -> str:
        keys = [read_short_text(raw(key)) for key in items(values["keys"])]
        medians = [number(value) / 10**6 for value in items(values["medians"])]
        figures = ", ".join(f"{key} {value:.2f}" for key, value in zip(keys, medians, strict=True))
        return f"the jury's medians: {figures}"

    def appealed(self, values: Mapping[str, object]) -> str:
        return f"the result is appealed; a jury of {number(values['jurySize'])} measures the same rows again"

    def settled(self, values: Mapping[str, object]) -> str:
        slashed = sum(number(amount) for amount in items(values["slashedE18"])) / 10**18
        return f"jurors lose {slashed:.2f} credits of their stakes" if slashed else ""

    def proposal(self, values: Mapping[str, object]) -> str:
        return f"proposal {str(values['proposalId'])[:8]} is open"

    def refused(self, values: Mapping[str, object]) -> str:
        reason = RefusalReason(number(values["reason"]))
        rules = ", ".join(rule_ids(self._policy, number(values["failedRules"])))
        if reason is RefusalReason.POLICY:
            return f"REFUSED: the vote passed, the constitution did not let it: [{rules}]"
        return f"REFUSED: {REFUSALS[reason.name.lower()]}"

    def released(self, values: Mapping[str, object]) -> str:
        return f"RELEASED: file {raw(values['artifact']).hex()[:8]} may be used; every rule holds"

    def bonus(self, values: Mapping[str, object]) -> str:
        amount = number(values["amountE18"]) / 10**18
        if not any(raw(values["release"])):
            return f"the bonus of {amount:.2f} credits goes back to the buyer"
        return f"the bonus of {amount:.2f} credits goes to the owners behind the release"

    def share(self, values: Mapping[str, object]) -> str:
        amount, percent = number(values["amountE18"]) / 10**18, number(values["sharePpb"]) / 10**7
        return f"organisation {number(values['organisation'])} claims its {percent:g} %: {amount:.2f} credits"


def payments(paid: Sequence[Mapping[str, object]]) -> str:
    """Return one sentence for all payments of a moment, or none."""
    amount = sum(number(values["amountE18"]) for values in paid) / 10**18
    sellers = len({values["to"] for values in paid})
    return f"{amount:.2f} credits are paid to {sellers} seller{'s'[: sellers != 1]}" if paid else ""


def refunds(closed: Sequence[Mapping[str, object]]) -> str:
    """Return one sentence for what comes back from the agreements that ended in a moment, or none."""
    back = sum(number(values["refundedE18"]) for values in closed) / 10**18
    return f"{back:.2f} credits of escrow go back to the buyer" if back else ""


WORDS: Final[dict[tuple[str, str], Callable[[Milestones, Mapping[str, object]], str]]] = {
    ("AgreementBook", "JobOpened"): Milestones.job,
    ("AgreementBook", "AgreementCreated"): Milestones.agreement,
    ("RewardVault", "BonusSettled"): Milestones.bonus,
    ("RewardVault", "ShareClaimed"): Milestones.share,
    ("RoundLedger", "RoundPosted"): Milestones.round,
    ("EvaluatorCourt", "JuryDrawn"): Milestones.jury,
    ("EvaluatorCourt", "CaseFinal"): Milestones.final,
    ("EvaluatorCourt", "Appealed"): Milestones.appealed,
    ("EvaluatorCourt", "JurySettled"): Milestones.settled,
    ("ReleaseRegistry", "CandidateSubmitted"): Milestones.candidate,
    ("ReleaseRegistry", "Refused"): Milestones.refused,
    ("ReleaseRegistry", "Released"): Milestones.released,
    ("ModelGovernor", "ProposalCreated"): Milestones.proposal,
}
SUMS: Final[dict[tuple[str, str], Callable[[Sequence[Mapping[str, object]]], str]]] = {
    ("AgreementBook", "PaymentMade"): payments,
    ("AgreementBook", "AgreementClosed"): refunds,
}
"""Many of these come in a moment; a line for each would bury what was decided."""
