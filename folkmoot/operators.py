"""What an operator does on chain for its agent: bind it, set its mandate, move its endpoint."""

from __future__ import annotations

from pathlib import Path
from typing import TYPE_CHECKING, Final
from urllib.parse import urlsplit

from folkmoot.accounts import allow, withdraw
from folkmoot.agent_config import AgentConfig
from folkmoot.options import utc
from governance.errors import FolkmootError

if TYPE_CHECKING:
    from governance.adapters.evm import EvmChain, KeySigner
    from governance.domain.market import Mandate
    from governance.domain.signing import Binding
    from governance.ports import Chain, Receipt, Signer

BINDING_S: Final = 3600
GAS_WEI: Final = 10**18
ROLE_BITS: Final = {"owner": 1, "coordinator": 2, "compute": 4, "evaluator": 8, "keeper": 16}


class OperatorError(FolkmootError):
    """An operator's command cannot be carried out; says what to do."""


def check_before_binding(chain: Chain, operator: Signer, config_file: Path) -> str:
    """Return the name of the organisation whose operator this is.

    An agent's key is bound once and for ever, so what can be known before is asked before.

    Raises
    ------
    OperatorError
        If the key is no operator's, the agent is bound already, or its mandate has ended.
    MandateError
        If the mandate file does not fit.
    """
    from governance.adapters.evm.keys import keystore_address
    from governance.services.registry import Registry

    config, registry = AgentConfig.read(config_file), Registry(chain)
    names = [each.name for each in registry.organisations() if each.active and each.operator == operator.address]
    if not names:
        raise OperatorError(
            f"{operator.address} is the operator key of no admitted organisation; "
            "name another with --key, or wait until its admission is activated"
        )
    if registry.organisation_of(keystore_address(config.key)):
        raise OperatorError(
            f"the agent of {config_file} is bound already, and a key is bound once; "
            "set its mandate with `folkmoot agent mandate`, or prepare another agent with `folkmoot agent init`"
        )
    if config.mandate is not None and _limits(config).valid_until_s <= chain.now_s():
        raise OperatorError(f"{config.mandate}: until has passed on chain; write a later day")
    return names[0]


def bind_agent(chain: Chain, operator: Signer, config_file: Path) -> Receipt:
    """Bind the agent of a configuration file to the operator's organisation, signed by both keys."""
    from governance.adapters.evm import KeySigner
    from governance.adapters.evm.keys import read_keystore
    from governance.services.registry import Registry

    config, registry = AgentConfig.read(config_file), Registry(chain)
    agent = KeySigner.from_secret(read_keystore(config.key, config.password_file.read_text().splitlines()[0]))
    binding = binding_of(chain, operator, config, agent)
    return registry.bind(operator, binding, agent.sign_digest(registry.binding_digest(binding)))


def binding_of(chain: Chain, operator: Signer, config: AgentConfig, agent: KeySigner) -> Binding:
    """Return what an agent's key has to sign to be bound."""
    from agents.net.sealed import sealing_public_key
    from governance.adapters.evm.keys import read_keystore
    from governance.domain.signing import Binding
    from governance.services.registry import Registry

    password = config.password_file.read_text().splitlines()[0]
    return Binding(
        agent=agent.address,
        operator=operator.address,
        roles=sum(ROLE_BITS[role] for role in config.roles),
        public_key_x=agent.public_key[:32],
        public_key_y=agent.public_key[32:],
        encryption_key=sealing_public_key(read_keystore(config.sealing_key, password)),
        endpoint=f"http://{config.host}:{config.port}",
        nonce=Registry(chain).binding_nonce(agent.address),
        deadline_s=chain.now_s() + BINDING_S,
    )


def give_gas(chain: EvmChain, operator: Signer, config_file: Path) -> None:
    """Send the agent's key what its transactions cost for a while, if it has little."""
    from governance.adapters.evm.keys import keystore_address

    address = keystore_address(AgentConfig.read(config_file).key)
    if chain.balance(address) < GAS_WEI // 2:
        chain.transfer(operator, address, GAS_WEI)


