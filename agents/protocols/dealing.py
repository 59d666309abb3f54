"""For an agent that buys and sells: shares the messages that both sides take."""

from sqlmodel import Session

from agents.net.mailbox import Mailbox
from agents.protocols.buying import BuyerDesk
from agents.protocols.messages import Accept, Confirm, Counter, Decline, Demand, Offer
from agents.protocols.records import NegotiationRow
from agents.protocols.selling import SellerDesk


class Dealer:
    """Gives each step to the desk whose negotiation it belongs to."""

    def __init__(self, seller: SellerDesk, buyer: BuyerDesk) -> None:
        self._seller = seller
        self._buyer = buyer

    def register(self, mailbox: Mailbox) -> None:
        """Take every message of the negotiation protocol from the mailbox."""
        mailbox.handle(Demand, self._seller.on_demand)
        mailbox.handle(Accept, self._seller.on_accept)
        mailbox.handle(Offer, self._buyer.on_offer)
        mailbox.handle(Confirm, self._buyer.on_confirm)
        mailbox.handle(Counter, self._on_counter)
        mailbox.handle(Decline, self._on_decline)

    def _on_counter(self, session: Session, sender: str, message: Counter) -> None:
        desk = self._seller if _sells(session, message.negotiation_id) else self._buyer
        desk.on_counter(session, sender, message)

    def _on_decline(self, session: Session, sender: str, message: Decline) -> None:
        desk = self._seller if _sells(session, message.negotiation_id) else self._buyer
        desk.on_decline(session, sender, message)


def _sells(session: Session, identity: str) -> bool:
    row = session.get(NegotiationRow, identity)
    return row is not None and row.side == "seller"
