"""The store, searched once: which document stands behind which root and digest."""

from collections.abc import Iterator, Mapping
from dataclasses import dataclass, field
from typing import Protocol

from governance.domain.evidence import AnchorEvidence, RoundEvidence, read_document
from governance.domain.record import Record, parse_canonical_json
from governance.errors import EvidenceMissing, FolkmootError, StoreDamaged
from governance.ports import EvidenceStore
from governance.services.audit.report import Examination
from governance.services.audit.sources import UNFOLLOWABLE

MAX_DOCUMENT_BYTES = 16 << 20
"""Longer files are artifacts; their bytes were hashed, and no root is looked for in them."""


class ListedStore(EvidenceStore, Protocol):
    """A store that can say what it claims to hold."""

    def digests(self) -> Iterator[bytes]:
        """Yield all digests."""
        ...


@dataclass(slots=True)
class Library:
    """What the store holds, by what the chain knows."""

    rounds: dict[bytes, RoundEvidence] = field(default_factory=dict)
    """By Merkle root."""
    anchors: dict[bytes, AnchorEvidence] = field(default_factory=dict)
    """By Merkle root; those of decoupled jobs."""
    files: int = 0


def search(store: ListedStore | None, exam: Examination) -> Library:
    """Hash every file of the store and find the documents of the rounds."""
    library = Library()
    if store is None:
        return library
    for digest in store.digests():
        try:
            data = store.get(digest)
        except StoreDamaged as damage:
            exam.fault(f"store file {digest.hex()}", "its bytes hash to its name", found=str(damage))
            continue
        except EvidenceMissing:
            continue
        library.files += 1
        exam.holds(f"store file {digest.hex()}", "its bytes hash to its name", condition=True)
        found = _leaves_of(data)
        if isinstance(found, RoundEvidence):
            library.rounds[found.root()] = found
        elif found is not None:
            library.anchors[found.root()] = found
    return library


def _leaves_of(data: bytes) -> RoundEvidence | AnchorEvidence | None:
    if not data.startswith(b"{") or len(data) > MAX_DOCUMENT_BYTES:
        return None
    try:
        if b'"type":"round"' in data:
            return RoundEvidence.read(data)
        return AnchorEvidence.read(data) if b'"type":"anchor"' in data else None
    except (FolkmootError, *UNFOLLOWABLE):
        # Somebody else's document; only what a posted root asks for is missed.
        return None


def fields_of(data: bytes, kind: str | None = None) -> Mapping[str, Record] | None:
    """Return the fields of a canonical document, of one type if one is given; None for anything else."""
    try:
        if kind is not None:
            return read_document(data, kind)
        record = parse_canonical_json(data)
    except FolkmootError:
        return None
    return record if isinstance(record, Mapping) else None
