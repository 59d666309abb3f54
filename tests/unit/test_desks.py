import json
from dataclasses import replace
from pathlib import Path

import pytest

from agents.negotiation.errors import BadStep
from agents.negotiation.mandate import Tactic
from agents.negotiation.transcript import NO_HASH, ChainHead, StepKind, StepRecord, read_terms, write_terms
from agents.net.mailbox import Verdict
from agents.protocols.messages import Accept, Confirm, Counter, Decline, Demand, Offer, Wire
from agents.protocols.records import committed_e18, reserved_epsilon_micros
from governance.domain.market import AggregationPrivacy, Kind
from governance.domain.signing import hash_terms
from tests.unit.desk_cases import BOOK, BUYER_KEY, SELLER_KEY, Market, ScriptedBuyer, ScriptedSeller, address_of
from tests.unit.negotiation_cases import CREDIT, MICROS, NOW_S, buyer_mandate, seller_mandate, supply


@pytest.fixture
def market(tmp_path: Path) -> Market:
    return Market(tmp_path)


def test_both_sides_end_with_the_same_terms_and_both_signatures(market: Market) -> None:
    from eth_account import Account

    market.open()
    market.carry()

    bought, sold = market.buyer.deals[0], market.seller.deals[0]
    assert bought.terms == sold.terms
    assert (bought.terms.rows, bought.terms.data_root) == (100, b"\x02" * 32)
    digest = hash_terms(bought.terms, BOOK)
    for deal in (bought, sold):
        assert Account._recover_hash(digest, signature=deal.buyer_signature) == address_of(BUYER_KEY)
        assert Account._recover_hash(digest, signature=deal.seller_signature) == address_of(SELLER_KEY)


def test_every_step_names_the_one_before(market: Market) -> None:
    market.open()
    steps = [step for step in market.carry() if not isinstance(step, Wire) or hasattr(step, "seq")]

    assert [step.seq for step in steps] == list(range(len(steps)))
    assert isinstance(steps[0], Demand)
    assert isinstance(steps[1], Offer)
    assert isinstance(steps[-2], Accept)
    assert isinstance(steps[-1], Confirm)


def test_limits_never_travel(market: Market) -> None:
    market.seller.limits = seller_mandate(floor=41, max_epsilon_micros=7_654_321, tactic=Tactic.CONCEDER)
    market.buyer.limits = buyer_mandate(most=149, tactic=Tactic.CONCEDER)
    market.open(max_rounds=30)
    said = " ".join(step.json() for step in market.carry())

    assert market.buyer.deals
    for limit in (41 * CREDIT, 149 * CREDIT):
        assert str(limit) not in said
    assert "floor" not in said


def test_a_repeated_message_changes_nothing(market: Market) -> None:
    market.open()
    steps = market.carry()
    counters = [step for step in steps if isinstance(step, Counter)]

    assert market.to_seller(steps[0]) is Verdict.REPEATED
    assert market.to_seller(counters[0], sender=BUYER_KEY) in (Verdict.REPEATED, Verdict.REFUSED)
    assert len(market.seller.deals) == 1


def test_a_step_under_a_new_id_is_refused_when_replayed(market: Market) -> None:
    identity = market.open()
    steps = market.carry(until=lambda step: isinstance(step, Accept))
    first = next(step for step in steps if isinstance(step, Counter) and step.seq == 2)

    verdict = market.to_seller(first.copy(update={"msg_id": "again"}))

    assert verdict is Verdict.REFUSED
    assert market.row(identity, mail=market.selling_mail).state == "bargaining"


@pytest.mark.parametrize(
    "change",
    [{"seq": 5}, {"seq": 0}, {"prev_hash": "0x" + "ab" * 32}, {"valid_until_s": NOW_S - 1}],
    ids=["skips", "repeats", "other-history", "too-old"],
)
def test_a_step_that_does_not_follow_is_refused(market: Market, change: dict[str, object]) -> None:
    identity = market.open()
    market.carry(until=lambda step: isinstance(step, Counter))
    counter = next(row.message for row in market.buying_mail.outbox.due())

    assert market.to_seller(_signed_again(market, counter, **change)) is Verdict.REFUSED
    assert market.row(identity, mail=market.selling_mail).head_seq == 1


