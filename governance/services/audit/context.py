"""All that a check may look at: proven history, the state behind it, our code, the store."""

from collections.abc import Callable, Iterator, Mapping
from dataclasses import dataclass
from typing import TypeAlias

from governance.domain.accusation import Judge
from governance.domain.market import Address
from governance.domain.policy import PolicySet
from governance.errors import ContractRefused, EvidenceMissing, StoreDamaged
from governance.ports import Event, EvidenceStore
from governance.services.audit.history import History
from governance.services.audit.library import Library
from governance.services.audit.records import Records
from governance.services.audit.report import Examination
from governance.services.audit.sources import Codebook, Witness
from governance.services.audit.timeline import Moment
from governance.services.audit.world import World

END: Moment = (1 << 64, 0)
"""After everything that happened."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Context:
    """What was read once and is shared by all checks."""

    history: History
    world: World
    records: Records
    witness: Witness
    codebook: Codebook
    store: EvidenceStore | None
    library: Library
    shipped: Mapping[bytes, bytes]
    """Files of this installation by their SHA-256, such as the metric code."""
    policy_files: PolicySet | None
    """Compiled from YAML; None when the files are not at hand."""
    judge: Judge | None = None
    """Judges complaints about updates as jurors do; None where nobody here can."""

    def events(self, contract: str, *names: str) -> Iterator[Event]:
        """Yield the named events of a contract in the order of the chain; all of them when none is named."""
        for event in self.history.events:
            if event.contract == contract and (not names or event.name in names):
                yield event

    def address(self, contract: str) -> Address:
        """Return where a contract stands."""
        return self.history.addresses[contract]

    def time_s(self, event: Event) -> int:
        """Return the time of an event's block."""
        return self.history.times_s[event.block]

    def read(self, contract: str, function: str, *arguments: object) -> object:
        """Return what a view answers at the head."""
        return self.witness.call(
            contract, self.address(contract), function, arguments=arguments, block=self.history.head.number
        )

    def state(self, exam: Examination, where: str, what: str, *, expected: object, call: tuple[object, ...]) -> None:
        """Compare what a view answers at the head with what the events say."""
        contract, function, *arguments = call
        try:
            found = self.read(str(contract), str(function), *arguments)
        except ContractRefused as refusal:
            exam.fault(where, what, found=str(refusal))
            return
        exam.equal(where, what, expected=expected, found=found)

    def evidence(self, exam: Examination, digest: bytes, what: str) -> bytes | None:
        """Return the bytes behind a digest; missing ones are noted, altered ones are a finding."""
        name = f"{what} ({digest.hex()})"
        if self.store is None:
            exam.lacking("the files behind plans, updates, models, cards and reports; name their folder with --store")
            return None
        try:
            return self.store.get(digest)
        except EvidenceMissing:
            exam.lacking(f"{name} is not in the store")
        except StoreDamaged as damage:
            exam.fault(f"store file {digest.hex()}", f"{what} hashes to its name", found=str(damage))
        return None


Check: TypeAlias = Callable[[Context, Examination], None]
"""One family of checks."""


def place(event: Event) -> str:
    """Return where an event stands, for people."""
    return f"block {event.block}, transaction {event.transaction}, {event.contract}.{event.name}"


def short(digest: bytes) -> str:
    """Return the first 8 characters of a digest."""
    return digest.hex()[:8]
