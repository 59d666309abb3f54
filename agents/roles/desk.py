"""What every role works with: the chain, its key, its mail, its store."""

import logging
from collections.abc import Callable, Iterable
from dataclasses import dataclass
from pathlib import Path
from typing import Protocol, TypeVar

from agents.net.artifacts import PublicStore
from agents.net.mailbox import Mailbox
from agents.roles.agreements import Agreements
from governance.domain.market import Address
from governance.domain.policy import PolicySet
from governance.errors import FolkmootError
from governance.ports import Chain, Signer
from governance.services.amendments import Amendments
from governance.services.court import Court
from governance.services.market import Market
from governance.services.policy import PolicyInForce
from governance.services.registry import Registry
from governance.services.releases import Governor, Releases

LOGGER = logging.getLogger(__name__)
Item = TypeVar("Item")
Fetch = Callable[[Address, bytes], bytes]
"""Fetches an artifact by its SHA-256 from an agent's own endpoint, verified."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Desk:
    """The desk of one agent. Everything durable is in the mailbox's database or on chain."""

    name: str
    home: Path
    signer: Signer
    sealing_key: Callable[[], bytes]
    """The X25519 private key to which evaluation rows are sealed."""
    chain: Chain
    mailbox: Mailbox
    store: PublicStore
    fetch: Fetch
    wake: Callable[[], None]
    """Lets the roles step soon, from any thread."""
    constitution: PolicyInForce
    registry: Registry
    market: Market
    agreements: Agreements
    court: Court
    releases: Releases
    governor: Governor
    amendments: Amendments

    @property
    def policy(self) -> PolicySet:
        """The set of rules that is in force now, whatever it was at the start."""
        return self.constitution.now()

    @property
    def address(self) -> Address:
        """Address of the agent's key."""
        return self.signer.address

    def owner_name(self, agent: Address) -> str:
        """Return the name by which tasks and cards call an agent's organisation, e.g. ``va-long-beach``."""
        return self.registry.owner_name(self.registry.organisation_of(agent))


@dataclass(frozen=True, slots=True, kw_only=True)
class Plans:
    """What a role is about, for whoever watches: a person, or the development clock."""

    busy: str = ""
    """Work that is going on now; empty when there is none."""
    due_at_s: int = 0
    """Chain time at which the role has something to do next; 0 when it waits for others only."""


class Role(Protocol):
    """One thing that an agent is."""

    def step(self) -> Plans:
        """Do all that is due now and say what comes next. Called on each block and after mail."""
        ...


def merge(plans: list[Plans]) -> Plans:
    """Return the plans of several roles as one: any work is work, the earliest time counts."""
    times = [plan.due_at_s for plan in plans if plan.due_at_s]
    return Plans(busy="; ".join(plan.busy for plan in plans if plan.busy), due_at_s=min(times, default=0))


def each(items: Iterable[Item], act: Callable[[Item], Plans], *, name: Callable[[Item], str]) -> list[Plans]:
    """Let every item have its step: the trouble of one, or the fault that a peer caused in it, holds up no other."""
    return [_try(item, act, name(item)) for item in items]


def _try(item: Item, act: Callable[[Item], Plans], name: str) -> Plans:
    try:
        return act(item)
    except FolkmootError as problem:
        LOGGER.warning("%s: %s", name, problem)
        return Plans(busy=f"{name}: trouble: {str(problem)[:200]}")
    except Exception:
        LOGGER.exception("%s: a fault", name)
        return Plans(busy=f"{name}: trouble: a fault; see the log")
