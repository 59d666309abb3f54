"""Medians, draws, tallies and reports by themselves."""

from __future__ import annotations

import pytest
from eth_utils.crypto import keccak
from hypothesis import given
from hypothesis import strategies as st

from governance.adapters.evm import KeySigner
from governance.domain.release import MISSING
from governance.services.audit.ballots import Checkpoints
from governance.services.audit.checks.agreements import signer_of
from governance.services.audit.checks.juries import median, shuffled
from governance.services.audit.report import AuditReport, CheckResult, Examination, ExitCode, show
from governance.services.audit.timeline import Timeline

values = st.integers(-(1 << 127) + 1, (1 << 127) - 1)


@given(given_values=st.lists(values | st.just(MISSING), min_size=1, max_size=11), higher=st.booleans())
def test_median_is_the_worse_middle_of_what_is_known(given_values: list[int], *, higher: bool) -> None:
    found = median(given_values, higher_is_better=higher)

    known = sorted(value for value in given_values if value != MISSING)
    if len(known) * 2 <= len(given_values):
        assert found == MISSING
        return
    middle = {known[(len(known) - 1) // 2], known[len(known) // 2]}
    assert found == (min(middle) if higher else max(middle))


@given(st.lists(st.integers(1, 1000), unique=True, max_size=40), st.binary(min_size=32, max_size=32))
def test_draw_seats_everybody_once(panel: list[int], seed: bytes) -> None:
    assert sorted(shuffled(panel, seed)) == sorted(panel)


def test_last_change_of_a_second_counts() -> None:
    power = Checkpoints()
    for time_s, votes in ((10, 1), (20, 2), (20, 5), (30, 0)):
        power.set(time_s, votes)

    assert [power.at(time_s) for time_s in (9, 10, 19, 20, 29, 30)] == [0, 1, 1, 5, 5, 0]


def test_timeline_tells_what_stood_just_before() -> None:
    line: Timeline[str, int] = Timeline()
    line.set((1, 4), "key", 7)
    line.set((3, 0), "key", 9)

    assert [line.before(moment, "key") for moment in ((1, 4), (1, 5), (3, 0), (3, 1))] == [None, 7, 7, 9]
    assert line.before((9, 9), "other") is None


def test_signer_is_recovered_and_nonsense_is_nobody() -> None:
    signer = KeySigner.from_secret(keccak(text="somebody"))
    digest = keccak(text="terms")
    signature = signer.sign_digest(digest)

    assert signer_of(digest, signature) == signer.address
    assert signer_of(keccak(text="other terms"), signature) != signer.address
    for broken in (b"", b"\0" * 65, b"\xff" * 65, signature[:64], signature[:64] + b"\x01", signature + b"\0"):
        assert signer_of(digest, broken) is None


def report(*, findings: int, unavailable: int) -> AuditReport:
    exam = Examination("some")
    for number in range(findings):
        exam.equal(f"block {number}", "what", expected=1, found=2)
    for number in range(unavailable):
        exam.lacking(f"file {number}")
    results: tuple[CheckResult, ...] = (exam.result(),)
    return AuditReport(registry="", chain_id=1, head_number=1, head_hash="", head_time_s=0, events=0, results=results)


@pytest.mark.parametrize(
    ("findings", "unavailable", "code"),
    [
        (0, 0, ExitCode.CLEAN),
        (1, 0, ExitCode.FINDINGS),
        (0, 2, ExitCode.EVIDENCE_UNAVAILABLE),
        (1, 2, ExitCode.FINDINGS),
    ],
)
def test_findings_outweigh_missing_evidence(findings: int, unavailable: int, code: ExitCode) -> None:
    assert report(findings=findings, unavailable=unavailable).exit_code is code


UNPRINTABLE = {
    "a number of ten thousand digits": 10**10_000,
    "commands to a terminal": "\x1b[31m" * 50,
    "a lone surrogate": "\udcff",
    "many bytes": b"\xff" * 10_000,
    "a long list": [1] * 1000,
    "a bell in a list": ("\x07",),
    "a small number": -1,
}


@pytest.mark.parametrize("name", UNPRINTABLE)
def test_whatever_is_shown_is_one_short_printable_line(name: str) -> None:
    text = show(UNPRINTABLE[name])

    assert len(text) <= 90
    assert text.isprintable()
    text.encode()
