"""Facts: equal to scikit-learn's, rounded against the candidate, silent about small groups."""

from __future__ import annotations

import json
import pickle
import zipfile
from io import BytesIO

import numpy as np
import pytest
from sklearn.metrics import balanced_accuracy_score, roc_auc_score

from agents.training.artifact import build_artifact, content_address, load_artifact, scores
from agents.training.card import ModelCard, check_release, make_release
from agents.training.errors import TaskError, TrainingError
from agents.training.federated import design_matrix
from agents.training.metrics import evaluate, evaluation_report, measure, metric_code_digest
from agents.training.privacy import NANOS
from agents.training.rows import group_of, label_of
from tests.training_cases import heart_preprocessing, heart_schema, heart_task, heart_weights, pooled_evaluation

CENT = 10_000


def release(candidate: int = 0) -> tuple[bytes, ModelCard]:
    task = heart_task()
    owners = [entry.owner for entry in task.owners]
    return make_release(
        task,
        candidate=candidate,
        weights_nanos=heart_weights(task, candidate=candidate),
        preprocessing=heart_preprocessing(task),
        statistics_owners=owners,
        owners_per_round=[owners] * task.candidates[candidate].rounds,
        seeded_owners=owners,
    )


def test_facts_are_those_of_scikit_learn_rounded_against_the_candidate() -> None:
    artifact, _ = release()
    rows, schema = pooled_evaluation(), heart_schema()
    found = scores(artifact, rows, schema)
    truth = np.array([label_of(row, schema) for row in rows])
    groups = np.array([group_of(row, schema) for row in rows])
    rates = [float((found > 0)[(groups == name) & truth].mean()) for name in ("Male", "Female")]

    evaluation = evaluate(artifact, rows, schema)

    auc, accuracy = roc_auc_score(truth, found), balanced_accuracy_score(truth, found > 0)
    gap = abs(rates[0] - rates[1])
    for name, exact, against in (("auc", auc, -1), ("balanced_accuracy", accuracy, -1), ("tpr_gap_abs", gap, 1)):
        value = evaluation.fact(name).value_micros
        assert value % CENT == 0
        assert 0 <= against * (value / 10**6 - exact) < 0.01 + 1e-12, name
        assert evaluation.fact(name).low_micros <= value <= evaluation.fact(name).high_micros


def test_the_order_of_rows_changes_no_byte_of_the_report() -> None:
    artifact, _ = release()
    rows = pooled_evaluation()

    assert evaluation_report(artifact, rows, heart_schema()) == evaluation_report(artifact, rows[::-1], heart_schema())


def test_a_group_of_nine_is_neither_shown_nor_judged() -> None:
    positive = np.array([True] * 30 + [False] * 30)
    groups = ["Male"] * 21 + ["Female"] * 9 + ["Male"] * 30
    scored = np.linspace(1, -1, 60)

    few = measure(scored, positive, groups, names=("Female", "Male"))
    enough = measure(scored, positive, ["Male"] * 20 + ["Female"] * 10 + ["Male"] * 30, names=("Female", "Male"))

    assert isinstance(few["tpr_gap_abs"], str)
    assert not isinstance(enough["tpr_gap_abs"], str)
    assert not isinstance(few["auc"], str)


def test_too_few_rows_give_no_figure_at_all() -> None:
    found = measure(np.array([1.0] * 12), np.array([True] * 12), ["Male"] * 12, names=("Female", "Male"))

    assert all(isinstance(fact, str) for fact in found.values())


def test_an_exact_gap_is_not_rounded_up() -> None:
    positive = np.array([True] * 40)
    scored = np.array([1.0] * 10 + [-1.0] * 10 + [1.0] * 8 + [-1.0] * 12)
    padded = np.concatenate([positive, np.zeros(20, dtype=bool)])
    values = np.concatenate([scored, np.full(20, -1.0)])
    groups = ["Male"] * 20 + ["Female"] * 20 + ["Male"] * 20

    found = measure(values, padded, groups, names=("Female", "Male"))

    assert found["tpr_gap_abs"].value_micros == 100_000


def test_the_metric_code_has_one_digest() -> None:
    assert len(metric_code_digest()) == 64
    assert metric_code_digest() == metric_code_digest()


def test_two_builds_of_one_model_are_the_same_bytes() -> None:
    one, card = release()
    two, _ = release()

    assert one == two
    assert card.artifact_sha256 == content_address(one)
    check_release(ModelCard.from_bytes(card.to_bytes()), one)


@pytest.mark.parametrize("candidate", [0, 1, 2])
def test_the_estimator_scores_as_the_weights_say(candidate: int) -> None:
    task, preprocessing = heart_task(), heart_preprocessing(heart_task())
    weights, spec = heart_weights(task, candidate=candidate), task.candidates[candidate]
    artifact = build_artifact(weights, heart_schema(), preprocessing, dropped=spec.dropped)
    rows = pooled_evaluation()

    inputs = design_matrix(rows, task, spec, preprocessing)

    assert type(load_artifact(artifact)).__name__ == "Pipeline"
    assert scores(artifact, rows, heart_schema()) == pytest.approx(inputs @ (np.array(weights) / NANOS), abs=1e-6)


def test_a_card_with_other_noise_or_another_file_is_refused() -> None:
    artifact, card = release()
    document = json.loads(card.to_bytes())
    document["task"]["privacy"]["round_sigma_micros"] += 10

    with pytest.raises(TrainingError):
        check_release(
            ModelCard.from_bytes(json.dumps(document, sort_keys=True, separators=(",", ":")).encode()), artifact
        )
    with pytest.raises(TrainingError):
        check_release(card, release(1)[0])


def test_a_seeded_run_says_that_it_has_no_privacy() -> None:
    _, card = release()

    assert card.noise_is_seeded
    assert "no privacy" in card.to_markdown().lower()


class Bomb:
    def __reduce__(self) -> tuple[object, tuple[str]]:
        return print, ("exploded",)


def test_pickles_and_foreign_types_are_never_loaded(capsys: pytest.CaptureFixture[str]) -> None:
    import skops.io
    from sklearn.preprocessing import FunctionTransformer

    smuggled = BytesIO()
    with zipfile.ZipFile(smuggled, "w") as archive:
        archive.writestr("schema.json", pickle.dumps(Bomb()))
    foreign = skops.io.dumps(FunctionTransformer(print))

    for blob in (pickle.dumps(Bomb()), smuggled.getvalue(), foreign, b"", b"PK\x03\x04" + b"\0" * 100):
        with pytest.raises(TaskError):
            load_artifact(blob)
    assert "exploded" not in capsys.readouterr().out


def test_an_artifact_holds_no_pickle() -> None:
    artifact, _ = release()

    with zipfile.ZipFile(BytesIO(artifact)) as archive:
        assert not [name for name in archive.namelist() if name.endswith((".pkl", ".pickle", ".joblib"))]
        assert not any(archive.read(name).startswith(b"\x80") for name in archive.namelist())
