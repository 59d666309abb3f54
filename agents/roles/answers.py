"""A coordinator answers, by itself, what is held against the rounds of its jobs."""

import logging
from collections.abc import Callable

from agents.roles.desk import Desk, Plans, each, merge
from agents.roles.evidence import known_rounds
from agents.roles.feed import Feed
from governance.domain.market import Kind
from governance.errors import ContractRefused, InvalidRecord
from governance.ports import Event
from governance.services import reading
from governance.services.challenges import Challenges, ChallengeState

LOGGER = logging.getLogger(__name__)
BY_ROUND = frozenset({Kind.DATA, Kind.COMPUTE})


class Answers:
    """Shows leaves and names agreements."""

    def __init__(self, desk: Desk) -> None:
        self._desk = desk
        self._challenges = Challenges(desk.chain)
        self._feed = Feed(desk.chain, "RoundLedger", ["OmissionChallenged", "StrangerChallenged"])
        self._is_ours: dict[bytes, bool] = {}
        self._over: set[tuple[str, int]] = set()
        """Challenges that need nothing of us any more."""

    def step(self) -> Plans:
        """Answer every challenge of a round of ours that is still open.

        A leaf that cannot be shown yet is looked for again: the round may be posted within the day.
        """
        waiting = [event for event in self._feed.read() if (event.transaction, event.log_index) not in self._over]
        return merge(each(waiting, self._answer, name=lambda event: f"a challenge in block {event.block}"))

    def _answer(self, event: Event) -> Plans:
        job = reading.raw(event.values["job"])
        now_s, until_s = self._desk.chain.now_s(), reading.number(event.values["untilS"])
        answer = self._show_leaf if event.name == "OmissionChallenged" else self._name_agreement
        if now_s > until_s or not self._coordinates(job) or answer(event, job):
            self._over.add((event.transaction, event.log_index))
        return Plans()

    def _coordinates(self, job: bytes) -> bool:
        if job not in self._is_ours:
            self._is_ours[job] = self._desk.agreements.job(job).coordinator == self._desk.address
        return self._is_ours[job]

    def _show_leaf(self, event: Event, job: bytes) -> bool:
        """Return whether nothing is left to be done: it is answered, or there never will be such a leaf."""
        agreement, number = reading.raw(event.values["agreement"]), reading.number(event.values["round"])
        if self._challenges.omission(agreement, number)[0] is not ChallengeState.OPEN:
            return True
        found = next((known for known in known_rounds(self._desk, job) if known.round_number == number), None)
        if found is None:
            return False
        try:
            leaf, proof = found.proof(reading.address(event.values["owner"]))
        except InvalidRecord as problem:
            LOGGER.warning("an omission that is true: %s", problem)
            return True
        if leaf.digest != event.values["digest"]:
            LOGGER.warning("round %s of job %s holds another update of %s", number, job.hex()[:8], leaf.agent)
            return True
        market, signer = self._desk.market, self._desk.signer
        return self._try(
            lambda: self._challenges.answer_omission(
                signer, agreement, market=market, job=job, number=number, proof=proof
            )
        )

    def _name_agreement(self, event: Event, job: bytes) -> bool:
        agent, number = reading.address(event.values["agent"]), reading.number(event.values["round"])
        known = [record.id for record in self._desk.agreements.of(job, seller=agent) if record.kind in BY_ROUND]
        if not known:
            LOGGER.warning("round %s of job %s really counts the stranger %s", number, job.hex()[:8], agent)
            return True
        return self._try(
            lambda: self._challenges.answer_stranger(
                self._desk.signer, job, number=number, agent=agent, agreement=known[0]
            )
        )

    def _try(self, action: Callable[[], object]) -> bool:
        try:
            action()
        except ContractRefused as refusal:
            # Somebody answered before us, or a round was posted in between; the next step sees which.
            LOGGER.info("an answer: %s", refusal)
            return refusal.name == "RoundNoChallenge"
        return True
