"""A buyer that never buys can neither hold a seller's epsilon for long nor fill its database with open deals."""

from __future__ import annotations

from pathlib import Path

import pytest

from agents.net.mailbox import Verdict
from agents.protocols.records import reserved_epsilon_micros
from agents.protocols.selling import LONGEST_OPEN_S, MOST_OPEN
from tests.unit.desk_cases import Market
from tests.unit.negotiation_cases import NOW_S


@pytest.fixture
def market(tmp_path: Path) -> Market:
    return Market(tmp_path)


def test_terms_that_would_hold_epsilon_for_long_are_refused(market: Market) -> None:
    market.open(market.need(valid_until_s=NOW_S + LONGEST_OPEN_S + 1))
    (demand,) = market.buying_mail.outbox.due()

    assert market.to_seller(demand.message) is Verdict.REFUSED


def test_a_deal_that_never_reaches_the_chain_holds_epsilon_for_a_day_at_most(market: Market) -> None:
    market.open(market.need(valid_until_s=NOW_S + LONGEST_OPEN_S))
    market.carry()
    with market.selling_mail.transaction() as session:
        assert reserved_epsilon_micros(session) > 0

    market.clock.now_s += LONGEST_OPEN_S + 1

    with market.selling_mail.transaction() as session:
        market.selling.expire(session)
        assert reserved_epsilon_micros(session) == 0


def test_one_buyer_keeps_only_so_many_negotiations_open(market: Market) -> None:
    for nonce in range(MOST_OPEN + 1):
        market.open(market.need(nonce=nonce))
    verdicts = []
    while due := market.buying_mail.outbox.due():
        for row in due:
            verdicts.append(market.to_seller(row.message))
            market.buying_mail.outbox.acknowledge(row.recipient, row.message.msg_id)

    assert verdicts == [Verdict.TAKEN] * MOST_OPEN + [Verdict.REFUSED]
