"""What the demonstration says about the events of a moment."""

from typing import Any

from folkmoot.demo.milestones import Milestones
from governance.ports import Event

CREDIT = 10**18


class Events:
    """A chain as far as the sentences go: a list of events, each in a block of its own."""

    first_block = 0

    def __init__(self, *told: tuple[str, str, dict[str, object]]) -> None:
        self.told = told

    def block_number(self) -> int:
        return len(self.told)

    def events(self, contract: str, names: list[str], *, from_block: int, to_block: int) -> list[Event]:
        return [
            Event(contract=place, name=name, values=values, block=number, log_index=0, transaction="0x")
            for number, (place, name, values) in enumerate(self.told, 1)
            if place == contract and name in names and from_block <= number <= to_block
        ]


def said(*told: tuple[str, str, dict[str, object]]) -> list[str]:
    chain: Any = Events(*told)
    return Milestones(chain).read()


def payment(to: str, credits_: int) -> tuple[str, str, dict[str, object]]:
    return ("AgreementBook", "PaymentMade", {"to": to, "amountE18": credits_ * CREDIT, "units": 1})


def closed(credits_: int) -> tuple[str, str, dict[str, object]]:
    return ("AgreementBook", "AgreementClosed", {"refundedE18": credits_ * CREDIT})


def test_payments_of_a_moment_are_one_line_after_what_was_decided() -> None:
    released = ("ReleaseRegistry", "Released", {"artifact": bytes.fromhex("ab" * 32)})

    assert said(payment("a", 5), payment("b", 7), released, payment("a", 1)) == [
        "RELEASED: file abababab may be used; every rule holds",
        "13.00 credits are paid to 2 sellers",
    ]


def test_what_comes_back_from_several_agreements_is_one_line() -> None:
    assert said(closed(2), closed(0), closed(3)) == ["5.00 credits of escrow go back to the buyer"]
    assert said(closed(0)) == []


def test_nothing_is_said_twice() -> None:
    chain: Any = Events(payment("a", 5))
    milestones = Milestones(chain)

    assert milestones.read() == ["5.00 credits are paid to 1 seller"]
    assert milestones.read() == []
