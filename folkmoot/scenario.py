"""Writes beside an owner's split rows what may be published of them: names, numbers, roots."""

from __future__ import annotations

from dataclasses import replace
from pathlib import Path
from typing import TYPE_CHECKING

from folkmoot.agent_process import SPLIT_FILE
from folkmoot.files import write_json

if TYPE_CHECKING:
    from agents.training.scenario import OwnerData


def write_split(owner: OwnerData, directory: Path) -> OwnerData:
    """Write ``split.json`` into an owner's directory and return the owner as it now lies."""
    placed = replace(
        owner,
        directory=directory,
        training=replace(owner.training, path=directory / owner.training.path.name),
        evaluation=replace(owner.evaluation, path=directory / owner.evaluation.path.name),
        reserved=replace(owner.reserved, path=directory / owner.reserved.path.name),
    )
    write_json(directory / SPLIT_FILE, placed.to_json())
    return placed
