"""The figures as markdown: a section of the README, and a page with the rest."""

import math
import statistics
from collections import Counter
from collections.abc import Sequence

from bench.comparison import ARMS
from bench.figures import MICROS, Comparison, Figures, Job, Measured
from bench.models import MIN_LOANS, story
from bench.tables_of_costs import COMMAND, calls, demonstration, voting

LOCAL, FEDERATED = ARMS[0], ARMS[1]
GAP = "tpr_gap_abs"
Z_95 = 1.959963984540054


def summary(figures: Figures) -> str:
    """Return what the README shows; parts that were not measured are left out."""
    parts = [_measured_where(figures)]
    if figures.jobs:
        parts.append(_candidates(figures))
    if figures.heart and figures.lending:
        parts.append(_federation(figures))
    if figures.voting:
        parts.append(voting(figures.voting))
    if figures.demonstration:
        parts.append(demonstration(figures.demonstration, figures.machine))
    return "\n\n".join(parts) + "\n"


def details(figures: Figures) -> str:
    """Return the page of everything that is too long for the README."""
    parts = [
        "# Figures in detail",
        "Measured by `make bench` and written by `bench/publishing.py`; the summary is in the README.",
    ]
    if figures.jobs:
        parts.append(_seeds("## Every seed of split and noise", "candidates", figures.jobs))
    if figures.noise_only:
        parts.append(_seeds("## The split of seed 0 under other noise", "noise", figures.noise_only))
    if figures.exact:
        parts.append(_seeds("## Every split without noise", "exact", figures.exact))
    if figures.lending:
        parts.append(_states(figures.lending))
    if figures.demonstration:
        parts.append(calls(figures.demonstration))
    return "\n\n".join(parts) + "\n"


def document(figures: Figures) -> str:
    """Return everything, for the terminal."""
    return f"{summary(figures)}\n{details(figures)}"


def rate(hits: int, total: int) -> str:
    """Return a rate with its 95 % interval (Wilson 1927)."""
    share, shrink = hits / total, 1 + Z_95**2 / total
    middle = (share + Z_95**2 / (2 * total)) / shrink
    reach = Z_95 * math.sqrt(share * (1 - share) / total + Z_95**2 / (4 * total**2)) / shrink
    return f"{hits}/{total} ({middle - reach:.2f} to {middle + reach:.2f})"


def spread(values_micros: Sequence[float]) -> str:
    """Return mean and standard deviation of millionths."""
    values = [value / MICROS for value in values_micros]
    deviation = statistics.stdev(values) if len(values) > 1 else 0.0
    return f"{statistics.fmean(values):.3f} ± {deviation:.3f}"


def _measured_where(figures: Figures) -> str:
    machine = figures.machine
    return (
        f"All of it is measured by `make bench`, or part by part with the command beside each table; "
        f"here on {machine.cores} cores, {machine.system}, Python {machine.python}, load average "
        f"{machine.load_milli / 1000:.1f}, on top of commit `{figures.commit}`. "
        f"More is in [docs/figures.md](docs/figures.md)."
    )


def _candidates(figures: Figures) -> str:
    jobs = figures.jobs
    refused = _first_refused(jobs)
    released = sum(any(not candidate.failed for candidate in job.candidates) for job in jobs)
    lines = [
        (
            "**How often the story happens.** "
            f"{len(jobs)} seeds, each another split and other noise, epsilon 8 over the three candidates of a job. "
            f"{COMMAND.format('candidates')}"
        ),
        "",
        "| candidate | passes (95 % interval) | refused by | AUC | balanced accuracy | TPR gap |",
        "|---|---|---|---|---|---|",
        *(_candidate_row([job.candidates[place] for job in jobs]) for place in range(len(jobs[0].candidates))),
        "",
        (
            "- The story (the plain candidate fails the gap and nothing else, a later one passes): "
            f"**{rate(sum(map(story, jobs)), len(jobs))}**."
        ),
        (
            f"- The plain candidate is refused: {rate(refused, len(jobs))}. "
            f"At least one candidate passes: {rate(released, len(jobs))}."
        ),
        *_exact_lines(figures),
        *_seed_zero(figures),
        *_noise_lines(figures),
        (
            "- ± is the standard deviation over seeds. All seeds resplit the same 920 patients, so the intervals "
            "say how much split and noise decide, not what other hospitals would see."
        ),
    ]
    return "\n".join(lines)


def _candidate_row(found: Sequence[Measured]) -> str:
    passed = sum(not candidate.failed for candidate in found)
    blame = Counter(rule for candidate in found for rule in candidate.failed)
    reasons = ", ".join(f"{rule} {count}" for rule, count in sorted(blame.items())) or "none"
    cells = [
        spread([candidate.facts_micros[fact] for candidate in found if fact in candidate.facts_micros])
        for fact in ("auc", "balanced_accuracy", GAP)
    ]
    return f"| {found[0].name} | {rate(passed, len(found))} | {reasons} | {' | '.join(cells)} |"


def _exact_lines(figures: Figures) -> list[str]:
    if not figures.exact:
        return []
    refused = rate(_first_refused(figures.exact), len(figures.exact))
    return [f"- On the same splits without noise, the plain candidate is refused: {refused}. {COMMAND.format('exact')}"]


def _noise_lines(figures: Figures) -> list[str]:
    if not (figures.noise_only and figures.exact):
        return []
    jobs, exact = figures.noise_only, figures.exact[0].candidates[0]
    group, count = min(jobs[0].positives.items(), key=lambda entry: entry[1])
    verdict = "fails" if exact.failed else "would pass"
    return [
        (
            f"- **Seed 0 is one draw of noise.** On its split, {len(jobs)} seeds of noise alone refuse the plain "
            f"candidate {rate(_first_refused(jobs), len(jobs))}; without noise its gap is "
            f"{exact.facts_micros[GAP] / MICROS:.2f} and it {verdict}. "
            f"The gap rests on {count} sick patients of group {group}: one of them moves it by "
            f"{1 / count:.2f}. {COMMAND.format('noise')}"
        )
    ]


