"""The agreements of an operator: what they pay, when they end, and consent that is taken back."""

from __future__ import annotations

import re
from dataclasses import dataclass
from typing import TYPE_CHECKING

from folkmoot.accounts import CREDIT
from folkmoot.options import utc
from governance.domain.market import Kind
from governance.errors import FolkmootError
from governance.services import reading
from governance.services.market import AgreementState, Market
from governance.services.registry import Registry

if TYPE_CHECKING:
    from governance.ports import Chain, Signer
    from governance.services.market import AgreementRecord

NEVER_S = 2**64 - 1
"""What the contract answers for an agreement whose end nobody knows yet."""


class AgreementError(FolkmootError):
    """No such agreement, or nothing that can be done with it now; says why."""


@dataclass(frozen=True, slots=True)
class Line:
    """One agreement in the list of an operator."""

    agreement: AgreementRecord
    sells: bool
    """Whether the operator's organisation is the seller."""
    ends_from_s: int
    """Chain time from which anybody may end it; ``NEVER_S`` while its job runs without an end in sight."""
    bond_left_e18: int

    def fields(self) -> dict[str, object]:
        """Return it for a program; amounts in 1e-18 credit, moments in seconds of chain time."""
        deal = self.agreement
        return {
            "agreement": deal.id.hex(),
            "job": deal.job.hex(),
            "state": deal.state.name.lower(),
            "kind": deal.kind.word,
            "side": "seller" if self.sells else "buyer",
            "price_e18": deal.price_e18,
            "paid_e18": deal.paid_e18,
            "bond_left_e18": self.bond_left_e18,
            "ends_from_s": self.ends_from_s if self.ends_from_s < NEVER_S else None,
        }

    def words(self) -> str:
        """Return it as one line for a person."""
        deal = self.agreement
        paid = f"{deal.paid_e18 / CREDIT:.2f} of {deal.price_e18 / CREDIT:.2f} credits paid"
        bond = f", bond {self.bond_left_e18 / CREDIT:.2f}" if self.bond_left_e18 else ""
        ends = ""
        if deal.state is AgreementState.ACTIVE and self.ends_from_s < NEVER_S:
            ends = f", ends from {utc(self.ends_from_s)}"
        side = "sold" if self.sells else "bought"
        return (
            f"{deal.id.hex()}  {deal.state.name.lower():9}  {side} {deal.kind.word.replace('_', ' ')}, "
            f"{paid}{bond}{ends}, job {deal.job.hex()[:8]}"
        )


@dataclass(frozen=True, slots=True)
class Agreements:
    """The agreements of a network, as an operator looks at them."""

    chain: Chain

    def of(self, operator: str) -> list[Line]:
        """Return what the organisation of an operator sold and bought, oldest first.

        Raises
        ------
        AgreementError
            If the key is nobody's operator.
        """
        organisation = self._organisation(operator)
        market, registry = Market(self.chain), Registry(self.chain)
        found = []
        for agreement in self._ids():
            deal = market.agreement(agreement)
            if deal is None:
                continue
            sells = deal.organisation == organisation
            if sells or registry.organisation_of(deal.buyer) == organisation:
                ends, bond = market.closable_from_s(agreement), market.bond_left_e18(agreement)
                found.append(Line(deal, sells, ends, bond))
        return found

    def find(self, start: str) -> AgreementRecord:
        """Return the one agreement whose id begins so.

        Raises
        ------
        AgreementError
            If none or several do.
        """
        digits = start.lower().removeprefix("0x")
        if not re.fullmatch(r"[0-9a-f]{1,64}", digits):
            raise AgreementError(f"{start!r} is no id of an agreement: that is 64 hexadecimal digits, or the first few")
        found = [each for each in self._ids() if each.hex().startswith(digits)]
        deal = Market(self.chain).agreement(found[0]) if len(found) == 1 else None
        if deal is None:
            raise AgreementError(f"{len(found)} agreements have an id that begins with {digits}; see `agreement list`")
        return deal

    def warning(self, deal: AgreementRecord) -> str:
        """Return what taking consent back from an agreement does, which nobody can undo."""
        left = (deal.price_e18 - deal.paid_e18) / CREDIT
        said = [f"no later work under {deal.id.hex()[:8]} is paid, and {left:.2f} credits go back to the buyer"]
        if deal.withdrawal_blocks and deal.kind in {Kind.DATA, Kind.EVALUATION_ROWS}:
            said.append("what rests on it is never released, and a release is suspended for ever")
        said.append("what was posted and not claimed by now is not paid any more; nobody can undo it")
        return "; ".join(said)

    def withdraw(self, operator: Signer, deal: AgreementRecord) -> None:
        """Take consent back.

        Raises
        ------
        AgreementError
            If the operator is not the seller's, or it was done before.
        """
        self.require_seller(operator.address, deal)
        Market(self.chain).withdraw(operator, deal.id)

    def require_seller(self, operator: str, deal: AgreementRecord) -> None:
        """Refuse what the contract would, before anything is asked.

        Raises
        ------
        AgreementError
            If the operator is not the seller's, or consent was taken back before.
        """
        if self._organisation(operator) != deal.organisation:
            raise AgreementError(f"{deal.id.hex()[:8]} was sold by another organisation than that of {operator}")
        if deal.state is AgreementState.WITHDRAWN:
            raise AgreementError(f"consent to {deal.id.hex()[:8]} was taken back before")

    def end(self, sender: Signer, deal: AgreementRecord) -> None:
        """End an agreement whose time is over, and free its bond.

        Raises
        ------
        AgreementError
            If its time is not over.
        """
        market = Market(self.chain)
        from_s = market.closable_from_s(deal.id)
        if self.chain.now_s() < from_s:
            when = f"from {utc(from_s)} on chain" if from_s < NEVER_S else "a week after its job is over"
            raise AgreementError(f"{deal.id.hex()[:8]} can be ended {when}")
        market.expire(sender, deal.id)

    def _ids(self) -> list[bytes]:
        events = self.chain.events("AgreementBook", ["AgreementCreated"], from_block=self.chain.first_block)
        return [reading.raw(event.values["id"]) for event in events]

    def _organisation(self, operator: str) -> int:
        # Removed and suspended ones, too: they keep what they agreed on.
        found = [each.number for each in Registry(self.chain).organisations() if each.operator == operator]
        if not found:
            raise AgreementError(f"{operator} is the operator key of no organisation; name another with --key")
        return found[-1]
