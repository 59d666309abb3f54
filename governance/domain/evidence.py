"""Documents behind the digests on chain, as they lie in the store.

Each is canonical JSON under the name of its SHA-256. Aggregation privacy ``clear`` publishes the updates
themselves: their noise is the protection, and anybody can add them up again.
"""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Final, Self

from eth_abi.abi import encode
from eth_utils.address import is_address
from eth_utils.crypto import keccak

from governance.domain import merkle
from governance.domain.market import Address
from governance.domain.record import Record, canonical_json, parse_canonical_json, sha256
from governance.domain.signing import Domain
from governance.errors import InvalidRecord

LEAF_TYPES = ("bytes32", "uint32", "address", "bytes32")
"""Job, round, agent, digest."""
LEAF_TYPE: Final = "Leaf(bytes32 job,uint32 round,address agent,bytes32 digest)"
SIGNATURE_BYTES: Final = 65


@dataclass(frozen=True, slots=True, kw_only=True)
class Leaf:
    """One agent's work in a round."""

    agent: Address
    digest: bytes
    """SHA-256 of the agent's update or aggregate document."""
    signature: bytes = b""
    """The agent's, over ``signed_digest``; empty where nobody kept it. It is no part of the tree."""

    def hashed(self, job: bytes, round_number: int) -> bytes:
        """Return the leaf of the round's tree (OpenZeppelin StandardMerkleTree).

        Raises
        ------
        InvalidRecord
            If agent or round cannot be encoded: a document that somebody else wrote may name anything.
        """
        return merkle.standard_leaf(LEAF_TYPES, self._fields(job, round_number))

    def signed_digest(self, job: bytes, round_number: int, ledger: Domain) -> bytes:
        """Return what the agent signs: that this is its work in the round (EIP-712, under RoundLedger's domain).

        Raises
        ------
        InvalidRecord
            As ``hashed``.
        """
        fields = self._fields(job, round_number)
        return ledger.digest(keccak(encode(["bytes32", *LEAF_TYPES], [keccak(text=LEAF_TYPE), *fields])))

    def _fields(self, job: bytes, round_number: int) -> tuple[object, ...]:
        if not is_address(self.agent) or not 0 <= round_number < 1 << 32:
            raise InvalidRecord(f"round {round_number!r:.20} of {self.agent!r:.60} is no leaf")
        return job, round_number, self.agent, self.digest


@dataclass(frozen=True, slots=True, kw_only=True)
class RoundEvidence:
    """What stands behind the root of one round."""

    job: bytes
    round_number: int
    leaves: tuple[Leaf, ...]
    """Owners first, the compute provider last."""

    def hashes(self) -> list[bytes]:
        """Return the leaves of the tree in the order of ``leaves``."""
        return [leaf.hashed(self.job, self.round_number) for leaf in self.leaves]

    def root(self) -> bytes:
        """Return the root that is posted on chain."""
        return merkle.root(self.hashes())

    def proof(self, agent: Address) -> tuple[Leaf, list[bytes]]:
        """Return an agent's leaf and its proof.

        Raises
        ------
        InvalidRecord
            If the agent has no leaf in this round.
        """
        for index, leaf in enumerate(self.leaves):
            if leaf.agent == agent:
                return leaf, merkle.proof(self.hashes(), index)
        raise InvalidRecord(f"{agent} has no leaf in round {self.round_number}")

    def document(self) -> bytes:
        """Return the document for the store."""
        return canonical_json(
            {
                "type": "round",
                "job": "0x" + self.job.hex(),
                "round": self.round_number,
                "root": "0x" + self.root().hex(),
                "leaves": self.entries(),
            }
        )

    def entries(self) -> list[Record]:
        """Return the leaves as documents hold them."""
        return [_entry(leaf) for leaf in self.leaves]

    @classmethod
    def read(cls, data: bytes) -> Self:
        """Read a round's document.

        Raises
        ------
        InvalidRecord
            If it is no such document, or its root does not follow from its leaves.
        """
        document = read_document(data, "round")
        try:
            read = _round(word(document["job"]), document)
            found = cls(job=read.job, round_number=read.round_number, leaves=read.leaves)
            if found.root() != word(document["root"]):
                raise InvalidRecord(f"round {found.round_number}: the root does not follow from the leaves")
        except (KeyError, ValueError) as problem:
            raise InvalidRecord(f"this is no round document: {problem!r}") from problem
        return found