def test_a_step_with_another_signature_is_refused(market: Market) -> None:
    market.open()
    market.carry(until=lambda step: isinstance(step, Counter))
    counter = next(row.message for row in market.buying_mail.outbox.due())

    forged = counter.copy(update={"step_signature": "0x" + "11" * 64 + "1b"})

    assert market.to_seller(forged) is Verdict.REFUSED


def test_a_side_cannot_speak_twice_in_a_row(market: Market) -> None:
    identity = market.open()
    market.carry(until=lambda step: isinstance(step, Counter))
    counter = next(row.message for row in market.buying_mail.outbox.due())
    head = market.row(identity, mail=market.buying_mail).head_hash
    assert market.to_seller(counter) is Verdict.TAKEN

    eager = _signed_again(market, counter, msg_id="eager", seq=counter.seq + 1, prev_hash=head)

    assert market.to_seller(eager) is Verdict.REFUSED


def test_nobody_else_can_speak_in_a_negotiation(market: Market) -> None:
    market.open()
    market.carry(until=lambda step: isinstance(step, Counter))
    counter = next(row.message for row in market.buying_mail.outbox.due())

    assert market.to_seller(counter, sender=b"\x33" * 32) is Verdict.REFUSED


def test_a_demand_in_another_name_is_refused(market: Market) -> None:
    market.open()
    demand = next(row.message for row in market.buying_mail.outbox.due())

    assert market.to_seller(demand, sender=b"\x33" * 32) is Verdict.REFUSED


def test_terms_that_are_not_negotiated_cannot_be_changed(market: Market) -> None:
    identity = market.open()
    market.carry(until=lambda step: isinstance(step, Counter))
    row = market.row(identity, mail=market.buying_mail)
    counter = next(row.message for row in market.buying_mail.outbox.due())
    wider = replace(read_terms(counter.terms_json), purposes=0b11)
    forged = _signed_again(market, counter, terms_json=write_terms(wider))

    assert market.to_seller(forged) is Verdict.REFUSED
    assert row.state == "bargaining"


def test_an_acceptance_of_other_terms_is_declined(market: Market) -> None:
    identity = market.open()
    market.carry(until=lambda step: isinstance(step, Accept))
    accept = next(row.message for row in market.buying_mail.outbox.due())
    cheaper = replace(read_terms(accept.terms_json), price_e18=1)
    signature = market.desk(BUYER_KEY, market.buying_mail).signer.sign_terms(cheaper)
    forged = _signed_again(market, accept, terms_json=write_terms(cheaper), terms_signature="0x" + signature.hex())

    assert market.to_seller(forged) is Verdict.TAKEN
    row = market.row(identity, mail=market.selling_mail)
    assert (row.state, row.reason, row.seller_signature) == ("declined", "frame_changed", "")


def test_epsilon_that_was_sold_meanwhile_is_not_sold_again(market: Market) -> None:
    market.open()
    market.carry(until=lambda step: isinstance(step, Accept))
    market.seller.has = supply(epsilon_left_micros=1)

    market.carry()

    assert market.seller.deals == []
    assert market.buyer.lost == ["no_zone"]


def test_a_deal_reserves_its_epsilon_until_it_is_on_chain(market: Market) -> None:
    identity = market.open()
    market.carry()
    with market.selling_mail.transaction() as session:
        reserved = reserved_epsilon_micros(session)
        market.selling.settle(session, identity)

        assert reserved == market.seller.deals[0].terms.epsilon_micros
        assert reserved_epsilon_micros(session) == 0


def test_a_buyer_never_signs_more_than_its_budget(tmp_path: Path) -> None:
    limits = buyer_mandate(most=150, max_spend_e18={Kind.DATA: 200 * CREDIT})
    market = Market(tmp_path, seller=ScriptedSeller(seller_mandate(floor=90)), buyer=ScriptedBuyer(limits))
    for nonce in range(1, 5):
        market.open(market.need(nonce=nonce))
    market.carry()

    with market.buying_mail.reading() as session:
        spent, count = committed_e18(session, Kind.DATA, now_s=NOW_S)
    assert spent == sum(deal.terms.price_e18 for deal in market.buyer.deals)
    assert 0 < spent <= 200 * CREDIT
    assert count == len(market.buyer.deals)
    assert "budget" in market.buyer.lost