def _first_refused(jobs: Sequence[Job]) -> int:
    return sum(bool(job.candidates[0].failed) for job in jobs)


def _seed_zero(figures: Figures) -> list[str]:
    bench = figures.jobs[0].candidates
    words = "; ".join(_verdict(candidate) for candidate in bench)
    line = f"- Seed 0, the demonstration's: {words}. In brackets the 90 % interval that the jury reports beside the gap"
    if figures.demonstration is None:
        return [f"{line}."]
    # The demonstration stops at the first candidate that passes.
    shown = figures.demonstration.job
    same = shown == bench[: len(shown)]
    agreement = "The demonstration's facts are the same" if same else "**The demonstration's facts differ from these**"
    return [f"{line}. {agreement}."]


def _verdict(candidate: Measured) -> str:
    low, high = (end / MICROS for end in candidate.intervals_micros[GAP])
    gap = f"gap {candidate.facts_micros[GAP] / MICROS:.2f} [{low:.2f} to {high:.2f}]"
    return f"{candidate.name} {gap}, {'fails ' + ', '.join(candidate.failed) if candidate.failed else 'passes'}"


def _federation(figures: Figures) -> str:
    heart, lending = figures.heart, figures.lending
    owners, states = sorted(heart[0].auc_micros), sorted(lending[0].auc_micros)
    lines = [
        (
            f"**What federation gives.** Mean AUC on each owner's evaluation rows, {len(heart)} seeds. "
            "Possible only because these sets are public: nobody could hold all rows of real owners. "
            f"The rights in the lending data were not verified. {COMMAND.format('heart --only lending')}"
        ),
        "",
        *_arm_head("owner"),
        *(_arm_row(owner, _per_seed(heart, [owner])) for owner in owners),
        _arm_row(f"mean of {len(owners)} hospitals", _per_seed(heart, owners)),
        _arm_row(f"mean of {len(states)} US states, Lending Club", _per_seed(lending, states)),
        "",
        (
            f"- Federation with noise does **not** help {_losers(heart, owners)}; nor "
            f"{sum(_loses(lending, state) for state in states)} of {len(states)} states."
        ),
        (
            "- Local and centralised models train to convergence without noise or rounds; the federated ones take the "
            "product's rounds. The comparison therefore includes the price of privacy."
        ),
    ]
    return "\n".join(lines)


def _arm_head(what: str) -> list[str]:
    return [
        f"| {what} | {' | '.join(ARMS)} | {FEDERATED} − {LOCAL} | better in |",
        "|---" * (len(ARMS) + 3) + "|",
    ]


def _arm_row(title: str, per_seed: dict[str, list[float]]) -> str:
    gains = [mine - theirs for mine, theirs in zip(per_seed[FEDERATED], per_seed[LOCAL], strict=True)]
    better = sum(gain > 0 for gain in gains)
    cells = " | ".join(f"{statistics.fmean(per_seed[arm]) / MICROS:.3f}" for arm in ARMS)
    return f"| {title} | {cells} | {spread(gains)} | {better}/{len(gains)} |"


def _per_seed(found: Sequence[Comparison], owners: Sequence[str]) -> dict[str, list[float]]:
    """Return by arm the AUC of every seed, averaged over these owners."""
    return {
        arm: [
            statistics.fmean(seed.auc_micros[owner][arm] for owner in owners if owner in seed.auc_micros)
            for seed in found
        ]
        for arm in ARMS
    }


def _loses(found: Sequence[Comparison], owner: str) -> bool:
    seeds = [seed.auc_micros[owner] for seed in found if owner in seed.auc_micros]
    return statistics.fmean(each[FEDERATED] for each in seeds) <= statistics.fmean(each[LOCAL] for each in seeds)


def _losers(found: Sequence[Comparison], owners: Sequence[str]) -> str:
    names = [owner for owner in owners if _loses(found, owner)]
    return " and ".join(names) if names else "nobody among the hospitals to their harm"


def _seeds(title: str, part: str, jobs: Sequence[Job]) -> str:
    names = [candidate.name for candidate in jobs[0].candidates]
    lines = [title, "", COMMAND.format(part), "", "TPR gap of each candidate, with the rules that refuse it."]
    lines += ["", f"| seed | {' | '.join(names)} | story |", "|---" * (len(names) + 2) + "|"]
    for job in jobs:
        cells = [f"{c.facts_micros[GAP] / MICROS:.2f} {', '.join(c.failed)}".strip() for c in job.candidates]
        seed = job.split_seed if job.noise_seed is None else job.noise_seed
        lines.append(f"| {seed} | {' | '.join(cells)} | {'yes' if story(job) else 'no'} |")
    return "\n".join(lines)


def _states(found: Sequence[Comparison]) -> str:
    states = sorted(found[0].auc_micros)
    lines = [
        "## Lending Club by state",
        "",
        f"{COMMAND.format('lending')}",
        "",
        (
            f"Mean AUC over {len(found)} seeds, states with at least {MIN_LOANS} loans. Possible only because the set "
            "is public; the rights in it were not verified. It has no protected attribute, so no fairness figure is "
            "drawn from it. Few loans of a state are bad, so single states are noisy."
        ),
        "",
        *_arm_head("state"),
        *(_arm_row(state, _per_seed(found, [state])) for state in states),
    ]
    return "\n".join(lines)
