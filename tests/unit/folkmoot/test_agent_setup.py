"""Preparing an agent: what an operator gets wrong, and what is left of the attempt."""

import re
from dataclasses import replace
from pathlib import Path

import pytest

from agents.negotiation.errors import MandateError
from agents.training.errors import DataError
from folkmoot.agent_config import AgentConfigError
from folkmoot.agent_setup import NewAgent, set_up

ROOT = Path(__file__).parents[3]
MANDATE = ROOT / "examples" / "heart" / "mandates" / "cleveland.yaml"


def _wanted(tmp_path: Path) -> NewAgent:
    lines = (ROOT / "data" / "heart_disease_uci.csv").read_text().splitlines()[:61]
    csv = tmp_path / "rows.csv"
    csv.write_text("\n".join(lines) + "\n")
    return NewAgent(
        folder=tmp_path / "hospital",
        name="fifth-hospital",
        roles=("owner",),
        network=tmp_path / "home",
        mandate=MANDATE,
        csv=csv,
        schema=ROOT / "data" / "heart.schema.yaml",
    )


def test_an_attempt_with_a_wrong_row_leaves_nothing_and_is_repeated_after_mending(tmp_path: Path) -> None:
    wanted = _wanted(tmp_path)
    wrong = tmp_path / "wrong.csv"
    assert wanted.csv is not None
    wrong.write_text(wanted.csv.read_text().replace("asymptomatic", "severe pain", 1))

    with pytest.raises(DataError, match=r"line 3, column 'cp'.*write one of these"):
        set_up(replace(wanted, csv=wrong))

    assert not wanted.folder.exists()
    assert set_up(wanted).key.is_file()
    assert sorted(each.name for each in wanted.folder.iterdir()) == [
        "agent.yaml", "data", "keys", "mandate.yaml", "schema.yaml",
    ]  # fmt: skip


def test_a_mandate_with_a_typing_error_is_refused_before_any_key_is_made(tmp_path: Path) -> None:
    mandate = tmp_path / "mandate.yaml"
    mandate.write_text(MANDATE.read_text().replace("floor_price", "flor_price"))

    with pytest.raises(MandateError, match="flor_price"):
        set_up(replace(_wanted(tmp_path), mandate=mandate))

    assert not (tmp_path / "hospital").exists()


@pytest.mark.parametrize(
    ("change", "said"),
    [
        ({"name": "Fifth Hospital"}, "--name 'Fifth Hospital': use small letters"),
        ({"roles": ("ownr",)}, "--role 'ownr' is unknown; there are owner, "),
        ({"listen": "here"}, "--listen 'here': write HOST:PORT"),
        ({"roles": ("coordinator",)}, "a coordinator buys, so its mandate needs side: buyer"),
        ({"csv": None}, "give --csv and --schema"),
    ],
)
def test_a_wrong_option_is_named_with_what_to_write(tmp_path: Path, change: dict[str, object], said: str) -> None:
    with pytest.raises(AgentConfigError, match=re.escape(said)):
        set_up(replace(_wanted(tmp_path), **change))  # type: ignore[arg-type]

    assert not (tmp_path / "hospital").exists()
