"""The events of our contracts, each proven from the hash of its block."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from typing import Final

from eth_utils.crypto import keccak

from governance.domain.deployment import CONTRACTS
from governance.domain.market import Address
from governance.ports import Event
from governance.services import reading
from governance.services.audit.blocks import EMPTY_ROOT, BlockHeader, RawReceipt, ordered_root
from governance.services.audit.report import Examination
from governance.services.audit.sources import AnswerMissing, AnswerWrong, Codebook, Creation, Witness

GETTERS: Final = {
    "ModelGovernor": "governor",
    "Timelock": "timelock",
    "MemberToken": "memberToken",
    "PolicyRegistry": "policyRegistry",
    "AgentRegistry": "agentRegistry",
    "AgreementBook": "agreementBook",
    "RoundLedger": "roundLedger",
    "EvaluatorCourt": "evaluatorCourt",
    "Amendments": "amendments",
    "RewardVault": "rewardVault",
    "Consent": "consent",
    "Disputes": "disputes",
}
"""Where ReleaseRegistry says that the others stand."""
RANGE: Final = 500
"""Blocks read at a time."""
MAX_CONTRADICTIONS: Final = 2_000
"""A node may invent blocks without end."""


@dataclass(slots=True, kw_only=True)
class History:
    """All that happened to our contracts up to one block."""

    chain_id: int
    head: BlockHeader
    addresses: dict[str, Address]
    """By contract; Credit is missing until the creation of AgreementBook was found, which names it."""
    events: list[Event] = field(default_factory=list)
    """In the order of the chain."""
    creations: dict[str, tuple[Creation, tuple[object, ...]]] = field(default_factory=dict)
    """By contract: the creation, and the arguments of the constructor."""
    times_s: dict[int, int] = field(default_factory=dict)
    hashes: dict[int, bytes] = field(default_factory=dict)
    receipts_roots: dict[int, bytes] = field(default_factory=dict)
    state_roots: dict[int, bytes] = field(default_factory=dict)
    quiet: set[int] = field(default_factory=set)
    """Blocks without transactions."""


def wiring(witness: Witness, registry: Address, block: int) -> dict[str, Address]:
    """Return where the registry says that every contract but Credit stands."""
    addresses = {"ReleaseRegistry": registry}
    for contract, getter in GETTERS.items():
        answer = witness.call("ReleaseRegistry", registry, getter, arguments=(), block=block)
        addresses[contract] = reading.address(answer)
    return addresses


class HistoryReader:
    """Reads all blocks once, checks each against its hash, and keeps the events of our contracts."""

    def __init__(self, witness: Witness, codebook: Codebook, examination: Examination) -> None:
        self._witness = witness
        self._codebook = codebook
        self._exam = examination

    def read(self, registry: Address, from_block: int) -> History:
        """Return the history from a block, at or before the deployment, to the head."""
        last = self._witness.head()
        head = self._witness.headers(last, last)[0]
        history = History(chain_id=self._witness.chain_id(), head=head, addresses=wiring(self._witness, registry, last))
        previous: BlockHeader | None = None
        for start in range(from_block, last + 1, RANGE):
            for number, header in enumerate(self._witness.headers(start, min(start + RANGE - 1, last)), start):
                self._check_header(header, previous, number)
                previous = header
                self._take(history, header)
            if self._exam.contradictions > MAX_CONTRADICTIONS:
                raise AnswerWrong(f"block {start}", "a chain that contradicts itself so often is not read to its end")
        self._exam.equal(f"block {last}", "the head read first", expected=head.hash, found=previous and previous.hash)
        self._note_missing(history)
        return history

    def _check_header(self, header: BlockHeader, previous: BlockHeader | None, number: int) -> None:
        where = f"block {number}"
        self._exam.equal(where, "number", expected=number, found=header.number)
        self._exam.equal(where, "hash of the header's fields", expected=header.computed_hash(), found=header.hash)
        if previous is not None:
            self._exam.equal(where, "link to the block before", expected=previous.hash, found=header.parent)
            # Equal times are possible: a development chain mines several blocks in one second.
            self._exam.holds(
                where, "time does not run back", condition=header.time_s >= previous.time_s, found=header.time_s
            )

    def _take(self, history: History, header: BlockHeader) -> None:
        history.times_s[header.number] = header.time_s
        history.hashes[header.number] = header.hash
        history.receipts_roots[header.number] = header.receipts_root
        history.state_roots[header.number] = header.state_root
        if header.transactions_root == EMPTY_ROOT:
            history.quiet.add(header.number)
        deploying = self._is_deploying(history) and header.transactions_root != EMPTY_ROOT
        concerned = any(header.may_concern(address) for address in history.addresses.values())
        if not deploying and not concerned:
            return
        try:
            self._read_block(history, header)
        except AnswerWrong as wrong:
            self._exam.fault(wrong.where, "the node's answer", found=wrong.problem)
        except AnswerMissing as missing:
            self._exam.lacking(str(missing))

    def _read_block(self, history: History, header: BlockHeader) -> None:
        where = f"block {header.number}"
        raws = self._witness.transactions(header.transactions)
        self._exam.equal(where, "root of its transactions", expected=header.transactions_root, found=ordered_root(raws))
        for digest, raw in zip(header.transactions, raws, strict=True):
            self._exam.equal(f"transaction 0x{digest.hex()}", "hash", expected=keccak(raw), found=digest)
            self._note_creation(history, raw, header.number)
        receipts = self._witness.receipts(header.number)
        root = ordered_root([receipt.encoded() for receipt in receipts])
        self._exam.equal(where, "root of its receipts, so of all its events", expected=header.receipts_root, found=root)
        self._exam.equal(where, "number of receipts", expected=len(raws), found=len(receipts))
        history.events += self._events(history.addresses, header, receipts)

    def _note_creation(self, history: History, raw: bytes, block: int) -> None:
        if not self._is_deploying(history):
            return
        creation = self._codebook.creation(raw, block)
        if creation is None:
            return
        for name, address in history.addresses.items():
            known = self._codebook.blueprint(name).creation
            if address == creation.address and creation.code.startswith(known):
                arguments = tuple(self._codebook.constructor_arguments(name, creation.code[len(known) :]))
                history.creations[name] = (creation, arguments)
        if "AgreementBook" in history.creations and "Credit" not in history.addresses:
            wired = reading.row(history.creations["AgreementBook"][1][0], len(CONTRACTS))
            history.addresses["Credit"] = reading.address(wired[CONTRACTS.index("Credit")])

    def _is_deploying(self, history: History) -> bool:
        return any(name not in history.creations for name in ("ReleaseRegistry", *GETTERS))

    def _events(
        self, addresses: Mapping[str, Address], header: BlockHeader, receipts: Sequence[RawReceipt]
    ) -> list[Event]:
        names = {address: name for name, address in addresses.items()}
        found: list[Event] = []
        index = -1
        for digest, receipt in zip(header.transactions, receipts, strict=False):
            for log in receipt.logs:
                index += 1
                contract = names.get(log.address)
                if contract is None:
                    continue
                where = f"block {header.number}, transaction 0x{digest.hex()}, log {index}"
                decoded = self._codebook.decode(contract, log)
                if decoded is None:
                    self._exam.fault(where, f"an event that {contract} does not have", found=log.topics[:1])
                    continue
                found.append(
                    Event(
                        contract=contract,
                        name=decoded[0],
                        values=decoded[1],
                        block=header.number,
                        log_index=index,
                        transaction="0x" + digest.hex(),
                    )
                )
        return found

    def _note_missing(self, history: History) -> None:
        for name in ("ReleaseRegistry", *GETTERS):
            if name not in history.creations:
                self._exam.lacking(
                    f"the transaction that created {name}, so its constructor's arguments;"
                    " start earlier with --from-block"
                )
