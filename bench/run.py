"""What ``make bench`` runs: release rates, AUC, gas and seconds a round, as markdown.

Every part is written to ``var/bench.json`` as soon as it is measured; an interrupted run goes on
where it stopped, unless code, data, rules or contracts changed in between.
"""

import argparse
import hashlib
import os
import platform
import subprocess
import sys
from collections.abc import Callable
from dataclasses import dataclass, replace
from pathlib import Path

from rich.console import Console
from rich.markup import escape
from rich.status import Status

from bench.figures import Figures, FiguresError, Machine, load, save
from bench.tables import document
from folkmoot.settings import CHECKOUT
from governance.errors import FolkmootError

OUT = CHECKOUT / "var" / "bench.json"
PARTS = ("candidates", "noise", "exact", "heart", "lending", "voting", "demonstration")
INPUTS = (
    "agents/training/*.py",
    "bench/[!prt]*.py",
    "bench/contracts/*.sol",
    "contracts/artifacts/*.json",
    "data/*",
    "policies/*",
)
"""What the figures depend on; the words around them are left out."""


@dataclass(slots=True, kw_only=True)
class Bench:
    """Measures part after part and keeps what it has."""

    path: Path
    figures: Figures
    status: Status

    def run(self, parts: tuple[str, ...]) -> None:
        """Measure what is missing of these parts."""
        steps: dict[str, Callable[[], None]] = {
            "candidates": self._jobs,
            "noise": self._noise,
            "exact": self._exact,
            "heart": self._heart,
            "lending": self._lending,
            "voting": self._voting,
            "demonstration": self._demonstration,
        }
        for part in parts:
            steps[part]()

    def _jobs(self) -> None:
        from bench.models import run_job

        for seed in range(len(self.figures.jobs), self.figures.seeds):
            self._say(f"training the three candidates, seed {seed} of {self.figures.seeds}")
            self._keep(replace(self.figures, jobs=[*self.figures.jobs, run_job(split_seed=seed, noise_seed=seed)]))

    def _noise(self) -> None:
        from bench.models import run_job

        for seed in range(len(self.figures.noise_only), self.figures.seeds):
            self._say(f"the same on the split of seed 0, noise seed {seed} of {self.figures.seeds}")
            job = run_job(split_seed=0, noise_seed=seed)
            self._keep(replace(self.figures, noise_only=[*self.figures.noise_only, job]))

    def _exact(self) -> None:
        from bench.models import run_job

        for seed in range(len(self.figures.exact), self.figures.seeds):
            self._say(f"the same without noise, seed {seed} of {self.figures.seeds}")
            job = run_job(split_seed=seed, noise_seed=None)
            self._keep(replace(self.figures, exact=[*self.figures.exact, job]))

    def _heart(self) -> None:
        from bench.models import compare_heart

        for seed in range(len(self.figures.heart), self.figures.seeds):
            self._say(f"local, federated and centralised on the heart data, seed {seed} of {self.figures.seeds}")
            self._keep(replace(self.figures, heart=[*self.figures.heart, compare_heart(seed)]))

    def _lending(self) -> None:
        from bench.models import compare_lending

        for seed in range(len(self.figures.lending), self.figures.seeds):
            self._say(f"local, federated and centralised on the loans, seed {seed} of {self.figures.seeds}")
            self._keep(replace(self.figures, lending=[*self.figures.lending, compare_lending(seed)]))

    def _voting(self) -> None:
        from bench.gas import measure_voting

        if self.figures.voting is None:
            self._say("voting here and with a bare OpenZeppelin Governor, on one chain")
            self._keep(replace(self.figures, voting=measure_voting()))

    def _demonstration(self) -> None:
        from bench.demonstration import demonstrate

        if self.figures.demonstration is None:
            self._say("the demonstration, by the clock")
            home = self.path.parent / "bench-demo"
            self._keep(replace(self.figures, demonstration=demonstrate(home, self._say)))

    def _say(self, line: str) -> None:
        self.status.update(escape(line))

    def _keep(self, figures: Figures) -> None:
        self.figures = figures
        save(self.path, figures)


def begin(path: Path, seeds: int, *, again: tuple[str, ...]) -> Figures:
    """Return the figures to go on from.

    Those of an interrupted run of the same inputs; those of a finished one without the parts that
    are asked for ``again``; else none.
    """
    inputs, found = digest(), _found(path)
    if found and found.inputs == inputs and found.seeds == seeds and (again or not is_complete(found)):
        return without(found, again)
    return Figures(
        inputs=inputs,
        commit=_commit(),
        machine=_machine(),
        seeds=seeds,
        jobs=[],
        noise_only=[],
        exact=[],
        heart=[],
        lending=[],
    )


def without(figures: Figures, parts: tuple[str, ...]) -> Figures:
    """Return the figures as if these parts had not been measured."""
    return replace(
        figures,
        jobs=[] if "candidates" in parts else figures.jobs,
        noise_only=[] if "noise" in parts else figures.noise_only,
        exact=[] if "exact" in parts else figures.exact,
        heart=[] if "heart" in parts else figures.heart,
        lending=[] if "lending" in parts else figures.lending,
        voting=None if "voting" in parts else figures.voting,
        demonstration=None if "demonstration" in parts else figures.demonstration,
    )


def is_complete(figures: Figures) -> bool:
    """Say whether nothing is left to measure."""
    seeded = (figures.jobs, figures.noise_only, figures.exact, figures.heart, figures.lending)
    return (
        all(len(part) == figures.seeds for part in seeded)
        and figures.voting is not None
        and figures.demonstration is not None
    )


def digest() -> str:
    """Return the SHA-256 of everything that the figures depend on."""
    total = hashlib.sha256()
    for pattern in INPUTS:
        for path in sorted(CHECKOUT.glob(pattern)):
            content = hashlib.sha256(path.read_bytes()).hexdigest()
            total.update(f"{path.relative_to(CHECKOUT).as_posix()} {content}\n".encode())
    return total.hexdigest()


def _found(path: Path) -> Figures | None:
    try:
        return load(path)
    except FiguresError:
        return None


def _machine() -> Machine:
    return Machine(
        cores=os.cpu_count() or 1,
        python=platform.python_version(),
        system=f"{platform.system()} {platform.machine()}",
        load_milli=round(1000 * os.getloadavg()[0]),
    )


def _commit() -> str:
    command = ["git", "-C", str(CHECKOUT), "rev-parse", "--short", "HEAD"]
    try:
        done = subprocess.run(command, capture_output=True, text=True, check=False)
    except OSError:
        return "unknown"
    return done.stdout.strip() or "unknown"


def main() -> int:
    """Measure and print."""
    parser = argparse.ArgumentParser(prog="python bench/run.py", description=__doc__)
    parser.add_argument("--seeds", type=int, default=20, help="seeds of split and noise, from 0")
    parser.add_argument("--only", choices=PARTS, action="append", help="measure this part; may be repeated")
    parser.add_argument("--out", type=Path, default=OUT)
    options = parser.parse_args()
    console = Console(stderr=True)
    try:
        with console.status("starting") as status:
            only = tuple(options.only or ())
            bench = Bench(path=options.out, figures=begin(options.out, options.seeds, again=only), status=status)
            bench.run(only or PARTS)
        print(document(bench.figures))
    except FolkmootError as error:
        console.print(escape(str(error)), style="red")
        return 1
    except KeyboardInterrupt:
        console.print(f"interrupted; what was measured is in {options.out}, and the same command goes on from there")
        return 130
    console.print(f"written to {options.out}; to put it into README.md: python bench/publishing.py")
    return 0


if __name__ == "__main__":
    sys.exit(main())