@dataclass(frozen=True, slots=True, kw_only=True)
class AnchorEvidence:
    """What stands behind an anchor: all rounds of one candidate in one tree (decoupled mode)."""

    job: bytes
    rounds: tuple[RoundEvidence, ...]
    """In order; the leaves name their rounds."""

    def hashes(self) -> list[bytes]:
        """Return the leaves of the tree, round by round."""
        return [hashed for each in self.rounds for hashed in each.hashes()]

    def root(self) -> bytes:
        """Return the root that is posted on chain."""
        return merkle.root(self.hashes())

    def proof(self, agent: Address, round_number: int) -> tuple[Leaf, list[bytes]]:
        """Return an agent's leaf of a round and its proof.

        Raises
        ------
        InvalidRecord
            If the agent has no leaf in this round.
        """
        leaves = [(each.round_number, leaf) for each in self.rounds for leaf in each.leaves]
        for index, (number, leaf) in enumerate(leaves):
            if (number, leaf.agent) == (round_number, agent):
                return leaf, merkle.proof(self.hashes(), index)
        raise InvalidRecord(f"{agent} has no leaf of round {round_number} in this anchor")

    def document(self) -> bytes:
        """Return the document for the store."""
        rounds: list[Record] = [{"round": each.round_number, "leaves": each.entries()} for each in self.rounds]
        head = {"type": "anchor", "job": "0x" + self.job.hex(), "root": "0x" + self.root().hex()}
        return canonical_json({**head, "rounds": rounds})

    @classmethod
    def read(cls, data: bytes) -> Self:
        """Read an anchor's document.

        Raises
        ------
        InvalidRecord
            If it is no such document, or its root does not follow from its leaves.
        """
        document = read_document(data, "anchor")
        try:
            job = word(document["job"])
            found = cls(job=job, rounds=tuple(_round(job, entry) for entry in objects(document["rounds"])))
            if found.root() != word(document["root"]):
                raise InvalidRecord("an anchor's root does not follow from its leaves")
        except (KeyError, ValueError) as problem:
            raise InvalidRecord(f"this is no anchor document: {problem!r}") from problem
        return found


@dataclass(frozen=True, slots=True, kw_only=True)
class PublishedRound:
    """The updates behind one round, from which its leaves follow."""

    round_number: int
    compute: Address
    """The provider that added them up."""
    updates: tuple[tuple[Address, tuple[int, ...]], ...]
    """Owner and update in 1e-9 units, in the order of the leaves."""

    def evidence(self, job: bytes) -> RoundEvidence:
        """Return the leaves of the round, computed from the updates alone."""
        if len({len(values) for _, values in self.updates}) != 1:
            raise InvalidRecord(f"round {self.round_number}: no updates, or of different lengths")
        owners = [
            Leaf(agent=agent, digest=digest(update_document(job, self.round_number, agent, values)))
            for agent, values in self.updates
        ]
        total = [sum(column) for column in zip(*(values for _, values in self.updates), strict=True)]
        document = aggregate_document(job, self.round_number, self.compute, sum_nanos=total, owners=owners)
        own = Leaf(agent=self.compute, digest=digest(document))
        return RoundEvidence(job=job, round_number=self.round_number, leaves=(*owners, own))


@dataclass(frozen=True, slots=True, kw_only=True)
class CandidateRounds:
    """Every update behind a candidate in one document: the round of statistics, then its own rounds.

    The card names its SHA-256. It needs no trust: each round's root follows from it.
    """

    job: bytes
    rounds: tuple[PublishedRound, ...]

    def document(self) -> bytes:
        """Return the document for the store."""
        rounds: list[Record] = [
            {
                "round": each.round_number,
                "compute": each.compute,
                "updates": [{"agent": agent, "update_nanos": list(values)} for agent, values in each.updates],
            }
            for each in self.rounds
        ]
        return canonical_json({"type": "candidate-rounds", "job": "0x" + self.job.hex(), "rounds": rounds})

    @classmethod
    def read(cls, data: bytes) -> Self:
        """Read the document that a card names.

        Raises
        ------
        InvalidRecord
            If it is no such document.
        """
        document = read_document(data, "candidate-rounds")
        try:
            rounds = tuple(
                PublishedRound(
                    round_number=whole(entry["round"]),
                    compute=str(entry["compute"]),
                    updates=tuple(
                        (str(each["agent"]), tuple(numbers(each["update_nanos"]))) for each in objects(entry["updates"])
                    ),
                )
                for entry in objects(document["rounds"])
            )
            return cls(job=word(document["job"]), rounds=rounds)
        except KeyError as problem:
            raise InvalidRecord(f"this is no document of a candidate's rounds: {problem!r}") from problem


