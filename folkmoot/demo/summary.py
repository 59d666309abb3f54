"""The last page of the demonstration, for somebody who has never heard of it."""

from __future__ import annotations

import shutil
import sys
from collections.abc import Mapping
from pathlib import Path
from typing import TYPE_CHECKING

from rich.console import Console

from folkmoot.demo.milestones import REFUSALS
from folkmoot.demo.run import Outcome, Told
from folkmoot.devnet import WARNING
from folkmoot.settings import default_home
from folkmoot.watching import dashboard_address

if TYPE_CHECKING:
    from folkmoot.home import Home

FIGURES = {"auc": "AUC", "balanced_accuracy": "balanced accuracy", "tpr_gap_abs": "gap in true-positive rate"}
LIMITS = {"auc": "at least", "balanced_accuracy": "at least", "tpr_gap_abs": "at most"}


def show(console: Console, told: Told, home: Home, *, keep: bool, seeded: bool) -> None:
    """Print what happened, what it means, and what to do next."""
    console.rule("What happened")
    lines = (*_candidates(told), "", *_meaning(told), "", *_honesty(seeded), "", *_next_steps(told, home, keep=keep))
    for line in lines:
        # Rich would read the bracket round a rule as markup.
        console.print(line, soft_wrap=True, highlight=False, markup=False)


def _candidates(told: Told) -> list[str]:
    lines = ["The candidates, in the order fixed before the split; in brackets 90 % intervals:"]
    for candidate in told.candidates:
        document = candidate.document
        facts, votes = _mapping(document["facts"]), _mapping(document["votes"])
        outcome = str(document["outcome"]).upper()
        cast = f"{votes['for']} votes for, {votes['against']} against"
        lines += ["", f"  {document['name']}: {cast}: {outcome}, {_why(document)}"]
        lines += [f"      {words} {_figure(_mapping(facts[name]), LIMITS[name])}" for name, words in FIGURES.items()]
    return lines


def _meaning(told: Told) -> list[str]:
    lines = [
        "Four hospitals trained one model. No training row left its owner; evaluation rows went, sealed, to jurors.",
        "The members voted for every candidate. A vote is necessary, never sufficient:",
        "at the execution the contract asked the policy again.",
    ]
    if told.outcome is Outcome.OTHERWISE:
        lines.append("All was sound, but this seed does not give one refusal and one release (exit 3).")
    return lines


def _honesty(seeded: bool) -> list[str]:  # noqa: FBT001 - a fact to print
    lines = ["All parties ran on this machine and belong to whoever started it.", f"It is a {WARNING}."]
    if seeded:
        again = f"{_program()} demo --keep --private"
        lines.append(f"The owners' noise was seeded, so this run has NO privacy. For real noise: {again}")
    return lines


def _next_steps(told: Told, home: Home, *, keep: bool) -> list[str]:
    if not keep:
        return [f"Nothing runs any more. To look around and cast a vote: {_program()} demo --keep"]
    open_ = told.open_proposal
    key = home.keys / f"{open_.voter}.json"
    address = dashboard_address(home) or f"the dashboard did not start; see {home.logs / 'dashboard.log'}"
    say, where = _program(), "" if home.root == default_home() else f" --home {home.root}"
    return [
        "Now you: a fifth hospital asks to be admitted.",
        f"It has {open_.votes_for} of the {open_.votes_needed} votes it needs (two thirds of all members).",
        f"  look            {address}",
        f"  vote by command {say} vote {str(open_.proposal)[:12]} for --key {open_.voter}{where}",
        f"  vote by wallet  import the keystore {key}",
        f"                  (its password is the line in {home.keys / 'password'}), add the network",
        f"                  {told.rpc_url} with chain id {told.network.chain.chain_id},",
        "                  and press For on the proposal's page",
        f"  move the clock  {say} devnet advance --to-next{where}",
        "                  (voting ends, then the timelock, then 14 days in which the admission waits;",
        "                  a keeper queues, executes and activates)",
        f"  audit it all    {say} audit verify{where}",
        *_files(told, home, f"{say} release verify"),
        f"  stop            {say} down{where}",
    ]


def _files(told: Told, home: Home, verify: str) -> list[str]:
    """Return how to ask about each file that was decided on; refused ones lie in the store too."""
    where = "" if home.root == default_home() else f" --home {home.root}"
    starts = ("may I use it?", *("" for _ in told.candidates))
    return [
        f"  {start:<16}{verify} {home.store / str(each.document['artifact'])}{where}   # {each.document['name']}"
        for start, each in zip(starts, told.candidates, strict=False)
    ]


def _why(document: Mapping[str, object]) -> str:
    failed, refusal = document["failed_rules"], str(document["refusal"])
    names = ", ".join(map(str, failed)) if isinstance(failed, list) else ""
    if names:
        return f"because of [{names}]"
    return "every rule holds" if refusal == "none" else REFUSALS[refusal]


def _program() -> str:
    """Return how the person can type this program's name."""
    given = Path(sys.argv[0])
    if shutil.which("folkmoot") == str(given):
        return "folkmoot"
    try:
        return str(given.resolve().relative_to(Path.cwd())) if given.name == "folkmoot" else "folkmoot"
    except ValueError:
        return str(given)


def _figure(fact: Mapping[str, object], limit_words: str) -> str:
    value, interval = fact["value_micros"], fact["interval"]
    if not isinstance(value, int):
        return "missing"
    shown = f"{value / 10**6:.2f}"
    if isinstance(interval, list):
        shown += f" ({interval[0] / 10**6:.2f} to {interval[1] / 10**6:.2f})"
    limit = fact["limit_micros"]
    if isinstance(limit, int):
        shown += f"; must be {limit_words} {limit / 10**6:.2f}"
    return shown


def _mapping(value: object) -> Mapping[str, object]:
    return value if isinstance(value, Mapping) else {}
