"""Shares that a jury revealed: they lie in its reports, and their root on chain says which are theirs."""

from collections.abc import Callable, Mapping, Sequence

from governance.domain.evidence import objects, whole
from governance.domain.income import Share, share_root
from governance.domain.market import Address
from governance.domain.record import Record, parse_canonical_json
from governance.errors import FolkmootError, InvalidRecord
from governance.ports import Chain
from governance.services import reading

SHARES = "shares"
"""Field of a juror's report."""


def share_entries(shares: Sequence[Share]) -> list[Record]:
    """Return shares as a juror's report holds them."""
    return [{"organisation": share.organisation, "share_ppb": share.share_ppb} for share in shares]


def read_shares(report: Mapping[str, Record]) -> tuple[Share, ...]:
    """Return the shares in a juror's report; none where it holds none.

    Raises
    ------
    InvalidRecord
        If they are malformed.
    """
    if SHARES not in report:
        return ()
    try:
        return tuple(
            Share(organisation=whole(entry["organisation"]), share_ppb=whole(entry["share_ppb"]))
            for entry in objects(report[SHARES])
        )
    except KeyError as problem:
        raise InvalidRecord(f"the shares of a report are malformed: {problem!r}") from problem


def find_shares(
    chain: Chain, release: bytes, root: bytes, *, fetch: Callable[[Address, bytes], bytes]
) -> tuple[Share, ...]:
    """Return the shares behind the root that decides a release's pool.

    Parameters
    ----------
    fetch
        Gets the file of a digest that a juror published, or raises a FolkmootError.

    Raises
    ------
    InvalidRecord
        If no juror's report that can be had leads to the root; names the reports.
    """
    wanted = []
    for event in chain.events("EvaluatorCourt", ["Revealed"], from_block=chain.first_block):
        if event.values["id"] != release or event.values["contributions"] != root:
            continue
        digest = reading.raw(event.values["report"])
        wanted.append(digest.hex())
        try:
            report = parse_canonical_json(fetch(reading.address(event.values["juror"]), digest))
            shares = read_shares(report) if isinstance(report, Mapping) else ()
            # Also what a juror wrote there may have no leaf; then another juror's report serves.
            if shares and share_root(release, shares) == root:
                return shares
        except FolkmootError:
            continue
    raise InvalidRecord(
        f"the jury's shares decide this pool, and none of the reports that hold them can be had: {', '.join(wanted)}"
    )
