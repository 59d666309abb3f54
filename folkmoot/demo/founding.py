"""Founds the network of the demonstration: keys, contracts, bindings, mandates, data, configurations."""

from __future__ import annotations

import secrets
import shutil
from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING, Final

import yaml

from folkmoot.agent_setup import free_port
from folkmoot.constitution import STAKE_E18, Founder, Founding, deploy
from folkmoot.demo.cast import COORDINATOR, DATA, EXAMPLE, FUNDS_WEI, GUARDIAN, SCHEMA, SUPPLY_E18, Party, cast
from folkmoot.files import write_atomically
from folkmoot.home import Home
from folkmoot.keystore import Keystore, open_keystore
from folkmoot.operators import bind_agent, set_mandate, stake_for
from folkmoot.settings import Settings

if TYPE_CHECKING:
    from agents.training.scenario import OwnerData
    from folkmoot.devnet import Devnet, DevnetInfo
    from governance.adapters.evm import EvmChain
    from governance.domain.deployment import Deployment
    from governance.domain.policy import PolicySet

DEPLOYER: Final = "deployer"


@dataclass(frozen=True, slots=True, kw_only=True)
class Network:
    """What stands after the founding."""

    chain: EvmChain
    parties: tuple[Party, ...]
    keys: Keystore
    owners: tuple[OwnerData, ...]
    configs: dict[str, Path]
    gas: dict[str, int]
    policy: PolicySet


