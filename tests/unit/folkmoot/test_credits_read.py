"""Amounts of credits on the command line are read to the last decimal, or refused."""

import pytest
import typer

from folkmoot.options import read_credits


@pytest.mark.parametrize(
    ("text", "amount_e18"),
    [("0.1", 10**17), ("50", 50 * 10**18), ("123456789.123456789012345678", 123456789123456789012345678)],
)
def test_an_amount_is_read_to_its_last_decimal(text: str, amount_e18: int) -> None:
    assert int(read_credits(text).scaleb(18)) == amount_e18


@pytest.mark.parametrize("text", ["", "ten", "0", "-1", "nan", "inf", "0.0000000000000000001"])
def test_what_is_no_amount_is_refused_in_a_sentence(text: str) -> None:
    with pytest.raises(typer.BadParameter, match="is no amount of credits"):
        read_credits(text)
