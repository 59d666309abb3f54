"""Hands a job file to a coordinator, with the schema it names."""

from __future__ import annotations

from pathlib import Path

import yaml

from agents.roles.jobs import JobFile, JobFileError
from folkmoot.files import write_atomically
from governance.policy import load_policies


def hand_over(job_file: Path, coordinator: Path, *, seeded: bool = False) -> str:
    """Put a job into the inbox of the coordinator whose folder this is, and return the job's name.

    The schema goes with it: what the job means must not change when somebody edits a file elsewhere.

    Raises
    ------
    JobFileError
        If the file would not be accepted.
    """
    if not (coordinator / "agent.yaml").is_file():
        raise JobFileError(f"no agent {coordinator.name!r} in {coordinator.parent}; name one with --coordinator")
    job = JobFile.read(job_file, load_policies())
    fields = yaml.safe_load(job_file.read_text())
    schema = (job_file.parent / fields["schema"]).resolve()
    copy = coordinator / "schemas" / f"{job.name}.yaml"
    write_atomically(copy, schema.read_bytes())
    fields["schema"] = f"../schemas/{copy.name}"
    if seeded:
        fields["seeded_noise"] = True
    inbox = coordinator / "jobs"
    inbox.mkdir(parents=True, exist_ok=True)
    write_atomically(inbox / f"{job.name}.yaml", yaml.safe_dump(fields, sort_keys=False))
    return job.name
