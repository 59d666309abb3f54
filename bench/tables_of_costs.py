"""Gas and seconds as markdown."""

import statistics

from bench.figures import Demonstration, Machine, Voting

COMMAND = "`.venv/bin/python bench/run.py --only {}`"


def voting(found: Voting) -> str:
    """Return the bill of a vote beside that of a bare Governor."""
    rows = [(step.name, step.bare_gas, step.our_gas) for step in found.steps]
    rows.append(("together", sum(row[1] for row in rows), sum(row[2] for row in rows)))
    lines = [
        (
            f"**Gas of a vote.** The release of a model under the shipped {found.rules} rules beside a bare "
            "OpenZeppelin Governor with the same extensions, which sets one number; the same chain and run, "
            "the second proposal of each. "
            f"{COMMAND.format('voting')}"
        ),
        "",
        "| step | bare Governor | Folkmoot | ratio |",
        "|---|---|---|---|",
        *(f"| {name} | {bare:,} | {ours:,} | {ours / bare:.2f} |" for name, bare, ours in rows),
        "",
        (
            f"- Both have {found.members} members; the first three votes are counted, the others only reach the "
            f"quorum. Recording a refusal, in place of execute, takes {found.refusal_gas:,}."
        ),
    ]
    return "\n".join(lines)


def demonstration(run: Demonstration, machine: Machine) -> str:
    """Return how long a demonstration takes."""
    seconds = [millis / 1000 for millis in run.round_millis]
    gas, count = sum(call.gas for call in run.calls), sum(call.count for call in run.calls)
    anchoring = next(call for call in run.calls if call.name == "RoundLedger.post")
    busy = (
        "; other work on the machine made it slower than it is alone" if run.load_milli > 1000 * machine.cores else ""
    )
    return (
        f"**One demonstration**, begun at a load average of {run.load_milli / 1000:.1f} on "
        f"{machine.cores} cores{busy}. "
        f"A round takes {statistics.fmean(seconds):.2f} s (median {statistics.median(seconds):.2f}, "
        f"{min(seconds):.2f} to {max(seconds):.2f}, {len(seconds)} rounds), from one root on chain to the next. "
        f"Founding takes {run.founding_millis / 1000:.0f} s, the job {run.job_millis / 1000:.0f} s, everything "
        f"{run.total_millis / 1000:.0f} s. The job sends {count:,} transactions with {gas:,} gas; anchoring a round "
        f"takes {anchoring.gas // anchoring.count:,}. {COMMAND.format('demonstration')}"
    )


def calls(run: Demonstration) -> str:
    """Return the bill of a whole job."""
    lines = [
        "## Gas of a whole job",
        "",
        COMMAND.format("demonstration"),
        "",
        (
            "Every transaction of one demonstration from the opening of the job to the last payment: four owners, "
            f"{len(run.job)} candidates, {len(run.round_millis) + len(run.job)} rounds after the statistics."
        ),
        "",
        "| call | times | gas each | gas together |",
        "|---|---|---|---|",
        *(f"| {call.name} | {call.count} | {call.gas // call.count:,} | {call.gas:,} |" for call in run.calls),
    ]
    return "\n".join(lines)
