"""Two desks joined by their mailboxes, without a network."""

from collections.abc import Callable
from dataclasses import dataclass, field
from pathlib import Path

from sqlmodel import Session

from agents.negotiation.mandate import BuyerMandate, SellerMandate
from agents.negotiation.position import Need, Supply
from agents.net.keys import evm_address_of_public_key, public_key_of
from agents.net.mailbox import Mailbox, Verdict
from agents.net.signing import KeySigner
from agents.protocols.buying import BuyerDesk
from agents.protocols.desk import Desk
from agents.protocols.messages import Wire
from agents.protocols.records import TABLES, Deal, NegotiationRow
from agents.protocols.selling import SellerDesk
from governance.domain.market import Terms
from governance.domain.signing import book_domain
from tests.unit.negotiation_cases import NOW_S, buyer_mandate, frame, need, seller_mandate, supply

SELLER_KEY, BUYER_KEY = b"\x11" * 32, b"\x22" * 32
BOOK = book_domain(31_337, "0x000000000000000000000000000000000000bEEF")


def address_of(key: bytes) -> str:
    return evm_address_of_public_key(public_key_of(key))


@dataclass
class Clock:
    now_s: int = NOW_S

    def __call__(self) -> int:
        return self.now_s


@dataclass
class ScriptedSeller:
    limits: SellerMandate = field(default_factory=seller_mandate)
    has: Supply = field(default_factory=supply)
    forbidden: Callable[[Terms], str] = lambda _: ""
    deals: list[Deal] = field(default_factory=list)
    lost: list[str] = field(default_factory=list)

    def mandate(self) -> SellerMandate:
        return self.limits

    def supply(self, _session: Session, _demand: Terms) -> Supply:
        return self.has

    def veto(self, terms: Terms) -> str:
        return self.forbidden(terms)

    def agreed(self, _session: Session, deal: Deal) -> None:
        self.deals.append(deal)

    def ended(self, _session: Session, row: NegotiationRow) -> None:
        self.lost.append(row.reason)


@dataclass
class ScriptedBuyer:
    limits: BuyerMandate = field(default_factory=buyer_mandate)
    deals: list[Deal] = field(default_factory=list)
    lost: list[str] = field(default_factory=list)

    def mandate(self) -> BuyerMandate:
        return self.limits

    def veto(self, _terms: Terms) -> str:
        return ""

    def agreed(self, _session: Session, deal: Deal) -> None:
        self.deals.append(deal)

    def ended(self, _session: Session, row: NegotiationRow) -> None:
        self.lost.append(row.reason)


class Market:
    """One buyer and one seller."""

    def __init__(self, folder: Path, *, seller: ScriptedSeller | None = None, buyer: ScriptedBuyer | None = None):
        self.clock = Clock()
        self.seller, self.buyer = seller or ScriptedSeller(), buyer or ScriptedBuyer()
        self.selling_mail = Mailbox.open(folder / "seller.sqlite", TABLES)
        self.buying_mail = Mailbox.open(folder / "buyer.sqlite", TABLES)
        self.selling = SellerDesk(self.desk(SELLER_KEY, self.selling_mail), self.seller)
        self.buying = BuyerDesk(self.desk(BUYER_KEY, self.buying_mail), self.buyer)
        self.selling.register()
        self.buying.register()

    def desk(self, key: bytes, mail: Mailbox) -> Desk:
        return Desk(mail, address=address_of(key), signer=KeySigner(key, BOOK), now_s=self.clock)

    def need(self, **changes: object) -> Need:
        terms = frame(buyer=address_of(BUYER_KEY), seller=address_of(SELLER_KEY), **changes)
        return need(frame=terms)

    def open(self, wanted: Need | None = None, *, max_rounds: int = 8) -> str:
        with self.buying_mail.transaction() as session:
            return self.buying.open(session, wanted or self.need(), max_rounds=max_rounds)

    def carry(self, *, until: Callable[[Wire], bool] = lambda _: False) -> list[Wire]:
        """Carry mail to and fro until there is none, or a message is reached that is then left undelivered."""
        carried: list[Wire] = []
        routes = (
            (self.buying_mail, self.selling_mail, address_of(BUYER_KEY)),
            (self.selling_mail, self.buying_mail, address_of(SELLER_KEY)),
        )
        while rows := [(route, row) for route in routes for row in route[0].outbox.due()]:
            (source, target, sender), row = rows[0]
            if until(row.message):
                return carried
            assert target.receive(sender, row.message) is Verdict.TAKEN
            source.outbox.acknowledge(row.recipient, row.message.msg_id)
            carried.append(row.message)
        return carried

    def to_seller(self, message: Wire, *, sender: bytes = BUYER_KEY) -> Verdict:
        return self.selling_mail.receive(address_of(sender), message)

    def to_buyer(self, message: Wire, *, sender: bytes = SELLER_KEY) -> Verdict:
        return self.buying_mail.receive(address_of(sender), message)

    def row(self, identity: str, *, mail: Mailbox) -> NegotiationRow:
        with mail.reading() as session:
            row = session.get(NegotiationRow, identity)
            assert row is not None
            return row
