"""Every file of the store, flipped or gone, is named."""

from __future__ import annotations

import shutil
from pathlib import Path

import pytest

from governance.services.audit import ExitCode
from tests.audit_runs import Reading, audit, places
from tests.audit_story import Story

pytestmark = pytest.mark.chain

OVER_FILES = ("updates behind the rounds", "files behind the decisions")


@pytest.fixture
def copy(story: Story, tmp_path: Path) -> Path:
    return Path(shutil.copytree(story.store.folder, tmp_path / "copy"))


def test_every_flipped_file_is_found_and_named(once: Reading, copy: Path) -> None:
    files = sorted(copy.iterdir())
    missed = []
    for file in files:
        honest = file.read_bytes()
        file.write_bytes(honest[:-1] + bytes([honest[-1] ^ 1]))
        findings = [finding for result in once.with_store(copy, *OVER_FILES) for finding in result.findings]
        if not any(file.name in finding.where for finding in findings):
            missed.append(file.name)
        file.write_bytes(honest)

    assert len(files) >= 28
    assert missed == []


def test_every_missing_file_is_noted_and_no_finding(once: Reading, copy: Path) -> None:
    for file in sorted(copy.iterdir()):
        honest = file.read_bytes()
        file.unlink()
        results = once.with_store(copy, *OVER_FILES)
        file.write_bytes(honest)

        assert [finding for result in results for finding in result.findings] == []
        assert any(result.unavailable for result in results), f"nobody misses {file.name}"


def test_flipped_file_ends_the_audit_with_one(story: Story, copy: Path) -> None:
    victim = min(copy.iterdir())
    victim.write_bytes(victim.read_bytes() + b" ")

    report = audit(story, store=copy)

    assert report.exit_code is ExitCode.FINDINGS
    assert victim.name in places(report.findings)


def test_missing_file_ends_the_audit_with_four(story: Story, copy: Path) -> None:
    min(copy.iterdir()).unlink()

    report = audit(story, store=copy)

    assert report.exit_code is ExitCode.EVIDENCE_UNAVAILABLE


def test_foreign_files_do_not_disturb(once: Reading, copy: Path) -> None:
    (copy / "README.txt").write_text("copied on Monday")
    (copy / ("zz" * 32)).write_text("no digest at all")

    results = once.with_store(copy, *OVER_FILES)

    assert [finding for result in results for finding in result.findings] == []
