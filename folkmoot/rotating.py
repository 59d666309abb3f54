"""How an operator replaces its agent's key, and a member its operator's."""

from __future__ import annotations

import secrets
from pathlib import Path
from typing import TYPE_CHECKING

from folkmoot.addresses import typed_address
from folkmoot.agent_config import AgentConfig
from folkmoot.operators import OperatorError, binding_of
from folkmoot.options import utc

if TYPE_CHECKING:
    from governance.domain.market import Address
    from governance.ports import Chain, Receipt, Signer


def rotate(chain: Chain, operator: Signer, config_file: Path) -> str:
    """Announce a new key for an agent, or put the one that was announced in its place; say what was done.

    The key is made beside the old one and takes its file when it takes its place, so the agent keeps its rows, its
    salts and what it knows of the privacy it has spent.

    Raises
    ------
    OperatorError
        If the wait is not over, or the key that was announced is not at hand.
    """
    from governance.adapters.evm.keys import keystore_address
    from governance.services.registry import Registry

    config, registry = AgentConfig.read(config_file), Registry(chain)
    old, beside = keystore_address(config.key), config.key.with_name(f"next-{config.key.name}")
    asked = registry.rotation(old)
    if beside.exists() and registry.organisation_of(keystore_address(beside)):
        # The chain knows, and the last attempt ended before the files did.
        _swap_files(config, beside, old)
        return f"{keystore_address(config.key)} stands in the place of {old}"
    if not asked.is_asked:
        following = _prepare(config, beside)
        registry.ask_rotation(operator, old, following)
        from_s = registry.rotation(old).from_s
        return f"{following} is announced for {old}; call this again when it is {utc(from_s)} on chain, or later"
    if chain.now_s() < asked.from_s:
        raise OperatorError(f"the new key waits until {from_text(asked.from_s, chain.now_s())}; call this again then")
    if not beside.exists() or keystore_address(beside) != asked.following:
        raise OperatorError(
            f"{beside} is not the key {asked.following} that was announced; "
            f"put it there, or end the announcement: folkmoot agent cancel-rotation {config_file} --key OPERATOR-KEY"
        )
    return _take_its_place(chain, operator, config, beside)


def from_text(from_s: int, now_s: int) -> str:
    """Say when something may be done, and in how many hours."""
    return f"it is {utc(from_s)} on chain, in {-(-(from_s - now_s) // 3600)} hours"


def _prepare(config: AgentConfig, beside: Path) -> Address:
    from governance.adapters.evm.keys import keystore_address, write_keystore

    # A key whose announcement was cancelled is as good as new.
    if not beside.exists():
        write_keystore(beside, secrets.token_bytes(32), config.password_file.read_text().splitlines()[0])
    return keystore_address(beside)


def _take_its_place(chain: Chain, operator: Signer, config: AgentConfig, beside: Path) -> str:
    from governance.adapters.evm import KeySigner
    from governance.adapters.evm.keys import keystore_address, read_keystore
    from governance.services.registry import Registry

    registry, old = Registry(chain), keystore_address(config.key)
    agent = KeySigner.from_secret(read_keystore(beside, config.password_file.read_text().splitlines()[0]))
    binding = binding_of(chain, operator, config, agent)
    registry.rotate(operator, old, binding, agent.sign_digest(registry.binding_digest(binding)))
    _swap_files(config, beside, old)
    return (
        f"{agent.address} stands in the place of {old}, which is ended for ever; it has no mandate yet, and what the "
        "old key spent is not counted for it: write down what is left, then run folkmoot agent mandate"
    )


def _swap_files(config: AgentConfig, beside: Path, old: Address) -> None:
    config.key.rename(config.key.with_name(f"retired-{old[2:10].lower()}.json"))
    beside.rename(config.key)


def cancel_rotation(chain: Chain, signer: Signer, config_file: Path) -> Receipt:
    """End the announcement of a new key, as the agent's operator or the member above it."""
    from governance.adapters.evm.keys import keystore_address
    from governance.services.registry import Registry

    return Registry(chain).cancel_rotation(signer, keystore_address(AgentConfig.read(config_file).key))


def organisation_of(chain: Chain, signer: Signer) -> int:
    """Return the organisation whose member or operator this is.

    Raises
    ------
    OperatorError
        If it is neither of any.
    """
    from governance.services.registry import Registry

    for each in Registry(chain).organisations():
        if signer.address in {each.member, each.operator}:
            return each.number
    raise OperatorError(f"{signer.address} is neither member nor operator of an organisation; name another with --key")


def ask_operator(chain: Chain, signer: Signer, following: Address) -> str:
    """Announce another operator for the signer's organisation; say what was done.

    Raises
    ------
    OperatorError
        If that is no address.
    """
    from governance.services.registry import Registry

    address = typed_address(following)
    if not address:
        raise OperatorError(f"{following!r} is no address, or has a typing error; write 0x and 40 hexadecimal digits")
    registry, number = Registry(chain), organisation_of(chain, signer)
    registry.ask_operator(signer, number, address)
    from_s = registry.operator_change(number).from_s
    return f"{address} is announced as operator of organisation {number}, from {utc(from_s)} on chain on"


def keep_operator(chain: Chain, signer: Signer) -> str:
    """End the announcement of another operator; say what was done."""
    from governance.services.registry import Registry

    number = organisation_of(chain, signer)
    Registry(chain).keep_operator(signer, number)
    return f"organisation {number} keeps its operator"


def change_operator(chain: Chain, following: Signer, number: int) -> str:
    """Take office as the announced operator; say what was done.

    Raises
    ------
    OperatorError
        If none was announced, the wait is not over, or another key was announced.
    """
    from governance.services.registry import Registry

    registry = Registry(chain)
    asked = registry.operator_change(number)
    if not asked.is_asked:
        raise OperatorError(f"no other operator is announced for organisation {number}")
    if chain.now_s() < asked.from_s:
        raise OperatorError(f"the new operator waits until {from_text(asked.from_s, chain.now_s())}")
    if following.address != asked.following:
        raise OperatorError(
            f"{asked.following} was announced and takes office itself, not {following.address}; name its key with --key"
        )
    registry.change_operator(following, number)
    return f"{asked.following} is the operator of organisation {number}"
