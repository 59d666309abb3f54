"""The treasury's part of payments, as the amendments set it."""

from governance.services import reading
from governance.services.audit.context import Context
from governance.services.audit.report import Examination
from governance.services.audit.timeline import Moment, moment_of

WHERE = "AgreementBook"


def fee_bps_at(context: Context, before: Moment) -> int:
    """Return the fee that an agreement made at a moment carries for ever."""
    found = 0
    if WHERE in context.history.creations:
        found = reading.number(context.history.creations[WHERE][1][1])
    for event in context.events(WHERE, "FeeChanged"):
        if moment_of(event) < before:
            found = reading.number(event.values["feeBps"])
    return found


def check_fee(context: Context, exam: Examination) -> None:
    """Compare the fee that stands with the last that was set."""
    expected = fee_bps_at(context, (1 << 64, 0))
    context.state(exam, WHERE, "fee of agreements made now, in basis points", expected=expected, call=(WHERE, "feeBps"))
