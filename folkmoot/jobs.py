"""Hands a job file to a coordinator, with the schema it names."""

from __future__ import annotations

from pathlib import Path

import yaml

from agents.roles.jobs import JobFile, JobFileError
from folkmoot.agent_config import AgentConfig
from folkmoot.files import write_atomically
from governance.policy import load_policies


def hand_over(job_file: Path, coordinator: Path, *, seeded: bool = False) -> str:
    """Put a job into the inbox of the coordinator whose folder this is, and return the job's name.

    The schema goes with it: what the job means must not change when somebody edits a file elsewhere.

    Raises
    ------
    JobFileError
        If the file would not be accepted, the agent is no coordinator, or it had a job of this name before.
    """
    if not (coordinator / "agent.yaml").is_file():
        raise JobFileError(f"no agent {coordinator.name!r} in {coordinator.parent}; name one with --coordinator")
    job = JobFile.read(job_file, load_policies())
    if "coordinator" not in AgentConfig.read(coordinator / "agent.yaml").roles:
        raise JobFileError(f"the agent {coordinator.name} is no coordinator; name one with --coordinator")
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
