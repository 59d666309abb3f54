"""The selling side of a role: what there is, within the mandate, under the constitution."""

from dataclasses import dataclass
from typing import Protocol

from sqlmodel import Session, col, select

from agents.negotiation.mandate import SellerMandate
from agents.negotiation.position import Supply
from agents.net.signing import Signer as TermsSigner
from agents.protocols.desk import Desk as Steps
from agents.protocols.records import TABLES, Deal, NegotiationRow, deal_of, reserved_epsilon_micros
from agents.protocols.selling import SellerDesk
from agents.roles.desk import Desk, Plans
from agents.roles.veto import veto
from governance.domain.market import Kind, Terms
from governance.domain.policy import PolicySet

EARLIEST_S = 3600


class Goods(Protocol):
    """What an agent has to sell beside its work."""

    def offer(self, kind: Kind) -> tuple[int, bytes]:
        """Return rows and their root for a kind; none for a kind without rows."""
        ...


class NoGoods:
    """For agents that sell work only."""

    def offer(self, kind: Kind) -> tuple[int, bytes]:
        """Return no rows, whatever the kind."""
        del kind
        return 0, bytes(32)


@dataclass(slots=True)
class _View:
    """What the chain said at the last step; negotiation never waits for it."""

    now_s: int
    epsilon_granted_micros: int
    goods: dict[Kind, tuple[int, bytes]]
    policy: PolicySet


class Sales:
    """Answers demands for an agent. Fits ``agents.protocols.selling.Seller`` and is stepped like a role."""

    tables = TABLES

    def __init__(self, desk: Desk, mandate: SellerMandate, *, goods: Goods, signer: TermsSigner) -> None:
        self._desk = desk
        self._mandate = mandate
        self._goods = goods
        self._view = self._look()
        steps = Steps(desk.mailbox, address=desk.address, signer=signer, now_s=lambda: self._view.now_s)
        self._selling = SellerDesk(steps, self)
        self._selling.register()

    def step(self) -> Plans:
        """Look at the chain anew, note deals that reached it, and let go of those that did not."""
        self._view = self._look()
        with self._desk.mailbox.reading() as session:
            statement = select(NegotiationRow).where(
                NegotiationRow.side == "seller",
                NegotiationRow.state == "agreed",
                col(NegotiationRow.is_settled).is_(False),
            )
            waiting = [deal_of(row) for row in session.exec(statement)]
        made = [deal for deal in waiting if self._desk.market.agreement(self._desk.market.terms_digest(deal.terms))]
        with self._desk.mailbox.transaction() as session:
            for deal in made:
                self._selling.settle(session, deal.negotiation_id)
            self._selling.expire(session)
        return Plans(busy="an agreement is on its way to the chain" if len(made) < len(waiting) else "")

    def mandate(self) -> SellerMandate:
        return self._mandate

    def supply(self, session: Session, demand: Terms) -> Supply:
        rows, root = self._view.goods[demand.kind]
        spent = self._view.epsilon_granted_micros + reserved_epsilon_micros(session)
        return Supply(
            rows=rows,
            data_root=root,
            epsilon_left_micros=max(0, self._mandate.lifetime_epsilon_micros - spent),
            earliest_s=self._view.now_s + EARLIEST_S,
        )

    def veto(self, terms: Terms) -> str:
        return veto(self._view.policy, terms, now_s=self._view.now_s)

    def agreed(self, session: Session, deal: Deal) -> None:
        del session, deal

    def ended(self, session: Session, row: NegotiationRow) -> None:
        del session, row

    def _look(self) -> _View:
        return _View(
            now_s=self._desk.chain.now_s(),
            epsilon_granted_micros=self._desk.market.epsilon_granted(self._desk.address),
            goods={kind: self._goods.offer(kind) for kind in Kind},
            policy=self._desk.policy,
        )
