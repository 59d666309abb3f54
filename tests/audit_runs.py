"""Audits as tests ask for them."""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from dataclasses import dataclass, replace
from functools import cache
from pathlib import Path

from agents.roles.invalid_updates import judge
from agents.training import metrics
from governance.adapters.evm.codebook import ArtifactCodebook
from governance.adapters.evm.witness import EvmWitness
from governance.adapters.store import FileStore
from governance.domain.market import Address
from governance.domain.policy import PolicySet
from governance.domain.record import sha256
from governance.policy import load_policies
from governance.ports import Event
from governance.services.audit import AuditReport, CheckResult, Evidence, verify
from governance.services.audit.context import Context
from governance.services.audit.history import HistoryReader
from governance.services.audit.library import search
from governance.services.audit.records import collect
from governance.services.audit.report import Examination
from governance.services.audit.sources import Witness
from governance.services.audit.verify import CHECKS, run
from governance.services.audit.world import replay
from tests.audit_story import Story


@cache
def shipped_policies() -> PolicySet:
    return load_policies()


def evidence_of(store: Path) -> Evidence:
    code = Path(metrics.__file__).read_bytes()
    return Evidence(store=FileStore(store), policy_files=shipped_policies(), shipped={sha256(code): code}, judge=judge)


def audit(story: Story, *, rpc: str | None = None, store: Path | None = None) -> AuditReport:
    """Audit the story, through another node or with another store if one is given."""
    evidence = evidence_of(store or story.store.folder)
    first = story.deployment.first_block
    return verify(EvmWitness(rpc or story.rpc), ArtifactCodebook(), story.registry, evidence=evidence, from_block=first)


def places(findings: Iterable[object]) -> str:
    """Return findings as one text."""
    return "\n".join(str(finding) for finding in findings)


class RememberingWitness:
    """Asks a node each question once; fits the port ``Witness``."""

    def __init__(self, witness: Witness) -> None:
        self._witness = witness
        self._known: dict[object, object] = {}

    def __getattr__(self, name: str) -> object:
        def ask(*arguments: object, **named: object) -> object:
            key = (name, repr(arguments), repr(named))
            if key not in self._known:
                self._known[key] = getattr(self._witness, name)(*arguments, **named)
            return self._known[key]

        return ask


class HeadWitness:
    """Asks a node about the head alone; proofs of older blocks, hundreds of them, are those of before."""

    def __init__(self, witness: Witness, before: Witness, head: int) -> None:
        self._witness, self._before, self._head = witness, before, head

    def __getattr__(self, name: str) -> object:
        return getattr(self._witness, name)

    def account_proofs(self, addresses: Sequence[Address], block: int) -> Sequence[Sequence[bytes]]:
        return (self._witness if block == self._head else self._before).account_proofs(addresses, block)


@dataclass(frozen=True)
class Reading:
    """A history read once, so that many altered copies of it can be checked."""

    context: Context
    store: Path

    @classmethod
    def of(cls, story: Story) -> Reading:
        witness: Witness = RememberingWitness(EvmWitness(story.rpc))  # type: ignore[assignment]
        blocks, codebook = Examination("blocks"), ArtifactCodebook()
        history = HistoryReader(witness, codebook, blocks).read(story.registry, story.deployment.first_block)
        evidence = evidence_of(story.store.folder)
        context = Context(
            history=history,
            world=replay(history.events, history.times_s, blocks),
            records=collect(history.events, blocks),
            witness=witness,
            codebook=codebook,
            store=evidence.store,
            library=search(evidence.store, blocks),
            shipped=evidence.shipped,
            policy_files=evidence.policy_files,
            judge=evidence.judge,
        )
        return cls(context, story.store.folder)

    def with_store(self, folder: Path, *names: str) -> list[CheckResult]:
        """Carry out the named checks, and that of the files, with another store."""
        files = Examination("files of the store")
        store = FileStore(folder)
        context = replace(self.context, store=store, library=search(store, files))
        return [*_run(context, names), files.result()]

    def with_events(self, events: list[Event], *names: str) -> list[CheckResult]:
        """Carry out checks, all or the named ones, on another course of events."""
        blocks = Examination("events")
        history = replace(self.context.history, events=events)
        context = replace(
            self.context,
            history=history,
            world=replay(events, history.times_s, blocks),
            records=collect(events, blocks),
        )
        return [blocks.result(), *_run(context, names)]

    def with_head(self, rpc: str) -> list[CheckResult]:
        """Carry out all checks with what a node says now about the state at the head, and said of older ones."""
        head = self.context.history.head.number
        witness: Witness = HeadWitness(EvmWitness(rpc), self.context.witness, head)  # type: ignore[assignment]
        return _run(replace(self.context, witness=witness), ())

    def contradicts(self, events: list[Event]) -> bool:
        """Say whether any check contradicts another course of events; stops at the first that does."""
        blocks = Examination("events")
        history = replace(self.context.history, events=events)
        world, records = replay(events, history.times_s, blocks), collect(events, blocks)
        context = replace(self.context, history=history, world=world, records=records)
        found = (run(name, checks, context).findings for name, checks in CHECKS if name != "storage behind the blocks")
        return bool(blocks.result().findings) or any(found)


def _run(context: Context, names: tuple[str, ...]) -> list[CheckResult]:
    return [run(name, checks, context) for name, checks in CHECKS if not names or name in names]
