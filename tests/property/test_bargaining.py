from itertools import product

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from agents.negotiation.bargain import Leave
from agents.negotiation.judgement import Reason
from agents.negotiation.mandate import Tactic
from agents.negotiation.position import FULL, Issue, Point, seller_position
from agents.negotiation.quality import joint_quality
from agents.negotiation.tactics import conceded
from tests.unit.negotiation_cases import CREDIT, MICROS, Talk, buyer_mandate, frame, seller_mandate, supply, talk

TACTICS = st.sampled_from(Tactic)
FEW = settings(max_examples=8, deadline=None)


@st.composite
def talks(draw: st.DrawFn) -> tuple[int, int, Talk]:
    floor, most = draw(st.integers(1, 300)), draw(st.integers(1, 300))
    seller = seller_mandate(floor=floor, tactic=draw(TACTICS), price_per_epsilon_e18=draw(st.integers(0, 10)) * CREDIT)
    return (
        floor,
        most,
        talk(seller, buyer_mandate(most=most, tactic=draw(TACTICS)), max_rounds=draw(st.integers(2, 15))),
    )


@FEW
@given(talks())
def test_no_agreement_is_outside_either_mandate(case: tuple[int, int, Talk]) -> None:
    floor, most, result = case

    if result.deal is not None:
        assert floor * CREDIT <= result.deal.price_e18 <= most * CREDIT
        assert result.deal.price_e18 >= result.seller.price_limit_e18(result.deal.epsilon_micros)
        assert 2 * MICROS <= result.deal.epsilon_micros <= 8 * MICROS


@FEW
@given(talks())
def test_no_proposal_is_outside_its_own_mandate(case: tuple[int, int, Talk]) -> None:
    _, _, result = case

    for who, terms in result.said:
        position = result.seller if who == "seller" else result.buyer
        assert position.broken_limit(terms) == ""


@FEW
@given(talks())
def test_every_negotiation_ends_within_its_rounds(case: tuple[int, int, Talk]) -> None:
    _, _, result = case

    assert len(result.said) <= 2 * 15
    assert result.deal is not None or isinstance(result.end, Leave)


@FEW
@given(st.integers(1, 150), TACTICS, TACTICS)
def test_raising_a_floor_above_the_price_changes_or_ends_the_deal(floor: int, one: Tactic, other: Tactic) -> None:
    before = talk(seller_mandate(floor=floor, tactic=one), buyer_mandate(tactic=other))
    assert before.deal is not None

    higher = before.deal.price_e18 // CREDIT + 1
    after = talk(seller_mandate(floor=higher, tactic=one), buyer_mandate(tactic=other))

    assert after.deal is None or after.deal.price_e18 > before.deal.price_e18


@pytest.mark.parametrize(("one", "other"), list(product(Tactic, Tactic)))
@pytest.mark.parametrize(("floor", "most"), [(40, 150), (100, 101), (77, 77), (1, 1000)])
def test_every_pair_of_tactics_agrees_where_a_zone_exists(one: Tactic, other: Tactic, floor: int, most: int) -> None:
    result = talk(seller_mandate(floor=floor, tactic=one), buyer_mandate(most=most, tactic=other))

    assert result.deal is not None


@pytest.mark.parametrize(("one", "other"), list(product(Tactic, Tactic)))
def test_no_pair_of_tactics_agrees_without_a_zone(one: Tactic, other: Tactic) -> None:
    result = talk(seller_mandate(floor=151, tactic=one), buyer_mandate(most=150, tactic=other))

    assert isinstance(result.end, Leave)
    assert result.end.objection.reason is Reason.NO_ZONE


def test_policy_is_asked_before_price_and_mandate() -> None:
    def veto(terms: object) -> str:
        return "max-epsilon" if terms.epsilon_micros > 3 * MICROS else ""  # type: ignore[attr-defined]

    result = talk(seller_mandate(), buyer_mandate(), veto=veto)

    assert result.deal is not None
    assert all(terms.epsilon_micros <= 3 * MICROS for _, terms in result.said)


def test_a_veto_of_everything_ends_the_talk_before_a_word() -> None:
    result = talk(seller_mandate(), buyer_mandate(), veto=lambda _: "banned-purpose")

    assert isinstance(result.end, Leave)
    assert result.said == []


def test_a_seller_with_little_epsilon_left_grants_no_more() -> None:
    result = talk(seller_mandate(), buyer_mandate(), has=supply(epsilon_left_micros=3 * MICROS))

    assert result.point.epsilon_micros <= 3 * MICROS


def test_epsilon_has_its_price() -> None:
    seller = seller_mandate(floor=10, price_per_epsilon_e18=15 * CREDIT)
    result = talk(seller, buyer_mandate(most=140))

    assert result.deal is not None
    assert result.deal.price_e18 >= 10 * CREDIT + 15 * CREDIT * result.deal.epsilon_micros // MICROS


def test_openings_are_round_figures_that_hide_the_limits() -> None:
    openings = {talk(seller_mandate(floor=floor), buyer_mandate()).said[1][1].price_e18 for floor in range(26, 50)}

    assert len(openings) <= 2


def test_trading_off_beats_splitting_the_price() -> None:
    result = talk(seller_mandate(tactic=Tactic.CONCEDER), buyer_mandate(tactic=Tactic.CONCEDER))

    assert joint_quality(result.seller, result.buyer, result.point).nash_ratio_micros > 800_000


@given(st.integers(0, FULL), st.sampled_from(Tactic))
def test_concession_starts_at_nothing_and_ends_at_everything(elapsed: int, tactic: Tactic) -> None:
    share = conceded(tactic, elapsed)

    assert 0 <= share <= FULL
    assert conceded(tactic, 0) == 0
    assert conceded(tactic, FULL) == FULL
    assert share <= conceded(tactic, min(FULL, elapsed + 1000))


@given(st.integers(0, 200), st.integers(0, 9))
def test_utility_falls_when_anything_gets_worse(price: int, epsilon: int) -> None:
    position = seller_position(seller_mandate(), supply(), frame(epsilon_micros=8 * MICROS))
    here = Point(price * CREDIT, epsilon * MICROS, position.deadline.worst)

    assert 0 <= position.utility(here) <= FULL
    assert position.utility(here) <= position.utility(Point(here.price_e18 + CREDIT, epsilon * MICROS, here.deadline_s))
    assert position.utility(here) >= position.utility(Point(here.price_e18, (epsilon + 1) * MICROS, here.deadline_s))


@given(st.integers(0, 100), st.integers(0, 100), st.booleans())
def test_a_limit_that_is_also_the_wish_still_binds(limit: int, value: int, wants_more: bool) -> None:  # noqa: FBT001
    issue = Issue(limit, limit, 1, wants_more=wants_more)

    assert issue.allows(value) == (value >= limit if wants_more else value <= limit)
