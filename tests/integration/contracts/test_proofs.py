"""What halmos proves of the contracts' small kernels, and that it can refute."""

from __future__ import annotations

import json
import re
import subprocess

import pytest

from folkmoot.settings import CHECKOUT

PROOFS = CHECKOUT / "contracts" / "test" / "proofs"

pytestmark = [pytest.mark.contracts, pytest.mark.provers]


@pytest.fixture(scope="module")
def results(tmp_path_factory: pytest.TempPathFactory) -> dict[str, int]:
    """Exit code of each property: 0 proven, 1 refuted, others mean that nothing is known."""
    report = tmp_path_factory.mktemp("proofs") / "report.json"
    done = subprocess.run(
        [CHECKOUT / ".ci" / "prove", "--json-output", report],
        capture_output=True,
        text=True,
        timeout=600,
        check=False,
    )
    assert report.exists(), done.stdout[-3000:] + done.stderr[-3000:]
    suites = json.loads(report.read_text())["test_results"].values()
    return {test["name"].split("(")[0]: test["exitcode"] for tests in suites for test in tests}


def stated() -> set[str]:
    """Names of all properties in the sources."""
    sources = (path.read_text() for path in sorted(PROOFS.glob("*.sol")))
    return {name for text in sources for name in re.findall(r"function (check_\w+)", text)}


def test_every_stated_property_is_looked_at(results: dict[str, int]) -> None:
    assert set(results) == stated()
    assert len(results) >= 30


def test_every_property_but_the_false_ones_is_proven(results: dict[str, int]) -> None:
    failing = {name: code for name, code in results.items() if code and not name.startswith("check_false_")}

    assert failing == {}


def test_properties_that_are_false_are_refuted(results: dict[str, int]) -> None:
    false = {name: code for name, code in results.items() if name.startswith("check_false_")}

    assert set(false.values()) == {1}
    assert len(false) >= 3
