"""What was locked and granted, beside the limits that the operators had set at that moment."""

from governance.domain.market import Address, Mandate
from governance.services.audit.context import Context, place, short
from governance.services.audit.records import Agreement, Job
from governance.services.audit.report import Examination
from governance.services.audit.timeline import Moment, moment_of

WHERE = "AgreementBook"


class Ledger:
    """What every agent locked and granted so far; it counts for ever."""

    def __init__(self) -> None:
        self.spent: dict[Address, tuple[int, int]] = {}
        self.granted: dict[Address, int] = {}

    def lock(self, agent: Address, amount_e18: int, *, agreements: int) -> tuple[int, int]:
        """Add to what an agent locked, and return its new total and number of agreements."""
        total, count = self.spent.get(agent, (0, 0))
        self.spent[agent] = (total + amount_e18, count + agreements)
        return self.spent[agent]


def check_mandates(context: Context, exam: Examination) -> None:
    """Add up prices, bonuses, bonds and privacy loss, and compare them with the limits and with what stands."""
    ledger = Ledger()
    dated: list[tuple[Moment, Job | Agreement]] = []
    dated += [(moment_of(job.opened), job) for job in context.records.jobs.values()]
    dated += [(moment_of(deal.created), deal) for deal in context.records.agreements.values()]
    for _, made in sorted(dated, key=lambda entry: entry[0]):
        if isinstance(made, Job):
            _check_job(context, exam, ledger, made)
        else:
            _check_agreement(context, exam, ledger, made)
    for agent, total_and_count in ledger.spent.items():
        context.state(exam, f"agent {agent}", "spent so far", expected=total_and_count, call=(WHERE, "spent", agent))
    for seller, micros in ledger.granted.items():
        call = (WHERE, "epsilonGranted", seller)
        context.state(exam, f"agent {seller}", "privacy loss granted for life", expected=micros, call=call)


def _check_job(context: Context, exam: Examination, ledger: Ledger, job: Job) -> None:
    if not job.terms.bonus_e18:
        return
    total, _ = ledger.lock(job.coordinator, job.terms.bonus_e18, agreements=0)
    limits = context.world.mandates.before(moment_of(job.opened), job.coordinator) or Mandate()
    where = f"job {short(job.id)} ({place(job.opened)})"
    exam.holds(where, "bonus within what the buyer may lock", condition=total <= limits.max_spend_e18, found=total)


def _check_agreement(context: Context, exam: Examination, ledger: Ledger, agreement: Agreement) -> None:
    terms, moment = agreement.terms, moment_of(agreement.created)
    where = f"agreement {short(agreement.id)} ({place(agreement.created)})"
    time_s = context.time_s(agreement.created)
    for party in (terms.buyer, terms.seller):
        limits = context.world.mandates.before(moment, party) or Mandate()
        inside = time_s <= limits.valid_until_s and terms.purposes & ~limits.purposes == 0
        exam.holds(where, f"within time and purposes of {party}'s mandate", condition=inside)
    total, count = ledger.lock(terms.buyer, terms.price_e18, agreements=1)
    buying = context.world.mandates.before(moment, terms.buyer) or Mandate()
    may = total <= buying.max_spend_e18 and count <= buying.max_agreements
    exam.holds(where, "within what the buyer may spend", condition=may, found=terms.price_e18)
    selling = context.world.mandates.before(moment, terms.seller) or Mandate()
    granted = ledger.granted[terms.seller] = ledger.granted.get(terms.seller, 0) + terms.epsilon_micros
    bonded = ledger.lock(terms.seller, terms.bond_e18, agreements=0)[0] if terms.bond_e18 else 0
    sold = (
        terms.price_e18 >= selling.floors_e18[terms.kind]
        and terms.epsilon_micros <= selling.max_epsilon_micros
        and granted <= selling.lifetime_epsilon_micros
        and bonded <= selling.max_spend_e18
    )
    exam.holds(where, "within what the seller may sell", condition=sold, found=terms.price_e18)
