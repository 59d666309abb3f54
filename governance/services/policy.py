"""The set of rules in force, read from the chain whenever it changed."""

from collections.abc import Sequence
from dataclasses import replace
from typing import cast

from governance.domain.policy import PolicySet
from governance.errors import InvalidRecord
from governance.policy import ChainFact, ChainRule, ChainTier, policy_from_chain
from governance.ports import Chain
from governance.services import reading

WHERE = "PolicyRegistry"


class PolicyInForce:
    """PolicyRegistry's rules with the words of the policy files at hand.

    Bits of purposes and licences are append-only, so the files' names fit any set; a rule without words
    goes by its id.
    """

    def __init__(self, chain: Chain, files: PolicySet) -> None:
        self._chain = chain
        self._known = files

    def now(self) -> PolicySet:
        """Return the set in force; asks for one hash unless that changed.

        Raises
        ------
        InvalidRecord
            If what the node answers does not lead to that hash, as when a set came into force in between.
        """
        active = reading.raw(self._chain.read(WHERE, "activeHash"))
        if active != self._known.set_hash:
            self._known = self._read(active)
        return self._known

    def _read(self, active: bytes) -> PolicySet:
        found = policy_from_chain(
            reading.number(self._chain.read(WHERE, "version")),
            reading.raw(self._chain.read(WHERE, "documentHash")),
            cast("Sequence[ChainTier]", reading.items(self._chain.read(WHERE, "tiers"))),
            cast("Sequence[ChainRule]", reading.items(self._chain.read(WHERE, "rules"))),
            facts=cast("Sequence[ChainFact]", reading.items(self._chain.read(WHERE, "facts"))),
        )
        if found.set_hash != active:
            raise InvalidRecord(f"the rules read do not hash to 0x{active.hex()}, which is in force; ask again")
        known = self._known
        return replace(found, texts=known.texts, purposes=known.purposes, licences=known.licences)
