"""Handing a job to a coordinator: once for each name, and to a coordinator only."""

from pathlib import Path

import pytest
import yaml

from agents.roles.jobs import JobFileError
from folkmoot.agent_setup import NewAgent, set_up
from folkmoot.home import Home
from folkmoot.jobs import hand_over

EXAMPLES = Path(__file__).parents[3] / "examples" / "heart"


def _agent(home: Home, name: str, role: str) -> Path:
    mandate = EXAMPLES / "mandates" / f"{name}.yaml"
    set_up(NewAgent(folder=home.agent(name), name=name, roles=(role,), network=home.root, mandate=mandate))
    return home.agent(name)


def test_a_job_of_the_same_name_does_not_replace_the_file_that_one_goes_on_by(home: Home) -> None:
    institute = _agent(home, "institute", "coordinator")
    hand_over(EXAMPLES / "job-2.yaml", institute, seeded=True)
    before = (institute / "jobs" / "heart-disease-2.yaml").read_text()

    with pytest.raises(JobFileError, match=r"heart-disease-2 was handed to institute before.*another name"):
        hand_over(EXAMPLES / "job-2.yaml", institute)

    assert (institute / "jobs" / "heart-disease-2.yaml").read_text() == before
    assert yaml.safe_load(before)["seeded_noise"] is True


def test_a_job_is_handed_to_no_agent_that_coordinates_nothing(home: Home) -> None:
    centre = _agent(home, "data-centre", "compute")

    with pytest.raises(JobFileError, match="data-centre is no coordinator"):
        hand_over(EXAMPLES / "job-2.yaml", centre)

    assert not (centre / "jobs").exists()
