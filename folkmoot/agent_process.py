"""Puts one agent together from its configuration and runs it."""

from __future__ import annotations

import json
import logging
from collections.abc import Callable
from contextlib import suppress
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING, Final

from folkmoot.agent_config import AgentConfig, AgentConfigError, DataConfig
from folkmoot.home import Home
from folkmoot.settings import Settings
from governance.errors import DeploymentMissing

if TYPE_CHECKING:
    from sqlmodel import SQLModel

    from agents.negotiation.mandate import BuyerMandate, SellerMandate
    from agents.net.artifacts import PublicStore
    from agents.net.mailbox import Mailbox
    from agents.net.signing import KeySigner as TermsSigner
    from agents.roles.desk import Desk, Role
    from agents.roles.owner import OwnerSetup
    from agents.roles.process import Fetcher, Waker
    from agents.roles.still import StillChain
    from governance.adapters.evm import EvmChain
    from governance.ports import Signer
    from governance.services.registry import Registry

LOGGER = logging.getLogger(__name__)
SPLIT_FILE: Final = "split.json"
"""Numbers of rows and roots of an owner's directory, as ``folkmoot scenario build`` writes them."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Links:
    """What an agent's desk is connected to."""

    signer: Signer
    mailbox: Mailbox
    store: PublicStore
    fetch: Fetcher
    wake: Waker


def run_agent(config: AgentConfig, settings: Settings) -> int:
    """Run one agent until it is told to stop; return its exit code.

    Raises
    ------
    FolkmootError
        If configuration, keys, data or chain do not let it start; the message says what to do.
    """
    from agents.net.agent import NetAgent, NetSettings
    from agents.net.artifacts import PublicStore
    from agents.net.directory import CachedDirectory
    from agents.net.lock import KeyLock
    from agents.net.post import PostOffice
    from agents.net.replay import ReplayGuard
    from agents.roles.process import Fetcher, RegistryDirectory, RoleLoop, Waker
    from agents.roles.still import StillChain
    from governance.adapters.evm import KeySigner
    from governance.adapters.evm.keys import read_keystore
    from governance.services.registry import Registry

    with suppress(OSError):
        # Keys, limits and rows lie here: nobody else's business, even on a shared machine.
        config.home.chmod(0o700)
    secret = read_keystore(config.key, _password(config.password_file))
    signer = KeySigner.from_secret(secret)
    chain = _chain(config, settings)
    _require_binding(config, Registry(chain), signer.address)
    directory = CachedDirectory(RegistryDirectory(Registry(chain)))
    fetcher, waker, store = Fetcher(directory, secret), Waker(), PublicStore(config.store)
    with KeyLock(config.home, signer.address):
        mailbox = _mailbox(config)
        still = StillChain(chain)
        desk = _desk(config, still, Links(signer=signer, mailbox=mailbox, store=store, fetch=fetcher, wake=waker))
        roles = _roles(config, desk, secret)
        agent = NetAgent(
            NetSettings(name=config.name, host=config.host, port=config.port),
            key=secret,
            directory=directory,
            # A file of its own: the gate must not wait for a role's transaction.
            replay=ReplayGuard(config.home / "replay.sqlite"),
            store=store,
        )
        PostOffice(agent, mailbox)
        loop = RoleLoop(still, roles, waker=waker, fetcher=fetcher, status=config.home / "status.json")
        loop.attach(agent)
        LOGGER.info("%s listens on %s as %s", config.name, agent.base_url, signer.address)
        return int(agent.run())


def _require_binding(config: AgentConfig, registry: Registry, address: str) -> None:
    """Refuse to run what its network would refuse call by call.

    Raises
    ------
    AgentConfigError
        If the key was never bound, was unbound, or was bound without a role that the file names.
    """
    from governance.services.registry import Role

    file, record = config.home / "agent.yaml", registry.agent(address)
    if not record.organisation:
        raise AgentConfigError(
            f"the agent {address} belongs to no organisation yet; its operator binds it first: "
            f"folkmoot agent bind {file} --key OPERATOR-KEY"
        )
    if not registry.is_bound(address):
        raise AgentConfigError(
            f"the agent {address} was unbound or its key replaced; prepare another: folkmoot agent init"
        )
    wrong = sorted(set(config.roles) - {role.name.lower() for role in Role if role in record.roles and role.name})
    if wrong:
        raise AgentConfigError(
            f"{file}: the agent {address} was bound without the role {', '.join(wrong)}; "
            "take it out of the file, or prepare another agent with `folkmoot agent init`"
        )


def _chain(config: AgentConfig, settings: Settings) -> EvmChain:
    from folkmoot.network import open_chain

    try:
        return open_chain(Home.at(config.network), settings)
    except DeploymentMissing as missing:
        raise AgentConfigError(f"network {config.network}: {missing}") from missing


def _password(path: Path) -> str:
    try:
        return path.read_text().splitlines()[0]
    except (OSError, IndexError) as problem:
        raise AgentConfigError(f"the password file {path} cannot be read: {problem}") from problem


def _mailbox(config: AgentConfig) -> Mailbox:
    from agents.net.mailbox import Mailbox
    from agents.roles import compute, coordinator, evaluator, evidence, omissions, owner, selling

    tables: tuple[type[SQLModel], ...] = (
        *compute.Compute.tables,
        *coordinator.Coordinator.tables,
        *evaluator.Evaluator.tables,
        *owner.Owner.tables,
        *omissions.Omissions.tables,
        *selling.Sales.tables,
        evidence.KnownRound,
    )
    return Mailbox.open(config.home / "agent.sqlite", tables)


