"""Money: each instalment, each transfer of the token, and that what came in went out or still lies there."""

from collections import Counter, defaultdict

from governance.domain import payouts
from governance.services import reading
from governance.services.audit.checks.agreements import BY_ROUND, name_of
from governance.services.audit.checks.fees import check_fee, fee_bps_at
from governance.services.audit.checks.transfers import Movements, check_balance, compare_transfers
from governance.services.audit.checks.units import check_rounds_paid, parts_of
from governance.services.audit.context import Context, place
from governance.services.audit.records import Agreement
from governance.services.audit.report import Examination
from governance.services.audit.timeline import moment_of

WHERE = "AgreementBook"
CLAIM_PERIOD_S = 7 * 24 * 3600


def check_payments(context: Context, exam: Examination) -> None:
    """Recompute every payment, refund and lock, and compare each with the token's own transfers."""
    expected: Movements = defaultdict(Counter)
    for agreement in context.records.agreements.values():
        _check_lock(context, expected, agreement)
        _check_instalments(context, exam, agreement, expected)
        _check_close(context, exam, agreement, expected)
        _check_units(context, exam, agreement)
        _check_bond(context, exam, agreement)
    compare_transfers(context, exam, WHERE, expected)
    _check_sums(context, exam)
    check_fee(context, exam)


def _check_lock(context: Context, expected: Movements, agreement: Agreement) -> None:
    payer = context.world.operator_of(agreement.terms.buyer, moment_of(agreement.created))
    book = context.address(WHERE)
    expected[agreement.created.transaction][(str(payer), book, agreement.terms.price_e18)] += 1


def _check_instalments(context: Context, exam: Examination, agreement: Agreement, expected: Movements) -> None:
    terms = agreement.terms
    fee = fee_bps_at(context, moment_of(agreement.created))
    done = 0
    for event in agreement.payments:
        where = f"payment for {name_of(agreement)} in {place(event)}"
        count = reading.number(event.values["units"])
        parts = terms.units * parts_of(context, agreement)
        before = payouts.net(payouts.earned(terms.price_e18, done, parts), fee)
        done += count
        due = payouts.net(payouts.earned(terms.price_e18, done, parts), fee) - before
        exam.equal(where, "amount, from price and instalments", expected=due, found=event.values["amountE18"])
        exam.equal(where, "seller", expected=terms.seller, found=event.values["seller"])
        payee = context.world.operator_of(terms.seller, moment_of(event))
        exam.equal(where, "who was paid, the seller's operator", expected=payee, found=event.values["to"])
        exam.holds(where, "no more instalments than agreed", condition=done <= parts, found=done)
        exam.holds(where, "paid while it was active", condition=agreement.is_active(moment_of(event)))
        expected[event.transaction][(context.address(WHERE), str(payee), due)] += 1


def _check_close(context: Context, exam: Examination, agreement: Agreement, expected: Movements) -> None:
    if agreement.closed is None:
        return
    where = f"end of {name_of(agreement)} in {place(agreement.closed)}"
    terms, book = agreement.terms, context.address(WHERE)
    units = sum(reading.number(event.values["units"]) for event in agreement.payments)
    paid = payouts.earned(terms.price_e18, units, terms.units * parts_of(context, agreement))
    fee = paid - payouts.net(paid, fee_bps_at(context, moment_of(agreement.created)))
    exam.equal(where, "paid in all", expected=paid, found=agreement.closed.values["paidE18"])
    exam.equal(where, "the treasury's fee", expected=fee, found=agreement.closed.values["feeE18"])
    left = terms.price_e18 - paid
    exam.equal(where, "refunded", expected=left, found=agreement.closed.values["refundedE18"])
    payer = context.world.operator_of(terms.buyer, moment_of(agreement.closed))
    expected[agreement.closed.transaction][(book, str(payer), left)] += 1
    if fee:
        expected[agreement.closed.transaction][(book, context.address("Timelock"), fee)] += 1


def _check_bond(context: Context, exam: Examination, agreement: Agreement) -> None:
    """Require that exactly the bond of the terms was locked, by the seller's operator, when the agreement was made."""
    owner = context.world.operator_of(agreement.terms.seller, moment_of(agreement.created))
    locked = [
        (event.transaction, event.values["owner"], event.values["amountE18"])
        for event in context.events("RewardVault", "Held")
        if event.values["key"] == agreement.id and event.values["holder"] == context.address(WHERE)
    ]
    bond = agreement.terms.bond_e18
    wanted = [(agreement.created.transaction, owner, bond)] if bond else []
    exam.equal(name_of(agreement), "its bond, locked when it was made", expected=wanted, found=locked)


def _check_units(context: Context, exam: Examination, agreement: Agreement) -> None:
    """Compare which rounds or looks are marked as paid with their number, and require that each was due."""
    paid = sum(reading.number(event.values["units"]) for event in agreement.payments)
    if agreement.terms.kind in BY_ROUND:
        check_rounds_paid(context, exam, agreement, paid)
        return
    marked = [
        unit for unit in range(agreement.terms.units) if reading.flag(context.read(WHERE, "isPaid", agreement.id, unit))
    ]
    exam.equal(name_of(agreement), "number of looks marked as paid", expected=paid, found=len(marked))
    undue = [unit for unit in marked if not _was_measured(context, agreement, unit)]
    exam.equal(name_of(agreement), "no look is paid that did not happen", expected=[], found=undue)


def _was_measured(context: Context, agreement: Agreement, unit: int) -> bool:
    for release in context.records.releases.values():
        if release.manifest.job != agreement.terms.job or release.manifest.candidate_index != unit:
            continue
        case = context.records.cases.get(release.id)
        if case is None:
            return False
        by_juror = agreement.terms.kind.word == "evaluation" and agreement.terms.seller in case.served
        on_rows = case.final is not None and agreement.terms.data_root in case.roots
        return by_juror or on_rows
    return False


def _paid(agreement: Agreement) -> int:
    return sum(reading.number(event.values["amountE18"]) for event in agreement.payments)


def _check_sums(context: Context, exam: Examination) -> None:
    locked = paid = refunded = 0
    for agreement in context.records.agreements.values():
        locked += agreement.terms.price_e18
        paid += _paid(agreement)
        if agreement.closed:
            values = agreement.closed.values
            refunded += reading.number(values["refundedE18"]) + reading.number(values["feeE18"])
    escrow = locked - paid - refunded
    exam.holds(WHERE, "what came in covers what went out", condition=escrow >= 0, found=escrow)
    check_balance(context, exam, WHERE, escrow)
