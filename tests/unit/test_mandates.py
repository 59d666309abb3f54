from pathlib import Path

import pytest

from agents.negotiation.errors import MandateError
from agents.negotiation.judgement import AggregationWish, aggregation_conflict
from agents.negotiation.mandate import BuyerMandate, SellerMandate, Tactic, load_mandate, parse_mandate
from governance.domain.market import AggregationPrivacy, Kind

PURPOSES = {"medical_research": 6, "credit_scoring": 2}
SELLER = """
side: seller
floor_price: {data: 40, evaluation_rows: 10.5}
price_per_epsilon: 2.000001
max_epsilon: 8
lifetime_epsilon: 16.25
purposes: [medical_research]
rows: 300
until: 2027-12-31
tactic: boulware
"""
BUYER = """
side: buyer
max_spend: {data: 600, compute: 50}
max_price: {data: 150}
max_agreements: 20
purposes: [medical_research, credit_scoring]
until: 2027-12-31
"""


def test_a_sellers_file_becomes_exact_integers() -> None:
    mandate = parse_mandate(SELLER, PURPOSES)

    assert isinstance(mandate, SellerMandate)
    assert mandate.floors_e18 == {Kind.DATA: 40 * 10**18, Kind.EVALUATION_ROWS: 105 * 10**17}
    assert mandate.price_per_epsilon_e18 == 2_000_001 * 10**12
    assert (mandate.max_epsilon_micros, mandate.lifetime_epsilon_micros) == (8_000_000, 16_250_000)
    assert (mandate.purposes, mandate.max_rows, mandate.tactic) == (1 << 6, 300, Tactic.BOULWARE)
    assert mandate.until_s == 1_830_297_599


def test_a_sellers_limits_on_chain_sell_nothing_that_is_not_named() -> None:
    mandate = parse_mandate(SELLER, PURPOSES).on_chain()

    assert mandate.floors_e18 == (0, 40 * 10**18, 105 * 10**17, 2**128 - 1, 2**128 - 1)
    assert mandate.max_spend_e18 == 0


def test_a_buyers_file_becomes_exact_integers() -> None:
    mandate = parse_mandate(BUYER, PURPOSES)

    assert isinstance(mandate, BuyerMandate)
    assert mandate.max_spend_e18 == {Kind.DATA: 600 * 10**18, Kind.COMPUTE: 50 * 10**18}
    assert mandate.on_chain().max_spend_e18 == 650 * 10**18
    assert mandate.purposes == 0b1000100


@pytest.mark.parametrize(
    ("old", "new", "message"),
    [
        ("floor_price: {data: 40, evaluation_rows: 10.5}", "", "'floor_price' is missing; add it"),
        ("floor_price: {data: 40", "floor_price: {gold: 40", "floor_price"),
        ("floor_price: {data: 40", "floor_price: {data: -4", "floor_price.data"),
        ("floor_price: {data: 40", "floor_price: {data: many", "floor_price.data"),
        ("floor_price: {data: 40", "floor_price: {data: .inf", "floor_price.data"),
        ("floor_price: {data: 40", "floor_price: {data: 1.1234567", "floor_price.data"),
        ("max_epsilon: 8\n", "", "max_epsilon"),
        ("max_epsilon: 8", "max_epsilon: 17", "lifetime_epsilon: must be at least max_epsilon"),
        ("[medical_research]", "[weapons]", "purposes: 'weapons' is unknown"),
        ("[medical_research]", "[]", "purposes"),
        ("2027-12-31", "2027-02-30", "until"),
        ("2027-12-31", "tomorrow", "until"),
        ("boulware", "kind", "tactic"),
        ("rows: 300", "rows: 0", "rows"),
        ("rows: 300", "rows: true", "rows"),
        ("rows: 300", "rows: 300\nrows: 3", "a field occurs twice"),
        ("rows: 300", "row: 300", "row"),
        ("side: seller", "side: both", "side"),
        (SELLER, "- a list", "a mandate is a list of fields"),
        (SELLER, "a: [", "not YAML"),
        (SELLER, "!!python/object/apply:os.system ['true']", "not YAML"),
        (SELLER, "x: " + "y" * 20_001, "longer than"),
    ],
)
def test_what_is_wrong_with_a_file_is_named(old: str, new: str, message: str) -> None:
    with pytest.raises(MandateError) as error:
        parse_mandate(SELLER.replace(old, new), PURPOSES)

    assert message in str(error.value)


def test_a_buyers_price_cannot_exceed_its_spending() -> None:
    with pytest.raises(MandateError, match="max_price: must not exceed max_spend \\(data\\)"):
        parse_mandate(BUYER.replace("data: 150", "data: 601"), PURPOSES)


def test_a_missing_file_is_named(tmp_path: Path) -> None:
    with pytest.raises(MandateError, match=r"nowhere\.yaml cannot be read"):
        load_mandate(tmp_path / "nowhere.yaml", PURPOSES)


def test_a_broken_file_is_named_with_its_field(tmp_path: Path) -> None:
    path = tmp_path / "hospital.yaml"
    path.write_text(SELLER.replace("boulware", "kind"))

    with pytest.raises(MandateError, match=r"hospital\.yaml: tactic"):
        load_mandate(path, PURPOSES)


@pytest.mark.parametrize(
    ("privacy", "wish", "reason"),
    [
        (AggregationPrivacy.MASKED, AggregationWish(owners=4, robust_rule=True), "no robust rule"),
        (AggregationPrivacy.MASKED, AggregationWish(owners=4, checks_each_update=True), "no robust rule"),
        (AggregationPrivacy.GROUPED, AggregationWish(owners=6, checks_each_update=True), "hide the single one"),
        (AggregationPrivacy.GROUPED, AggregationWish(owners=5), "need 6 owners, not 5"),
        (AggregationPrivacy.MASKED, AggregationWish(owners=4), "this version cannot aggregate masked"),
        (AggregationPrivacy.GROUPED, AggregationWish(owners=6), "this version cannot aggregate grouped"),
    ],
)
def test_contradicting_aggregation_is_refused_with_its_reason(
    privacy: AggregationPrivacy, wish: AggregationWish, reason: str
) -> None:
    assert reason in aggregation_conflict(privacy, wish)


def test_clear_aggregation_allows_everything() -> None:
    wish = AggregationWish(owners=1, robust_rule=True, checks_each_update=True)

    assert aggregation_conflict(AggregationPrivacy.CLEAR, wish) == ""
