"""Whether anybody changed the contracts' storage behind the transactions' back.

Storage may change only in a block with transactions. A development node lets its operator write into storage at any
time; that shows as a state that is not the one of its block's header, or as a change in blocks without transactions.
Nodes forget old states, so this looks back only as far as the node can.
"""

from collections.abc import Iterator

from eth_utils.crypto import keccak

from governance.services.audit.context import Context
from governance.services.audit.proofs import prove_account
from governance.services.audit.report import Examination
from governance.services.audit.sources import AnswerMissing, AnswerWrong


def check_state(context: Context, exam: Examination) -> None:
    """Prove the contracts' accounts from the head, and compare them over blocks without transactions."""
    head = context.history.head.number
    try:
        after = _storage(context, exam, head)
    except AnswerMissing as missing:
        exam.lacking(f"proofs of the contracts' accounts at the head ({missing})")
        return
    for name, (_, code_hash) in after.items():
        code = context.witness.code(context.address(name), head)
        exam.equal(f"{name}, block {head}", "hash of its code", expected=code_hash, found=keccak(code))
    try:
        for first, last in _quiet_runs(context):
            _compare(context, exam, first, last)
    except AnswerMissing:
        # Older states are gone; what stands at the head was compared with the events anyway.
        return


Storage = dict[str, tuple[bytes, bytes]]
"""Storage root and code hash by contract."""


def _storage(context: Context, exam: Examination, block: int) -> Storage:
    root = context.history.state_roots[block]
    found: Storage = {}
    for name, address in context.history.addresses.items():
        where = f"{name}, block {block}"
        try:
            account = prove_account(root, address, context.witness.account_proof(address, block))
        except AnswerWrong as wrong:
            exam.fault(where, "its storage is the one that the block's hash commits to", found=wrong.problem)
            continue
        exam.holds(where, "its storage is the one that the block's hash commits to", condition=True)
        found[name] = (account.storage_root, account.code_hash)
    return found


def _quiet_runs(context: Context) -> Iterator[tuple[int, int]]:
    """Yield the block before each run of blocks without transactions, and the run's last; newest first."""
    quiet = context.history.quiet
    last = context.history.head.number
    oldest = min(context.history.state_roots)
    while last > oldest:
        first = last
        while first in quiet and first > oldest:
            first -= 1
        # A block with transactions is a run of its own: its state must be that of its header.
        yield first, last
        last = first - 1 if first == last else first


def _compare(context: Context, exam: Examination, first: int, last: int) -> None:
    before = _storage(context, exam, first)
    if first == last:
        return
    after = _storage(context, exam, last)
    for name in before.keys() & after.keys():
        where = f"{name}, blocks {first + 1} to {last}"
        exam.equal(where, "nothing changes without a transaction", expected=before[name], found=after[name])
