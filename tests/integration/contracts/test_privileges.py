"""docs/auditors.md says of every function that changes something who can call it."""

from __future__ import annotations

import json
import re

from folkmoot.settings import CHECKOUT

ROW = re.compile(r"^\| `(\w+\.\w+)` \| ([^|]+) \|", re.MULTILINE)


def changing() -> set[str]:
    """Every function of the ABIs that is neither view nor pure."""
    found = set()
    for path in (CHECKOUT / "contracts" / "artifacts").glob("*.json"):
        compiled = json.loads(path.read_text())
        found |= {
            f"{compiled['contractName']}.{entry['name']}"
            for entry in compiled["abi"]
            if entry["type"] == "function" and entry["stateMutability"] in {"nonpayable", "payable"}
        }
    return found


def test_every_function_that_changes_something_says_who_can_call_it() -> None:
    listed = {name for name, who in ROW.findall((CHECKOUT / "docs" / "auditors.md").read_text()) if who.strip()}

    assert sorted(changing() - listed) == []
    assert sorted(listed - changing()) == []