@pytest.mark.parametrize(
    ("changes", "reason"),
    [
        ({"purposes": 0b100}, "purposes"),
        ({"kind": Kind.COMPUTE}, "not_sold"),
        ({"aggregation_privacy": AggregationPrivacy.MASKED}, "aggregation_privacy"),
        ({"aggregation_privacy": AggregationPrivacy.GROUPED}, "aggregation_privacy"),
        ({"withdrawal_blocks": False}, "consent"),
        ({"bond_e18": 1}, "budget"),
        ({"rows": 101}, "rows"),
    ],
)
def test_a_demand_that_cannot_be_met_is_declined_with_its_reason(
    tmp_path: Path, changes: dict[str, object], reason: str
) -> None:
    limits = buyer_mandate(
        max_spend_e18={Kind.DATA: 900 * CREDIT, Kind.COMPUTE: 100 * CREDIT}, max_price_e18={}, purposes=0b111
    )
    market = Market(tmp_path, buyer=ScriptedBuyer(limits))

    identity = market.open(market.need(**changes))
    market.carry()

    assert market.buyer.lost == [reason]
    assert market.row(identity, mail=market.buying_mail).detail


def test_a_mandate_that_is_over_sells_nothing(market: Market) -> None:
    market.seller.limits = seller_mandate(until_s=NOW_S - 1)

    market.open()
    market.carry()

    assert market.buyer.lost == ["mandate_over"]


def test_a_vetoed_demand_is_declined_as_policy(market: Market) -> None:
    market.seller.forbidden = lambda _: "banned-purpose"

    identity = market.open()
    market.carry()

    row = market.row(identity, mail=market.buying_mail)
    assert (row.reason, row.detail) == ("policy", "breaks banned-purpose")


def test_what_is_not_answered_in_time_expires_on_both_sides(market: Market) -> None:
    identity = market.open()
    market.carry(until=lambda step: isinstance(step, Counter))
    market.clock.now_s = NOW_S + 86_401

    for desk, mail in ((market.buying, market.buying_mail), (market.selling, market.selling_mail)):
        with mail.transaction() as session:
            assert [row.negotiation_id for row in desk.expire(session)] == [identity]

    assert (market.buyer.lost, market.seller.lost) == (["expired"], ["expired"])


def test_opening_the_same_negotiation_twice_sends_one_demand(market: Market) -> None:
    assert market.open() == market.open()

    assert market.buying_mail.outbox.pending() == 1


def test_a_deal_keeps_its_quality_at_home(market: Market) -> None:
    identity = market.open()
    market.carry()

    kept = json.loads(market.row(identity, mail=market.buying_mail).quality_json)
    assert 0 < kept["utility_micros"] <= MICROS
    assert kept["rounds"] <= 8


def test_a_buyer_may_leave_and_the_seller_hears_it(market: Market) -> None:
    market.buyer.limits = buyer_mandate(most=39)

    market.open(max_rounds=3)
    steps = market.carry()

    assert isinstance(steps[-1], Decline)
    assert market.seller.lost == market.buyer.lost == ["no_zone"]


def _signed_again(market: Market, step: Wire, **changes: object) -> Wire:
    """Give a changed step a valid signature of the buyer: a hostile buyer, not a forger."""
    from agents.protocols.desk import _record

    draft = step.copy(update=changes)
    signer = market.desk(BUYER_KEY, market.buying_mail).signer
    signature = signer.sign_step(_record(draft, address_of(BUYER_KEY)).hash())
    return draft.copy(update={"step_signature": "0x" + signature.hex()})


def test_a_chain_takes_no_two_steps_of_one_side() -> None:
    first = StepRecord(
        negotiation_id=NO_HASH,
        kind=StepKind.DEMAND,
        seq=0,
        prev_hash=NO_HASH,
        sender=address_of(BUYER_KEY),
        valid_until_s=NOW_S,
        content="",
    )
    head = ChainHead().follow(first, now_s=NOW_S)

    with pytest.raises(BadStep, match="out of turn"):
        head.follow(replace(first, seq=1, prev_hash=head.hash), now_s=NOW_S)
