"""The vault: every deposit, pool and balance replayed, and each transfer explained."""

from governance.domain.market import Address
from governance.ports import Event
from governance.services import reading
from governance.services.audit.checks import pools
from governance.services.audit.checks.transfers import check_balance, compare_transfers
from governance.services.audit.context import Context, place
from governance.services.audit.report import Examination
from governance.services.audit.till import NOBODY, Till

WHERE = "RewardVault"
HOLDERS = ("AgreementBook", "EvaluatorCourt", "ReleaseRegistry", "Consent", "Disputes")
FOLLOWERS = ("IncomeSplit", "RoyaltyPaid")
"""They tell how a payment for use was divided, and are compared with it."""
POOL_STEPS = {
    "PoolOpened": pools.opened,
    "BonusSettled": pools.bonus_settled,
    "UsePaid": pools.use_paid,
    "ShareClaimed": pools.claimed,
    "RootDropped": pools.root_dropped,
}


def check_vault(context: Context, exam: Examination) -> None:
    """Replay the vault, and compare it with what stands there and with the token's own transfers."""
    till = Till()
    for event in context.events(WHERE):
        where = place(event)
        if event.name == "Withdrawn":
            _withdraw(context, exam, till, event)
        elif event.name == "Held":
            _hold(context, exam, till, event)
        elif event.name in ("GivenBack", "Forfeited"):
            _move(exam, till, event)
        elif event.name in POOL_STEPS:
            POOL_STEPS[event.name](context, exam, till, event)
        elif event.name not in FOLLOWERS:
            exam.fault(where, "an event that is accounted for", found=event.name)
    _check_standing(context, exam, till)
    compare_transfers(context, exam, WHERE, till.movements)
    check_balance(context, exam, WHERE, till.owed_e18)


def _place_of(event: Event) -> tuple[Address, bytes]:
    return reading.address(event.values["holder"]), reading.raw(event.values["key"])


def _hold(context: Context, exam: Examination, till: Till, event: Event) -> None:
    spot, owner, amount = (
        _place_of(event),
        reading.address(event.values["owner"]),
        reading.number(event.values["amountE18"]),
    )
    holders = [context.address(name) for name in HOLDERS]
    exam.holds(place(event), "held by a contract of this network", condition=spot[0] in holders, found=spot[0])
    before, held = till.deposits.get(spot, (NOBODY, 0))
    exam.holds(place(event), "a deposit has one owner", condition=held == 0 or before == owner, found=owner)
    till.deposits[spot] = (owner, held + amount)
    till.movements[event.transaction][(owner, context.address(WHERE), amount)] += 1


def _move(exam: Examination, till: Till, event: Event) -> None:
    spot, amount = _place_of(event), reading.number(event.values["amountE18"])
    owner, held = till.deposits.get(spot, (NOBODY, 0))
    to = reading.address(event.values["owner" if event.name == "GivenBack" else "to"])
    if event.name == "GivenBack":
        exam.equal(place(event), "given back to its owner", expected=owner, found=to)
    exam.holds(place(event), "no more than was held", condition=amount <= held, found=amount)
    till.deposits[spot] = (owner, held - amount) if held > amount else (NOBODY, 0)
    till.balances[to] += amount


def _withdraw(context: Context, exam: Examination, till: Till, event: Event) -> None:
    account, amount = reading.address(event.values["account"]), reading.number(event.values["amountE18"])
    exam.equal(place(event), "all that was credited", expected=till.balances[account], found=amount)
    till.balances[account] -= amount
    till.movements[event.transaction][(context.address(WHERE), account, amount)] += 1


def _check_standing(context: Context, exam: Examination, till: Till) -> None:
    for (holder, key), deposit in till.deposits.items():
        where = f"deposit 0x{key.hex()} of {holder}"
        context.state(exam, where, "owner and amount", expected=deposit, call=(WHERE, "held", holder, key))
    for account, balance in till.balances.items():
        context.state(exam, f"account {account}", "balance", expected=balance, call=(WHERE, "balanceOf", account))
    pools.check_standing(context, exam, till)
    context.state(exam, WHERE, "all that it owes, in 1e-18 credit", expected=till.owed_e18, call=(WHERE, "owedE18"))
