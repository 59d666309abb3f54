"""What an auditor is told about a history that nobody touched, and what the commands do."""

from __future__ import annotations

import json
import shutil
from pathlib import Path

import pytest
from typer.testing import CliRunner

from folkmoot.cli import load_commands
from folkmoot.home import Home
from governance.domain.record import sha256
from governance.services.audit import ExitCode
from tests.audit_runs import audit
from tests.audit_story import Story

pytestmark = pytest.mark.chain


def run(*arguments: str) -> tuple[int, str]:
    result = CliRunner().invoke(load_commands(), list(arguments))
    return result.exit_code, result.output


def test_honest_history_has_no_finding(story: Story) -> None:
    report = audit(story)

    assert report.findings == ()
    assert report.unavailable == ()
    assert report.exit_code is ExitCode.CLEAN
    assert all(result.checked for result in report.results), "a family of checks compared nothing"


def test_audit_command_says_what_it_checked_and_what_it_cannot_see(story: Story) -> None:
    code, output = run(
        "audit", "verify", "--rpc", story.rpc, "--registry", story.registry, "--store", str(story.store.folder)
    )

    assert code == 0, output
    assert "juries" in output
    assert "whether the noise of each update was really drawn" in output
    assert "No finding." in output


def test_audit_command_takes_everything_from_the_home(
    story: Story, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    (tmp_path / "deployment.json").write_text(story.deployment.to_json())
    shutil.copytree(story.store.folder, tmp_path / "store")
    monkeypatch.setenv("FOLKMOOT_RPC", story.rpc)

    code, output = run("audit", "verify", "--home", str(tmp_path), "--json")

    document = json.loads(output)
    assert (code, document["exit_code"], document["registry"]) == (0, 0, story.registry)
    assert {check["name"] for check in document["checks"]} >= {"log", "votes", "payments"}
    assert document["head"]["hash"].startswith("0x")


def test_missing_store_is_unavailable_evidence_not_a_finding(story: Story, tmp_path: Path) -> None:
    code, output = run("audit", "verify", "--rpc", story.rpc, "--registry", story.registry)
    empty, _ = run("audit", "verify", "--rpc", story.rpc, "--registry", story.registry, "--store", str(tmp_path))

    assert (code, empty) == (4, 4)
    assert "name their folder with --store" in output


def test_silent_node_is_unavailable_evidence(story: Story) -> None:
    code, _ = run("audit", "verify", "--rpc", "http://127.0.0.1:9", "--registry", story.registry)

    assert code == 4


@pytest.mark.parametrize(("has_chain", "remedy"), [(True, "folkmoot up"), (False, "set FOLKMOOT_RPC")])
def test_chain_that_is_down_is_unavailable_evidence(
    story: Story, tmp_path: Path, *, has_chain: bool, remedy: str
) -> None:
    (tmp_path / "deployment.json").write_text(story.deployment.to_json())
    if has_chain:
        Home(tmp_path).chain.mkdir(parents=True)

    code, output = run("audit", "verify", "--home", str(tmp_path))

    assert code == 4
    assert remedy in output


def test_address_without_a_registry_is_a_finding(story: Story) -> None:
    code, output = run("audit", "verify", "--rpc", story.rpc, "--registry", story.deployment.contracts["Credit"])

    assert code == 1
    assert "ReleaseRegistry.governor" in output


def test_damaged_deployment_file_is_wrong_usage(tmp_path: Path) -> None:
    (tmp_path / "deployment.json").write_text("{}")

    code, output = run("audit", "verify", "--home", str(tmp_path))

    assert code == 2
    assert "damaged" in output


@pytest.mark.parametrize("arguments", [(), ("--registry", "0x12"), ("--store", "/nowhere/at/all")])
def test_wrong_usage_ends_with_two(arguments: tuple[str, ...], tmp_path: Path) -> None:
    code, _ = run("audit", "verify", "--home", str(tmp_path), *arguments)

    assert code == 2


def test_other_policy_files_are_a_finding(story: Story, tmp_path: Path) -> None:
    shutil.copytree(Path(__file__).parents[3] / "policies", tmp_path / "policies")
    rules = tmp_path / "policies" / "core.yaml"
    rules.write_text(rules.read_text().replace("value: 0.10", "value: 0.20", 1))

    code, output = run(
        *("audit", "verify", "--rpc", story.rpc, "--registry", story.registry),
        *("--store", str(story.store.folder), "--policies", str(tmp_path / "policies")),
    )

    assert code == 1
    assert "hash of the compiled set" in output


@pytest.mark.parametrize(
    ("content", "verdict"),
    [
        (b"model file of reweighed", (0, "MAY be used")),
        (b"model file of plain", (1, "the constitution refused it: max-tpr-gap")),
        (b"model file of reweighed ", (1, "no release or candidate has exactly these bytes")),
    ],
)
def test_release_verify_answers_for_exactly_this_file(
    story: Story, tmp_path: Path, content: bytes, verdict: tuple[int, str]
) -> None:
    (code, words), file = verdict, tmp_path / "model"
    file.write_bytes(content)

    ended, output = run("release", "verify", str(file), "--rpc", story.rpc, "--registry", story.registry, "--json")
    _, plain = run("release", "verify", str(file), "--rpc", story.rpc, "--registry", story.registry)

    document = json.loads(output)
    assert ended == code
    assert document["usable"] is (code == 0)
    assert document["artifact"] == sha256(content).hex()
    assert words in " ".join(plain.split())
