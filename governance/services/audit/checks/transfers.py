"""The token's own transfers, beside what the contracts' events explain."""

from collections import Counter, defaultdict
from typing import TypeAlias

from governance.domain.market import Address
from governance.ports import Event
from governance.services import reading
from governance.services.audit.context import Context, place
from governance.services.audit.report import Examination

Movement: TypeAlias = tuple[Address, Address, int]
"""From, to, 1e-18 credit."""
Movements: TypeAlias = dict[str, Counter[Movement]]
"""By transaction."""


def compare_transfers(context: Context, exam: Examination, contract: str, expected: Movements) -> None:
    """Compare every transfer to or from a contract with what its events explain."""
    if "Credit" not in context.history.addresses:
        exam.lacking("the address of the credit token, so its transfers; start earlier with --from-block")
        return
    holder = context.address(contract)
    found: Movements = defaultdict(Counter)
    events: dict[str, Event] = {}
    for event in context.events("Credit", "Transfer"):
        sender, receiver = reading.address(event.values["from"]), reading.address(event.values["to"])
        if holder in (sender, receiver):
            found[event.transaction][(sender, receiver, reading.number(event.values["value"]))] += 1
            events[event.transaction] = event
    for transaction in dict.fromkeys([*expected, *found]):
        wanted = expected.get(transaction, Counter())
        # Anybody may give money to a contract; it must never give any that no event explains.
        given = Counter({move: n for move, n in (found[transaction] - wanted).items() if move[1] == holder})
        where = place(events[transaction]) if transaction in events else f"transaction {transaction}"
        exam.equal(
            where,
            f"transfers of the token to and from {contract}",
            expected=sorted(wanted.items()),
            found=sorted((found[transaction] - given).items()),
        )


def check_balance(context: Context, exam: Examination, contract: str, owed: int) -> None:
    """Compare what a contract holds with all transfers, and require that it covers what the contract owes."""
    if "Credit" not in context.history.addresses:
        return
    balance = 0
    holder = context.address(contract)
    for event in context.events("Credit", "Transfer"):
        value = reading.number(event.values["value"])
        balance += value * ((event.values["to"] == holder) - (event.values["from"] == holder))
    context.state(exam, contract, "credit that it holds", expected=balance, call=("Credit", "balanceOf", holder))
    exam.holds(contract, "it holds what it owes", condition=balance >= owed, found=balance)
