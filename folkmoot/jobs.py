"""Hands a job file to a coordinator, with the schema it names, and says beforehand what would come of it."""

from __future__ import annotations

from pathlib import Path
from typing import TYPE_CHECKING

import yaml

from agents.roles.jobs import JobFile, JobFileError
from agents.roles.veto import job_veto
from folkmoot.accounts import CREDIT, read_account
from folkmoot.agent_config import AgentConfig
from folkmoot.files import write_atomically
from governance.policy import load_policies
from governance.services.policy import PolicyInForce
from governance.services.registry import Registry, Role
from governance.services.releases import Releases

if TYPE_CHECKING:
    from governance.ports import Chain


def check(chain: Chain, job_file: Path, coordinator: Path) -> list[str]:
    """Return what the coordinator's operator still has to do before the job can go on to its end.

    Raises
    ------
    JobFileError
        If the job file cannot be read, its agent may not open a job, or nothing that comes of it could be released.
    """
    from governance.adapters.evm.keys import keystore_address

    job = JobFile.read(job_file, load_policies())
    agent = keystore_address(_coordinator(coordinator).key)
    if not (registry := Registry(chain)).is_active(agent):
        raise JobFileError(f"the agent {coordinator.name} is not bound, or its organisation is suspended")
    if Role.COORDINATOR not in registry.agent(agent).roles:
        raise JobFileError(f"the agent {coordinator.name} was bound without the role coordinator; bind another")
    broken = job_veto(
        PolicyInForce(chain, load_policies()).now(),
        purposes=job.purposes,
        licences=job.licences,
        epsilon_micros=job.epsilon_micros,
        now_s=chain.now_s(),
    )
    if broken:
        raise JobFileError(f"{job_file}: the rules in force forbid it: {broken}")
    return _uncovered(chain, job, job_file, registry.operator_of(agent))


def _uncovered(chain: Chain, job: JobFile, job_file: Path, operator: str) -> list[str]:
    bond_e18 = Releases(chain).candidate_bond_e18()
    if job.candidate_bond_e18 is not None and job.candidate_bond_e18 < bond_e18:
        raise JobFileError(
            f"{job_file}: candidate_bond is {job.candidate_bond_e18 / CREDIT:g} credits, and the contract asks for "
            f"{bond_e18 / CREDIT:g}"
        )
    account, needed_e18 = read_account(chain, operator), job.bonus_e18 + bond_e18
    needed = f"{needed_e18 / CREDIT:g}"
    said = []
    if account.has_e18 < needed_e18:
        said.append(
            f"bonus and candidate take {needed} credits of its operator {operator}, besides prices, "
            f"and it has {account.has_e18 / CREDIT:g}"
        )
    if account.vault_may_take_e18 < needed_e18:
        said.append(
            f"bonus and candidate take {needed} credits of its operator, and the vault may take "
            f"{account.vault_may_take_e18 / CREDIT:g}: folkmoot credits allow vault {needed} --key OPERATOR"
        )
    if not account.agreements_may_take_e18:
        said.append("no price can be locked yet: folkmoot credits allow agreements CREDITS --key OPERATOR")
    return said


def hand_over(job_file: Path, coordinator: Path, *, seeded: bool = False) -> str:
    """Put a job into the inbox of the coordinator whose folder this is, and return the job's name.

    The schema goes with it: what the job means must not change when somebody edits a file elsewhere.

    Raises
    ------
    JobFileError
        If the file would not be accepted, the agent is no coordinator, or it had a job of this name before.
    """
    _coordinator(coordinator)
    job = JobFile.read(job_file, load_policies())
    fields = yaml.safe_load(job_file.read_text())
    inbox = coordinator / "jobs"
    if (inbox / f"{job.name}.yaml").exists():
        raise JobFileError(
            f"a job {job.name} was handed to {coordinator.name} before, and its file is what that job goes on by; "
            f"give the job of {job_file} another name"
        )
    schema = (job_file.parent / fields["schema"]).resolve()
    copy = coordinator / "schemas" / f"{job.name}.yaml"
    write_atomically(copy, schema.read_bytes())
    fields["schema"] = f"../schemas/{copy.name}"
    if seeded:
        fields["seeded_noise"] = True
    inbox.mkdir(parents=True, exist_ok=True)
    write_atomically(inbox / f"{job.name}.yaml", yaml.safe_dump(fields, sort_keys=False))
    return job.name


def _coordinator(folder: Path) -> AgentConfig:
    if not (folder / "agent.yaml").is_file():
        raise JobFileError(f"no agent {folder.name!r} in {folder.parent}; name one with --coordinator")
    config = AgentConfig.read(folder / "agent.yaml")
    if "coordinator" not in config.roles:
        raise JobFileError(f"the agent {folder.name} is no coordinator; name one with --coordinator")
    return config