def _desk(config: AgentConfig, chain: StillChain, links: Links) -> Desk:
    from agents.roles.agreements import Agreements
    from agents.roles.desk import Desk
    from governance.adapters.evm.keys import read_keystore
    from governance.policy import load_policies
    from governance.services.amendments import Amendments
    from governance.services.court import Court
    from governance.services.market import Market
    from governance.services.policy import PolicyInForce
    from governance.services.registry import Registry
    from governance.services.releases import Governor, Releases

    market = Market(chain)
    sealing = read_keystore(config.sealing_key, _password(config.password_file))
    return Desk(
        name=config.name,
        home=config.home,
        signer=links.signer,
        sealing_key=lambda: sealing,
        chain=chain,
        mailbox=links.mailbox,
        store=links.store,
        fetch=links.fetch,
        wake=links.wake,
        constitution=PolicyInForce(chain, load_policies()),
        registry=Registry(chain),
        market=market,
        agreements=Agreements(chain, market),
        court=Court(chain),
        releases=Releases(chain),
        governor=Governor(chain),
        amendments=Amendments(chain),
    )


def _roles(config: AgentConfig, desk: Desk, secret: bytes) -> list[Role]:
    from agents.net.signing import KeySigner as TermsSigner
    from agents.roles.heartbeat import Heartbeat

    signer = TermsSigner(secret, desk.market.domain)
    roles: list[Role] = [Heartbeat(desk)]
    for name in config.roles:
        roles += ROLES[name](config, desk, signer)
    return roles


def _owner(config: AgentConfig, desk: Desk, signer: TermsSigner) -> list[Role]:
    from agents.roles.claims import Claims
    from agents.roles.income import Income
    from agents.roles.omissions import Omissions
    from agents.roles.owner import Owner
    from agents.roles.selling import Sales
    from agents.training.client import TrainingChild

    mandate = _seller_mandate(config, desk)
    setup = _setup(config.data, mandate) if config.data else None
    if setup is None:
        raise AgentConfigError(f"{config.name}: an owner needs data")
    child = TrainingChild(
        owner=desk.owner_name(desk.address), training_csv=setup.training.path, noise_seed=config.noise_seed
    )
    owner = Owner(desk, setup, child)
    return [owner, Sales(desk, mandate, goods=owner, signer=signer), Claims(desk), Omissions(desk), Income(desk)]


def _coordinator(config: AgentConfig, desk: Desk, signer: TermsSigner) -> list[Role]:
    from agents.negotiation.mandate import BuyerMandate
    from agents.roles.answers import Answers
    from agents.roles.buying import Purchases
    from agents.roles.coordinator import Coordinator
    from agents.training.client import TrainingChild

    mandate = _mandate(config, desk)
    if not isinstance(mandate, BuyerMandate):
        raise AgentConfigError(f"{config.mandate}: a coordinator buys, so its mandate needs side: buyer")
    return [Coordinator(desk, Purchases(desk, mandate, signer=signer), TrainingChild()), Answers(desk)]


def _compute(config: AgentConfig, desk: Desk, signer: TermsSigner) -> list[Role]:
    from agents.roles.compute import Compute

    return [_work(config, desk, signer), Compute(desk)]


def _evaluator(config: AgentConfig, desk: Desk, signer: TermsSigner) -> list[Role]:
    from agents.roles.evaluator import Evaluator
    from agents.training.client import TrainingChild

    return [_work(config, desk, signer), Evaluator(desk, TrainingChild())]


def _keeper(_config: AgentConfig, desk: Desk, _signer: TermsSigner) -> list[Role]:
    from agents.roles.keeper import Keeper

    return [Keeper(desk)]


ROLES: Final[dict[str, Callable[[AgentConfig, Desk, TermsSigner], list[Role]]]] = {
    "owner": _owner,
    "coordinator": _coordinator,
    "compute": _compute,
    "evaluator": _evaluator,
    "keeper": _keeper,
}


def _work(config: AgentConfig, desk: Desk, signer: TermsSigner) -> Role:
    from agents.roles.selling import NoGoods, Sales

    return Sales(desk, _seller_mandate(config, desk), goods=NoGoods(), signer=signer)


def _mandate(config: AgentConfig, desk: Desk) -> SellerMandate | BuyerMandate:
    from agents.negotiation.mandate import load_mandate

    if config.mandate is None:
        raise AgentConfigError(f"{config.name}: a mandate file is needed")
    return load_mandate(config.mandate, {purpose.name: purpose.bit for purpose in desk.policy.purposes})


def _seller_mandate(config: AgentConfig, desk: Desk) -> SellerMandate:
    from agents.negotiation.mandate import SellerMandate

    mandate = _mandate(config, desk)
    if not isinstance(mandate, SellerMandate):
        raise AgentConfigError(f"{config.mandate}: this agent sells, so its mandate needs side: seller")
    return mandate


def _setup(data: DataConfig, mandate: SellerMandate) -> OwnerSetup:
    from agents.roles.owner import OwnerSetup, RowFile
    from agents.training.schema import load_schema

    path = data.directory / SPLIT_FILE
    try:
        split = json.loads(path.read_text())
        files = {
            name: RowFile(
                path=data.directory / split[name]["file"],
                rows=int(split[name]["rows"]),
                root=bytes.fromhex(split[name]["root"][2:]),
            )
            for name in ("training", "evaluation", "reserved")
        }
    except (OSError, ValueError, KeyError, TypeError) as problem:
        raise AgentConfigError(f"{path} cannot be read ({problem}); `folkmoot scenario build` writes it") from problem
    return OwnerSetup(
        schema=load_schema(data.schema),
        training=files["training"],
        evaluation=(files["evaluation"], files["reserved"]),
        lifetime_epsilon_micros=mandate.lifetime_epsilon_micros,
    )
