"""How the default candidate was chosen: mean AUC on resplits that leave seed 0's evaluation out.

The rows that seed 0 uses for training and later jobs are split again by seeds from 100; the
rows on which the demonstration's candidates are judged take no part, and no fairness figure
is looked at. There are fewer rows here than in a job, so noise weighs a little more.
Run it with ``python -m bench.tuning [--seeds 10]``.
"""

import argparse
import statistics
import sys
from dataclasses import replace
from pathlib import Path

import numpy as np
from sklearn.metrics import roc_auc_score

from agents.training.features import labels
from agents.training.federated import design_matrix
from agents.training.privacy import MICROS, NANOS
from agents.training.scenario import RowSet, split_rows
from agents.training.schema import DataSchema, load_schema
from agents.training.task import Candidate, default_candidates
from bench.simulation import Split, plan, rows_by_site, split_sites, train

ROOT = Path(__file__).resolve().parent.parent
ROUNDS = (8, 10, 12, 15)
CLIPS_MICROS = (MICROS // 2, MICROS, 5 * MICROS // 2)
RATES_MICROS = (MICROS // 2, MICROS, 2 * MICROS)


def development_splits(schema: DataSchema, seeds: int) -> list[Split]:
    """Split the rows that seed 0 does not evaluate on, once per seed from 100."""
    sites = {
        site: [
            row
            for row_set, chosen in split_rows(rows, schema, seed=0).items()
            if row_set is not RowSet.EVALUATION
            for row in chosen
        ]
        for site, rows in rows_by_site(ROOT / "data/heart_disease_uci.csv", schema).items()
    }
    return [split_sites(sites, schema, 100 + seed) for seed in range(seeds)]


def mean_auc(splits: list[Split], candidate: Candidate) -> float:
    """Return the mean pooled AUC of a candidate, alone with the other two in its job."""
    found = []
    for seed, split in enumerate(splits):
        others = [replace(c, rounds=candidate.rounds) for c in default_candidates(split.schema)]
        task = plan(split, candidates=[candidate, *others[1:]])
        trained = train(split, task, candidate=0, noise_seed=seed)
        inputs = design_matrix(split.pooled, task, candidate, trained.preprocessing)
        scored = inputs @ (np.array(trained.weights_nanos) / NANOS)
        found.append(float(roc_auc_score(labels(split.pooled, split.schema), scored)))
    return statistics.fmean(found)


def main() -> int:
    """Print the mean AUC around the default candidate."""
    parser = argparse.ArgumentParser(prog="python -m bench.tuning", description=__doc__)
    parser.add_argument("--seeds", type=int, default=10)
    splits = development_splits(load_schema(ROOT / "data/heart.schema.yaml"), parser.parse_args().seeds)
    print("| rounds | clip | rate | mean AUC |\n|---|---|---|---|")
    plain = default_candidates(splits[0].schema)[0]
    tried = [replace(plain, rounds=rounds) for rounds in ROUNDS]
    tried += [replace(plain, clip_micros=clip) for clip in CLIPS_MICROS]
    tried += [replace(plain, learning_rate_micros=rate) for rate in RATES_MICROS]
    for spec in dict.fromkeys(tried):
        clip, rate = spec.clip_micros / MICROS, spec.learning_rate_micros / MICROS
        print(f"| {spec.rounds} | {clip:g} | {rate:g} | {mean_auc(splits, spec):.3f} |", flush=True)
    return 0


if __name__ == "__main__":
    sys.exit(main())
