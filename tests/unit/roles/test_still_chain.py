"""A step reads the chain as it stood when it began, and anew after what it sent itself."""

from __future__ import annotations

from collections.abc import Sequence
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass, field

import pytest

from agents.roles.still import StillChain
from governance.domain.market import Address
from governance.errors import ContractRefused
from governance.ports import Event, Receipt, Signer


@dataclass(slots=True)
class CountingChain:
    """Answers every question with how often it was asked anything."""

    chain_id: int = 1
    first_block: int = 0
    refuses: bool = False
    asked: int = 0
    questions: list[object] = field(default_factory=list)

    def _next(self, question: object) -> int:
        self.asked += 1
        self.questions.append(question)
        return self.asked

    def address(self, contract: str) -> Address:
        return Address(contract)

    def now_s(self) -> int:
        return self._next("now")

    def block_number(self) -> int:
        return self._next("head")

    def read(self, contract: str, function: str, *arguments: object) -> object:
        return self._next((contract, function, *arguments))

    def encode(self, contract: str, function: str, *arguments: object) -> bytes:
        return f"{contract}.{function}{arguments}".encode()

    def events(
        self, contract: str, names: Sequence[str], *, from_block: int, to_block: int | None = None
    ) -> list[Event]:
        count = self._next((contract, names, from_block, to_block))
        return [Event(contract=contract, name=names[0], values={}, block=count, log_index=0, transaction="0x")]

    def send(self, signer: Signer, contract: str, function: str, arguments: Sequence[object]) -> Receipt:  # noqa: ARG002
        if self.refuses:
            raise ContractRefused("Reverted", {}, call=f"{contract}.{function}")
        return Receipt(transaction="0x", block=1, gas_used=1, events=())


def ask(chain: StillChain) -> list[object]:
    """Return the answers to one question of each kind."""
    return [
        chain.block_number(),
        chain.read("Book", "job", b"one"),
        chain.read("Book", "job", b"two"),
        [event.block for event in chain.events("Book", ["Opened"], from_block=0, to_block=9)],
    ]


def test_the_same_question_is_asked_once_in_a_step() -> None:
    node = CountingChain()
    chain = StillChain(node)

    with chain.step():
        first = ask(chain)

        assert ask(chain) == first == [1, 2, 3, [4]]
    assert node.asked == 4


def test_the_next_step_asks_anew() -> None:
    chain = StillChain(CountingChain())
    with chain.step():
        ask(chain)

    with chain.step():
        assert ask(chain) == [5, 6, 7, [8]]


def test_nothing_is_remembered_outside_a_step() -> None:
    chain = StillChain(CountingChain())

    assert [chain.block_number(), chain.block_number()] == [1, 2]


def test_a_mail_that_comes_during_a_step_is_answered_from_the_chain_as_it_is() -> None:
    chain = StillChain(CountingChain())
    with chain.step():
        before = chain.block_number()
        with ThreadPoolExecutor(1) as mail:
            assert mail.submit(chain.block_number).result() == before + 1
        assert chain.block_number() == before


@pytest.mark.parametrize("refuses", [False, True])
def test_after_a_transaction_nothing_old_is_answered(*, refuses: bool) -> None:
    chain = StillChain(CountingChain(refuses=refuses))
    with chain.step():
        ask(chain)

        try:
            chain.send(None, "Book", "open", [])  # type: ignore[arg-type]
        except ContractRefused:
            assert refuses

        assert ask(chain) == [5, 6, 7, [8]]


def test_the_time_is_never_remembered() -> None:
    chain = StillChain(CountingChain())

    with chain.step():
        assert [chain.now_s(), chain.now_s()] == [1, 2]


def test_what_a_caller_does_to_a_list_of_events_stays_with_it() -> None:
    chain = StillChain(CountingChain())
    with chain.step():
        chain.events("Book", ["Opened"], from_block=0, to_block=9).clear()

        assert len(chain.events("Book", ["Opened"], from_block=0, to_block=9)) == 1
