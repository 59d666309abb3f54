"""Credits of a key: what it has, what contracts may take of it, what waits for it in the vault."""

from __future__ import annotations

from dataclasses import dataclass
from enum import StrEnum
from typing import TYPE_CHECKING

from governance.errors import FolkmootError

if TYPE_CHECKING:
    from governance.domain.market import Address
    from governance.ports import Chain, Signer

CREDIT = 10**18


class Taker(StrEnum):
    """Contracts that take credits by allowance."""

    AGREEMENTS = "agreements"
    VAULT = "vault"

    @property
    def contract(self) -> str:
        """Name of the contract in the deployment file."""
        return {Taker.AGREEMENTS: "AgreementBook", Taker.VAULT: "RewardVault"}[self]


class AccountError(FolkmootError):
    """Nothing to withdraw; says for whom."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Account:
    """The credits of one key, each in 1e-18 credit."""

    address: Address
    has_e18: int
    owed_e18: int
    """What waits in the vault until somebody withdraws it for this key."""
    agreements_may_take_e18: int
    """For prices of what its agents buy."""
    vault_may_take_e18: int
    """For bonds, stakes, bonuses and deposits."""


def read_account(chain: Chain, holder: Address) -> Account:
    """Return the credits of a key."""
    from governance.services.reading import number

    return Account(
        address=holder,
        has_e18=number(chain.read("Credit", "balanceOf", holder)),
        owed_e18=number(chain.read("RewardVault", "balanceOf", holder)),
        agreements_may_take_e18=allowed_e18(chain, holder, Taker.AGREEMENTS),
        vault_may_take_e18=allowed_e18(chain, holder, Taker.VAULT),
    )


def allowed_e18(chain: Chain, holder: Address, taker: Taker) -> int:
    """Return what a contract may still take of a key."""
    from governance.services.reading import number

    return number(chain.read("Credit", "allowance", holder, chain.address(taker.contract)))


def allow(chain: Chain, payer: Signer, amount_e18: int, *, taker: Taker = Taker.VAULT) -> None:
    """Let a contract take an amount, on top of what it may take already."""
    # Added to what stands: bonds and stakes of the same key need theirs.
    set_allowance(chain, payer, allowed_e18(chain, payer.address, taker) + amount_e18, taker=taker)


def set_allowance(chain: Chain, payer: Signer, amount_e18: int, *, taker: Taker) -> None:
    """Let a contract take this much in all, zero included."""
    chain.send(payer, "Credit", "approve", (chain.address(taker.contract), amount_e18))


def withdraw(chain: Chain, holder: Signer) -> int:
    """Take all that the vault owes a key; return it.

    Raises
    ------
    AccountError
        If it owes nothing.
    """
    owed_e18 = read_account(chain, holder.address).owed_e18
    if not owed_e18:
        raise AccountError(f"nothing waits in the vault for {holder.address}")
    chain.send(holder, "RewardVault", "withdraw", (holder.address,))
    return owed_e18