def _round(job: bytes, entry: Mapping[str, Record]) -> RoundEvidence:
    leaves = tuple(_leaf(each) for each in objects(entry["leaves"]))
    return RoundEvidence(job=job, round_number=whole(entry["round"]), leaves=leaves)


def _entry(leaf: Leaf) -> Record:
    entry: dict[str, Record] = {"agent": leaf.agent, "digest": "0x" + leaf.digest.hex()}
    return {**entry, "signature": "0x" + leaf.signature.hex()} if leaf.signature else entry


def _leaf(entry: Mapping[str, Record]) -> Leaf:
    signature = _bytes(entry["signature"], SIGNATURE_BYTES) if "signature" in entry else b""
    return Leaf(agent=str(entry["agent"]), digest=word(entry["digest"]), signature=signature)


def update_document(job: bytes, round_number: int, agent: Address, update_nanos: Sequence[int]) -> bytes:
    """Return the document of one owner's update, in 1e-9 units."""
    return canonical_json(
        {
            "type": "update",
            "job": "0x" + job.hex(),
            "round": round_number,
            "agent": agent,
            "update_nanos": list(update_nanos),
        }
    )


def aggregate_document(
    job: bytes, round_number: int, agent: Address, *, sum_nanos: Sequence[int], owners: Sequence[Leaf]
) -> bytes:
    """Return the document of a compute provider's sum over the named owners' updates, in 1e-9 units."""
    return canonical_json(
        {
            "type": "aggregate",
            "job": "0x" + job.hex(),
            "round": round_number,
            "agent": agent,
            "sum_nanos": list(sum_nanos),
            "owners": [{"agent": owner.agent, "digest": "0x" + owner.digest.hex()} for owner in owners],
        }
    )


def digest(document: bytes) -> bytes:
    """Return the name of a document in the store: its SHA-256."""
    return sha256(document)


def read_document(data: bytes, kind: str) -> Mapping[str, Record]:
    """Return the fields of a document of this type.

    Raises
    ------
    InvalidRecord
        If it is another document.
    """
    record = parse_canonical_json(data)
    if not isinstance(record, Mapping) or record.get("type") != kind:
        raise InvalidRecord(f"this is no {kind} document")
    return record


def word(value: object) -> bytes:
    """Return the 32 bytes behind 0x hex, else raise InvalidRecord."""
    return _bytes(value, 32)


def _bytes(value: object, length: int) -> bytes:
    if not isinstance(value, str) or len(value) != 2 + 2 * length or not value.startswith("0x"):
        raise InvalidRecord(f"{value!r} is not {length} bytes as 0x hex")
    try:
        return bytes.fromhex(value[2:])
    except ValueError as problem:
        raise InvalidRecord(f"{value!r} is not {length} bytes as 0x hex") from problem


def whole(value: object) -> int:
    """Return a whole number, else raise InvalidRecord."""
    if isinstance(value, bool) or not isinstance(value, int):
        raise InvalidRecord(f"{value!r} is not a whole number")
    return value


def numbers(value: object) -> list[int]:
    """Return a list of whole numbers, else raise InvalidRecord."""
    if isinstance(value, str) or not isinstance(value, Sequence):
        raise InvalidRecord("a list of whole numbers is missing")
    return [whole(item) for item in value]


def objects(value: object) -> list[Mapping[str, Record]]:
    """Return a list of objects, else raise InvalidRecord."""
    if isinstance(value, str) or not isinstance(value, Sequence):
        raise InvalidRecord("a list of objects is missing")
    found = [item for item in value if isinstance(item, Mapping)]
    if len(found) != len(value):
        raise InvalidRecord("a list holds something that is no object")
    return found