@dataclass(frozen=True, slots=True, kw_only=True)
class Founder13:
    """Founds the network step by step, telling each step."""

    home: Home
    settings: Settings
    devnet: Devnet
    info: DevnetInfo
    noise_seed: int | None
    """None takes the operating system's randomness."""
    tell: Callable[[str], None]

    def found(self) -> Network:
        """Found everything and return it."""
        from governance.adapters.evm import EvmChain
        from governance.policy import load_policies

        parties, keys, policy = cast(), open_keystore(self.home, self.settings), load_policies()
        self.tell("making the keys of thirteen organisations")
        self._make_keys(parties, keys)
        self._fund(parties, keys)
        deployed = deploy(
            self.info.rpc_url,
            keys.signer(DEPLOYER),
            self._founding(parties, keys, policy),
            progress=lambda name: self.tell(f"deploying {name}"),
        )
        write_atomically(self.home.deployment_file, deployed.deployment.to_json())
        chain = EvmChain(self.info.rpc_url, deployed.deployment)
        self.tell("splitting 920 patients of 4 hospitals, once, with seed 0")
        owners = self._split()
        configs = {party.slug: self._configure(party) for party in parties}
        self._endorse(chain, parties, keys, deployment=deployed.deployment)
        self._register(chain, parties, keys)
        self._pay_in(chain, keys)
        self._stake(chain, parties, keys)
        return Network(
            chain=chain, parties=parties, keys=keys, owners=owners, configs=configs, gas=deployed.gas, policy=policy
        )

    def _make_keys(self, parties: tuple[Party, ...], keys: Keystore) -> None:
        keys.ensure(DEPLOYER)
        keys.ensure(GUARDIAN)
        for party in parties:
            for what in ("member", "operator"):
                keys.ensure(f"{party.slug}.{what}")
            own = self._agent_keys(party, keys)
            own.ensure("agent")
            own.create("sealing", private_key=secrets.token_bytes(32))
            write_atomically(own.folder / "password", keys.password + "\n", mode=0o600)

    def _agent_keys(self, party: Party, keys: Keystore) -> Keystore:
        return Keystore(self.home.agent(party.slug) / "keys", keys.password)

    def _fund(self, parties: tuple[Party, ...], keys: Keystore) -> None:
        addresses = [keys.address(DEPLOYER), keys.address(GUARDIAN)]
        for party in parties:
            addresses += [keys.address(f"{party.slug}.{what}") for what in ("member", "operator")]
            addresses.append(self._agent_keys(party, keys).address("agent"))
        self.devnet.fund(addresses, FUNDS_WEI)

    def _founding(self, parties: tuple[Party, ...], keys: Keystore, policy: PolicySet) -> Founding:
        founders = tuple(
            Founder(
                name=party.name,
                member=keys.address(f"{party.slug}.member"),
                operator=keys.address(f"{party.slug}.operator"),
            )
            for party in parties
        )
        return Founding(
            founders=founders,
            panel=tuple(party.name for party in parties if "evaluator" in party.roles),
            policy=policy,
            guardian=keys.address(GUARDIAN),
            treasury=keys.address(f"{COORDINATOR}.operator"),
            supply_e18=SUPPLY_E18,
        )

    def _split(self) -> tuple[OwnerData, ...]:
        from agents.training.scenario import build
        from agents.training.schema import load_schema
        from folkmoot.scenario import write_split

        owners = build(DATA, load_schema(SCHEMA), self.home.root / "scenario", seed=0)
        placed = []
        for owner in owners:
            target = self.home.agent(owner.slug) / "data"
            # Moved, not copied: the rows are in one place, their owner's.
            shutil.move(str(owner.directory), target)
            placed.append(write_split(owner, target))
        (self.home.root / "scenario").rmdir()
        return tuple(placed)

    def _configure(self, party: Party) -> Path:
        folder = self.home.agent(party.slug)
        shutil.copy(EXAMPLE / "mandates" / f"{party.mandate}.yaml", folder / "mandate.yaml")
        fields: dict[str, object] = {
            "name": party.slug,
            "roles": list(party.roles),
            "network": "../..",
            "key": "keys/agent.json",
            "sealing_key": "keys/sealing.json",
            "password_file": "keys/password",
            "listen": f"127.0.0.1:{free_port(folder.parent)}",
            "mandate": "mandate.yaml",
        }
        if "owner" in party.roles:
            shutil.copy(SCHEMA, folder / "schema.yaml")
            fields["data"] = {"schema": "schema.yaml", "directory": "data"}
            if self.noise_seed is not None:
                fields["noise_seed"] = self.noise_seed
        if "coordinator" in party.roles:
            # What the coordinator publishes is the copy that an auditor takes.
            fields["store"] = "../../store"
            (folder / "jobs").mkdir()
        path = folder / "agent.yaml"
        write_atomically(path, yaml.safe_dump(fields, sort_keys=False))
        return path

    def _register(self, chain: EvmChain, parties: tuple[Party, ...], keys: Keystore) -> None:
        for party in parties:
            self.tell(f"binding the agent of {party.name}")
            operator = keys.signer(f"{party.slug}.operator")
            config = self.home.agent(party.slug) / "agent.yaml"
            bind_agent(chain, operator, config)
            set_mandate(chain, operator, config)

    def _endorse(self, chain: EvmChain, parties: tuple[Party, ...], keys: Keystore, *, deployment: Deployment) -> None:
        from governance.services.releases import Consent

        self.tell("every member endorses these contracts and no others; nothing is released before two thirds have")
        digest = deployment.digest()
        for party in parties:
            Consent(chain).endorse(keys.signer(f"{party.slug}.member"), digest)

    def _pay_in(self, chain: EvmChain, keys: Keystore) -> None:
        operator = keys.signer(f"{COORDINATOR}.operator")
        for contract in ("AgreementBook", "RewardVault"):
            chain.send(operator, "Credit", "approve", (chain.address(contract), SUPPLY_E18))

    def _stake(self, chain: EvmChain, parties: tuple[Party, ...], keys: Keystore) -> None:
        self.tell("staking for the evaluators, who are not drawn without")
        treasury = keys.signer(f"{COORDINATOR}.operator")
        for party in parties:
            if "evaluator" in party.roles:
                operator = keys.signer(f"{party.slug}.operator")
                chain.send(treasury, "Credit", "transfer", (operator.address, STAKE_E18))
                stake_for(chain, operator, self.home.agent(party.slug) / "agent.yaml")
