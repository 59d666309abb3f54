"""The compiled contracts, as committed in ``contracts/artifacts``."""

import json
from functools import cache
from pathlib import Path
from typing import Any, Final, cast

from governance.errors import DeploymentMissing

FOLDER: Final = Path(__file__).resolve().parents[3] / "contracts" / "artifacts"

Abi = list[dict[str, Any]]


@cache
def artifact(contract: str) -> dict[str, Any]:
    """Return the artifact of a contract by its name.

    Raises
    ------
    DeploymentMissing
        If the artifacts were not shipped with this installation.
    """
    path = FOLDER / f"{contract}.json"
    try:
        return cast("dict[str, Any]", json.loads(path.read_text()))
    except FileNotFoundError as missing:
        raise DeploymentMissing(f"{path} is missing; build it with: make contracts") from missing


def abi(contract: str) -> Abi:
    """Return the ABI of a contract."""
    return cast("Abi", artifact(contract)["abi"])
