"""Whether anybody changed the contracts' storage behind the transactions' back.

Storage may change only in a block with transactions. A development node lets its operator write into its state at any
time; that shows as a state that is not the one of its block's hash, or as a change in blocks without transactions.
Nodes forget old states, so this looks back only as far as the node can.
"""

from collections.abc import Iterator, Sequence

from eth_utils.crypto import keccak

from governance.services.audit.context import Context
from governance.services.audit.history import GETTERS
from governance.services.audit.proofs import Account, prove_account
from governance.services.audit.report import Examination
from governance.services.audit.sources import AnswerMissing, AnswerWrong

ONE = ("ReleaseRegistry",)
ALL = ("ReleaseRegistry", *GETTERS)


def check_state(context: Context, exam: Examination) -> None:
    """Prove the contracts' accounts from the head, and compare them over blocks without transactions."""
    head = context.history.head.number
    try:
        accounts = _prove(context, exam, head, ALL)
    except AnswerMissing as missing:
        exam.lacking(f"proofs of the contracts' accounts at the head ({missing})")
        return
    for name, account in accounts.items():
        code = context.witness.code(context.address(name), head)
        exam.equal(f"{name}, block {head}", "hash of its code", expected=account.code_hash, found=keccak(code))
    try:
        for first, last in _quiet_runs(context):
            _compare(context, exam, first, last)
    except AnswerMissing:
        # Older states are gone; what stands at the head is compared with the events by the other checks.
        return


def _compare(context: Context, exam: Examination, first: int, last: int) -> None:
    if first == last:
        _prove(context, exam, first, ONE)
        return
    before, after = _prove(context, exam, first, ALL), _prove(context, exam, last, ALL)
    for name in sorted(before.keys() & after.keys()):
        where = f"{name}, blocks {first + 1} to {last}"
        what = "nothing changes without a transaction"
        exam.equal(where, what, expected=before[name].storage_root, found=after[name].storage_root)


def _prove(context: Context, exam: Examination, block: int, names: Sequence[str]) -> dict[str, Account]:
    root = context.history.state_roots[block]
    addresses = [context.address(name) for name in names]
    found: dict[str, Account] = {}
    for name, address, nodes in zip(names, addresses, context.witness.account_proofs(addresses, block), strict=True):
        where, what = f"{name}, block {block}", "the block's hash commits to its storage"
        try:
            found[name] = prove_account(root, address, nodes)
            exam.holds(where, what, condition=True)
        except AnswerWrong as wrong:
            exam.fault(where, what, found=wrong.problem)
    return found


def _quiet_runs(context: Context) -> Iterator[tuple[int, int]]:
    """Yield each block with transactions together with the last of the quiet blocks that follow it; newest first."""
    history = context.history
    if any(name not in history.creations for name in ALL):
        return
    oldest = max(creation.block for creation, _ in history.creations.values())
    last = history.head.number
    while last >= oldest:
        first = last
        while first in history.quiet and first > oldest:
            first -= 1
        yield first, last
        last = first - 1
