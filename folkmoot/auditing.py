"""Which network is audited, and with what at hand."""

from __future__ import annotations

from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING

import typer

from folkmoot.addresses import typed_address
from folkmoot.files import storage_errors
from folkmoot.home import Home
from folkmoot.settings import Settings
from governance.errors import DeploymentMissing, PolicyError

if TYPE_CHECKING:
    from governance.domain.deployment import Deployment
    from governance.services.audit import AuditReport


@dataclass(frozen=True, slots=True, kw_only=True)
class Subject:
    """One network as an auditor is told of it."""

    rpc_url: str
    registry: str
    store: Path | None
    from_block: int


def find_subject(
    home: Home,
    settings: Settings,
    *,
    rpc: str | None,
    registry: str | None,
    store: Path | None = None,
    from_block: int | None = None,
) -> Subject:
    """Return what to audit: what the options say, else what the home knows.

    Raises
    ------
    typer.BadParameter
        If an option is wrong, or neither option nor home says where ReleaseRegistry stands.
    NotRunning, ChainUnreachable
        If no node is named and the home's chain is down.
    """
    from folkmoot.network import find_network

    if store is not None and not store.is_dir():
        raise typer.BadParameter(f"{store} is no folder", param_hint="--store")
    deployment = _deployment(home)
    address = _registry(registry, deployment)
    own = deployment is not None and deployment.contracts["ReleaseRegistry"] == address
    if store is None and own and home.store.is_dir():
        store = home.store
    if from_block is None:
        from_block = deployment.first_block if own and deployment is not None else 0
    url = rpc if rpc is not None else find_network(home, settings).rpc_url
    return Subject(rpc_url=url, registry=address, store=store, from_block=from_block)


def audit(subject: Subject, policies: Path | None) -> AuditReport:
    """Carry out an audit.

    Raises
    ------
    typer.BadParameter
        If the policy files cannot be read.
    ChainUnreachable
        If nobody answers.
    """
    from agents.roles.invalid_updates import judge
    from agents.training import metrics
    from governance.adapters.evm.codebook import ArtifactCodebook
    from governance.adapters.evm.witness import EvmWitness
    from governance.adapters.store import FileStore
    from governance.domain.record import sha256
    from governance.policy import POLICIES, load_policies
    from governance.services.audit import Evidence, verify

    code = Path(metrics.__file__).read_bytes()
    try:
        compiled = load_policies(policies or POLICIES)
    except PolicyError as problem:
        raise typer.BadParameter(str(problem), param_hint="--policies") from problem
    evidence = Evidence(
        store=FileStore(subject.store) if subject.store else None,
        policy_files=compiled,
        shipped={sha256(code): code},
        judge=judge,
    )
    witness = EvmWitness(subject.rpc_url)
    return verify(witness, ArtifactCodebook(), subject.registry, evidence=evidence, from_block=subject.from_block)


def _deployment(home: Home) -> Deployment | None:
    from governance.domain.deployment import Deployment

    path = home.deployment_file
    if not path.exists():
        return None
    try:
        with storage_errors(path):
            return Deployment.from_json(path.read_text())
    except DeploymentMissing as damage:
        raise typer.BadParameter(f"{path}: {damage}", param_hint="--home") from damage


def _registry(given: str | None, deployment: Deployment | None) -> str:
    if given is None:
        if deployment is None:
            raise typer.BadParameter(
                "no home with a deployment here; say which ReleaseRegistry is meant", param_hint="--registry"
            )
        return deployment.contracts["ReleaseRegistry"]
    address = typed_address(given)
    if not address:
        raise typer.BadParameter(f"{given!r} is no address, or has a typing error", param_hint="--registry")
    return address
