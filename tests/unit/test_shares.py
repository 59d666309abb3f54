"""A juror's report is a stranger's document: whatever it says of shares, it costs the owners and the audit nothing."""

from __future__ import annotations

from collections.abc import Mapping
from pathlib import Path
from types import SimpleNamespace
from typing import cast

import pytest

from governance.adapters.store import FileStore
from governance.domain.evidence import RoundEvidence
from governance.domain.income import WHOLE_PPB, Share, share_root
from governance.domain.record import Record, canonical_json, sha256
from governance.errors import InvalidRecord
from governance.ports import Chain, Event
from governance.services.audit.cases import Case
from governance.services.audit.checks.documents import check_shares
from governance.services.audit.library import search
from governance.services.audit.report import Examination
from governance.services.shares import SHARES, find_shares, share_entries

RELEASE, JUROR = b"\x05" * 32, "0x" + "00" * 19 + "01"
TRUE = (Share(organisation=1, share_ppb=WHOLE_PPB),)
ROOT = share_root(RELEASE, TRUE)
UNREADABLE: tuple[Record, ...] = (
    [{"organisation": 1 << 40, "share_ppb": WHOLE_PPB}],
    [{"organisation": 1, "share_ppb": -1}],
    [{"organisation": True, "share_ppb": 1}],
    [{"organisation": 1}],
    [7],
    "all",
)


class Reveals:
    """A chain on which some reports were revealed, all with the root of the pool."""

    first_block = 0

    def __init__(self, *reports: bytes) -> None:
        self._reports = reports

    def events(self, contract: str, _names: list[str], **_: int) -> list[Event]:
        return [
            Event(
                contract=contract,
                name="Revealed",
                values={"id": RELEASE, "contributions": ROOT, "report": sha256(report), "juror": JUROR},
                block=1,
                log_index=place,
                transaction="0x",
            )
            for place, report in enumerate(self._reports)
        ]


def report(shares: Record) -> bytes:
    return canonical_json({SHARES: shares})


@pytest.mark.parametrize("shares", UNREADABLE)
def test_one_juror_with_an_impossible_report_keeps_nobody_from_its_share(shares: Record) -> None:
    hostile, honest = report(shares), report(share_entries(TRUE))
    served = {sha256(hostile): hostile, sha256(honest): honest}
    chain = cast("Chain", Reveals(hostile, honest))

    assert find_shares(chain, RELEASE, ROOT, fetch=lambda _juror, digest: served[digest]) == TRUE


def test_a_root_whose_reports_are_all_impossible_is_said_in_words() -> None:
    hostile = report(UNREADABLE[0])

    with pytest.raises(InvalidRecord, match="none of the reports"):
        find_shares(cast("Chain", Reveals(hostile)), RELEASE, ROOT, fetch=lambda _juror, _digest: hostile)


@pytest.mark.parametrize("shares", UNREADABLE)
def test_the_audit_finds_an_impossible_report_and_goes_on(shares: Record) -> None:
    exam, case = Examination("documents"), cast("Case", SimpleNamespace(id=RELEASE))
    told = cast("Mapping[str, Record]", {SHARES: shares})

    check_shares(exam, "report", case, root=ROOT, report=told)

    assert [finding.where for finding in exam.result().findings] == ["report"]


@pytest.mark.parametrize(
    ("agent", "number"), [("nobody", 0), (JUROR, -1), (JUROR, 1 << 40), (JUROR.replace("0x", "0y"), 0)]
)
def test_a_store_with_an_impossible_round_is_searched_to_its_end(tmp_path: Path, agent: str, number: int) -> None:
    word = "0x" + ROOT.hex()
    leaf: Record = {"agent": agent, "digest": word}
    document = canonical_json({"type": "round", "job": word, "round": number, "root": word, "leaves": [leaf]})
    store, files = FileStore(tmp_path), Examination("files of the store")
    store.put(document)

    library = search(store, files)

    assert (library.files, library.rounds) == (1, {})
    with pytest.raises(InvalidRecord):
        RoundEvidence.read(document)
