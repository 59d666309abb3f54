"""Local-only, federated and centralised models on the same rows.

Possible only because these sets are public: nobody could hold all rows of real owners.
Local and centralised models are scikit-learn's, trained to convergence with the same penalty;
the federated ones take the product's few rounds.
"""

from collections.abc import Mapping
from dataclasses import dataclass
from typing import TYPE_CHECKING

from agents.training.features import labels
from agents.training.federated import design_matrix
from agents.training.preprocessing import derive_preprocessing, exact_statistics
from agents.training.privacy import NANOS
from agents.training.task import Candidate
from bench.simulation import Split, merged, only, plan, train

if TYPE_CHECKING:
    import numpy as np
    from numpy.typing import NDArray

ARMS = ("local only", "federated, epsilon 8", "federated, no noise", "centralised")


@dataclass(frozen=True, slots=True)
class Comparison:
    """AUC on each owner's evaluation rows, by arm; owners with one class there are left out."""

    auc: Mapping[str, Mapping[str, float]]


def compare(split: Split, candidate: Candidate, *, noise_seed: int) -> Comparison:
    """Train every arm on a split and measure it on each owner's evaluation rows."""
    arms = {
        "local only": {owner: _converged(only(split, owner), split, owner) for owner in split.owners},
        "federated, epsilon 8": _federated(split, candidate, noise_seed),
        "federated, no noise": _federated(split, candidate, None),
        "centralised": _centralised(split),
    }
    return Comparison(
        auc={
            arm: {owner: _auc(split, owner, found) for owner, found in scored.items() if _both(split, owner)}
            for arm, scored in arms.items()
        }
    )


def _federated(split: Split, candidate: Candidate, noise_seed: int | None) -> dict[str, "NDArray[np.float64]"]:
    import numpy as np

    task = plan(split, candidates=[candidate])
    trained = train(split, task, candidate=0, noise_seed=noise_seed)
    weights = np.array(trained.weights_nanos) / NANOS
    return {
        owner: design_matrix(split.evaluation[owner], task, task.candidates[0], trained.preprocessing) @ weights
        for owner in split.owners
    }


def _centralised(split: Split) -> dict[str, "NDArray[np.float64]"]:
    together = merged(split)
    return {owner: _converged(together, split, owner) for owner in split.owners}


def _converged(training: Split, split: Split, owner: str) -> "NDArray[np.float64]":
    import numpy as np
    from sklearn.linear_model import LogisticRegression

    task = plan(training)
    (name,) = training.training
    sums, counts = exact_statistics(training.training[name], task)
    preprocessing = derive_preprocessing((*sums, *counts), task, owners=[name])
    rows = training.training[name]
    truth = labels(rows, task.schema)
    evaluated = design_matrix(split.evaluation[owner], task, task.candidates[0], preprocessing)
    if len(set(truth.tolist())) < 2:
        # A site that saw one class only can tell nobody apart.
        return np.zeros(len(evaluated))
    model = LogisticRegression(C=1.0, max_iter=1000)
    model.fit(design_matrix(rows, task, task.candidates[0], preprocessing)[:, 1:], truth)
    return np.asarray(model.decision_function(evaluated[:, 1:]), dtype=np.float64)


def _both(split: Split, owner: str) -> bool:
    return len(set(labels(split.evaluation[owner], split.schema).tolist())) == 2


def _auc(split: Split, owner: str, scored: "NDArray[np.float64]") -> float:
    from sklearn.metrics import roc_auc_score

    return float(roc_auc_score(labels(split.evaluation[owner], split.schema), scored))