def unbind(chain: Chain, operator: Signer, config_file: Path) -> Receipt:
    """End an agent: its key sells, buys and judges nothing any more, and is never bound again.

    Raises
    ------
    OperatorError
        If the agent is not bound, or by another operator.
    """
    from governance.adapters.evm.keys import keystore_address
    from governance.services.registry import Registry

    registry, agent = Registry(chain), keystore_address(AgentConfig.read(config_file).key)
    if not registry.is_bound(agent):
        raise OperatorError(f"the agent {agent} of {config_file} is not bound")
    if registry.operator_of(agent) != operator.address:
        raise OperatorError(
            f"the agent {agent} of {config_file} has another operator, {registry.operator_of(agent)}; name its --key"
        )
    return registry.unbind(operator, agent)


def move_endpoint(chain: Chain, operator: Signer, config_file: Path, url: str) -> Receipt:
    """Name another endpoint of the agent on chain.

    Raises
    ------
    OperatorError
        If ``url`` is no address that peers could reach: they would lose the agent.
    """
    from governance.adapters.evm.keys import keystore_address
    from governance.services.registry import Registry

    parts = urlsplit(url)
    if parts.scheme not in {"http", "https"} or not parts.hostname or parts.path not in {"", "/"}:
        raise OperatorError(f"{url!r} is no endpoint; write http://HOST:PORT or https://HOST")
    return Registry(chain).set_endpoint(operator, keystore_address(AgentConfig.read(config_file).key), url)


def set_mandate(chain: Chain, operator: Signer, config_file: Path) -> Receipt | None:
    """Put the limits of an agent's mandate file on chain; None for an agent without one."""
    from governance.adapters.evm.keys import keystore_address
    from governance.services.registry import Registry

    config = AgentConfig.read(config_file)
    if config.mandate is None:
        return None
    return Registry(chain).set_mandate(operator, keystore_address(config.key), _limits(config))


def revoke_mandate(chain: Chain, operator: Signer, config_file: Path) -> Receipt:
    """Let the agent sign nothing any more, in one transaction."""
    from governance.adapters.evm.keys import keystore_address
    from governance.domain.market import Mandate
    from governance.services.registry import Registry

    address = keystore_address(AgentConfig.read(config_file).key)
    return Registry(chain).set_mandate(operator, address, Mandate())


def stake_for(chain: Chain, operator: Signer, config_file: Path, amount_e18: int | None = None) -> int:
    """Stake for an evaluator's organisation, by default what is missing; return what is at stake then.

    Raises
    ------
    OperatorError
        If the agent is no evaluator, or nothing is missing.
    """
    from governance.adapters.evm.keys import keystore_address
    from governance.services.court import Court
    from governance.services.registry import Registry

    config, court = AgentConfig.read(config_file), Court(chain)
    if "evaluator" not in config.roles:
        raise OperatorError(f"the agent of {config_file} is no evaluator, so that nothing is to be staked for it")
    agent = keystore_address(config.key)
    organisation = Registry(chain).organisation_of(agent)
    staked_e18 = court.service(organisation).stake_e18
    missing_e18 = court.settings().stake_e18 - staked_e18 if amount_e18 is None else amount_e18
    if missing_e18 <= 0:
        raise OperatorError(
            f"{staked_e18 / 10**18:.2f} credits are at stake, which is enough; name an --amount for more"
        )
    allow(chain, operator, missing_e18)
    court.stake(operator, agent, missing_e18)
    return staked_e18 + missing_e18


def leave_jury_service(chain: Chain, operator: Signer, config_file: Path) -> str:
    """End an evaluator's service, or take back the stake of one that ended long enough ago; say what was done."""
    from governance.adapters.evm.keys import keystore_address
    from governance.services.court import Court
    from governance.services.registry import Registry

    agent, court = keystore_address(AgentConfig.read(config_file).key), Court(chain)
    organisation = Registry(chain).organisation_of(agent)
    service = court.service(organisation)
    if not service.stake_e18:
        raise OperatorError(f"nothing is at stake for the organisation of {config_file}")
    if not service.leaves_at_s:
        court.ask_unstake(operator, agent)
        service = court.service(organisation)
        return (
            "it is drawn for no case that is opened from now on; "
            f"call this again when it is {utc(service.leaves_at_s)} on chain, or later"
        )
    court.unstake(operator, organisation)
    withdraw(chain, operator)
    return f"{service.stake_e18 / 10**18:.2f} credits are back"


def _limits(config: AgentConfig) -> Mandate:
    from agents.negotiation.mandate import load_mandate
    from governance.policy import load_policies

    purposes = {purpose.name: purpose.bit for purpose in load_policies().purposes}
    assert config.mandate is not None  # noqa: S101 - the caller looked
    return load_mandate(config.mandate, purposes).on_chain()
