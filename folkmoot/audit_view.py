"""An audit as people and programs read it."""

from __future__ import annotations

from dataclasses import asdict
from datetime import UTC, datetime
from typing import TYPE_CHECKING

from rich.console import Console
from rich.markup import escape
from rich.table import Table

from governance.services.audit import UNSEEN

if TYPE_CHECKING:
    from governance.services.audit import AuditReport, Finding

SHOWN_FINDINGS = 50


def as_json(report: AuditReport) -> dict[str, object]:
    """Return an audit for a program."""
    return {
        "exit_code": int(report.exit_code),
        "registry": report.registry,
        "chain_id": report.chain_id,
        "head": {"number": report.head_number, "hash": report.head_hash, "time_s": report.head_time_s},
        "events": report.events,
        "checks": [asdict(result) for result in report.results],
        "unseen": list(UNSEEN),
    }


def show(report: AuditReport, console: Console) -> None:
    """Print an audit for a person."""
    console.print(_table(report))
    for number, finding in enumerate(report.findings[:SHOWN_FINDINGS], 1):
        console.print(_sentence(number, finding), soft_wrap=True)
    if len(report.findings) > SHOWN_FINDINGS:
        console.print(f"… and {len(report.findings) - SHOWN_FINDINGS} findings more; --json lists all of them")
    if report.unavailable:
        console.print("\nEvidence that was not to be had:")
        for text in report.unavailable:
            console.print(f"  - {escape(text)}", soft_wrap=True)
    if report.remarks:
        console.print("\nPowers that were used:")
        for text in report.remarks:
            console.print(f"  - {escape(text)}", soft_wrap=True)
    console.print("\nWhat nobody outside can see:")
    for text in UNSEEN:
        console.print(f"  - {text}", soft_wrap=True)
    console.print(f"\n{_summary(report)}", soft_wrap=True)


def _table(report: AuditReport) -> Table:
    table = Table("check", "compared", "findings", "unavailable")
    for column in table.columns:
        column.overflow = "fold"
    for column in table.columns[1:]:
        column.justify = "right"
    for result in report.results:
        table.add_row(result.name, str(result.checked), str(len(result.findings)), str(len(result.unavailable)))
    return table


def _sentence(number: int, finding: Finding) -> str:
    lines = (
        f"\n[bold]finding {number}[/bold]: {escape(finding.where)}",
        f"  {escape(finding.what)}",
        f"    expected {escape(finding.expected)}",
        f"    found    {escape(finding.found)}",
    )
    return "\n".join(lines)


def _summary(report: AuditReport) -> str:
    compared = sum(result.checked for result in report.results)
    verdict = "No finding."
    if report.findings:
        count = len(report.findings)
        verdict = f"{count} finding{'s' if count > 1 else ''}."
    elif report.unavailable:
        verdict = "No finding, but some evidence was not to be had."
    if not report.head_hash:
        return f"{verdict} The history could not be read: does ReleaseRegistry stand at this address of this chain?"
    when = datetime.fromtimestamp(min(report.head_time_s, 1 << 35), UTC).strftime("%Y-%m-%d %H:%M:%S")
    return (
        f"{verdict} {compared} comparisons over {report.events} events of chain {report.chain_id},"
        f" up to block {report.head_number} ({when} UTC, hash {report.head_hash})."
    )
