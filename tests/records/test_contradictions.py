from __future__ import annotations

from typing import Any

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from bakeoff.records.contradictions import contradiction_in, disagreement
from bakeoff.records.limits import MOST_CLASSES_OF_A_MATRIX
from bakeoff.records.record import Record, Scores
from bakeoff.study.recipe import Recipe
from bakeoff.training.scores import score

from ..factories import diverged, entrant, epoch, record, scores, study

STUDY = study(entrant("a"))
ENTRANT = STUDY.entrants[0]


def with_scores(**changed: Any) -> Scores:
    return scores(0.5).model_copy(update=changed)


def many(classes: int) -> dict[str, tuple[float, ...]]:
    return dict.fromkeys(("precision", "recall", "f1"), (0.5,) * classes)


def test_what_a_trial_leaves_contradicts_nothing() -> None:
    without_matrix = with_scores(confusion=(), **many(101))
    for sound in (
        record(STUDY, "a"),
        diverged(STUDY, "a"),
        record(STUDY, "a", value=1.0),
        record(STUDY, "a", test=without_matrix, validation=without_matrix),
        record(STUDY, "a", test=scores(0.5, classes=100)),
    ):
        assert contradiction_in(sound, ENTRANT) is None


@pytest.mark.parametrize(
    ("changed", "contradiction"),
    [
        ({"recipe": Recipe(epochs=3)}, "of another recipe than its study has"),
        ({"architecture": "cnn-1conv"}, "of another recipe than its study has"),
        ({"test": None}, "complete, but without scores"),
        ({"validation": None}, "complete, but without scores"),
        ({"cost": None}, "complete, but without scores"),
        ({"epochs": (epoch(2), epoch(1))}, "epochs are not counted from 1"),
        ({"epochs": (epoch(1), epoch(10**9))}, "epochs are not counted from 1"),
        ({"training_seconds": -1.0}, "-1.0 was not measured"),
        ({"parameters": 10**400}, f"1{'0' * 18}… was not measured"),
        ({"epochs": (epoch(1, train_loss=1e-320),)}, "1e-320 was not measured"),
        ({"epochs": (epoch(1, validation_loss=1e300),)}, "1e+300 was not measured"),
        ({"test": scores(1.5)}, "-0.5 was not measured"),
        ({"test": with_scores(accuracy=1.01)}, "impossible scores"),
        ({"test": with_scores(recall=(0.5,))}, "impossible scores"),
        ({"test": with_scores(confusion=((1, 1),) * 3)}, "impossible scores"),
        ({"test": with_scores(confusion=((0,) * 3,) * 3)}, "impossible scores"),
        ({"test": scores(0.5, classes=0)}, "impossible scores"),
        ({"test": with_scores(confusion=())}, "impossible scores"),
        ({"test": scores(0.5, classes=101)}, "impossible scores"),
        ({"test": with_scores(confusion=(), **many(10_001))}, "impossible scores"),
    ],
)  # fmt: skip
def test_a_contradiction_is_named(changed: dict[str, Any], contradiction: str) -> None:
    forged = Record(**{**dict(record(STUDY, "a")), **changed})
    assert contradiction_in(forged, ENTRANT) == contradiction


# Scores against predictions

LABELS = np.array([0, 0, 0, 1, 1, 2])
PREDICTED = np.array([0, 0, 1, 1, 1, 0])
SCORES = score(np.eye(4, dtype=np.float32)[PREDICTED], LABELS)


def test_scores_agree_with_the_predictions_they_were_made_of() -> None:
    """Class 2 is never right, class 3 neither there nor predicted."""
    assert disagreement(SCORES, PREDICTED, LABELS) is None


@pytest.mark.parametrize(
    ("change", "complaint"),
    [
        ({"accuracy": 5 / 6}, "accuracy is 0.833333, by the predictions 0.666667"),
        ({"balanced_accuracy": 0.6}, "balanced_accuracy is 0.6, by the predictions 0.555556"),
        ({"recall": (1.0, 1.0, 0.0, 0.0)}, "recall is 1, by the predictions 0.666667"),
        ({"precision": (0.6, 2 / 3, 0.0, 0.0)}, "precision is 0.6, by the predictions 0.666667"),
        ({"f1": (2 / 3, 0.9, 0.0, 0.0)}, "f1 is 0.9, by the predictions 0.8"),
        (
            {"confusion": ((2, 1, 0, 0), (0, 2, 0, 0), (0, 1, 0, 0), (0, 0, 0, 0))},
            "confusion is 0, by the predictions 1",
        ),
    ],
)
def test_whatever_was_changed_is_named(change: dict[str, Any], complaint: str) -> None:
    assert disagreement(SCORES.model_copy(update=change), PREDICTED, LABELS) == complaint


@given(
    pairs=st.lists(st.tuples(st.integers(0, 4), st.integers(0, 4)), min_size=1, max_size=60),
)
def test_scores_of_the_library_agree_whatever_the_predictions(pairs: list[tuple[int, int]]) -> None:
    predicted, labels = np.array(pairs).T
    scores = score(np.eye(5, dtype=np.float32)[predicted], labels)
    assert disagreement(scores, predicted, labels) is None
    wrong = scores.model_copy(update={"accuracy": scores.accuracy + 1e-6})
    assert disagreement(wrong, predicted, labels) is not None


def test_many_classes_agree_without_a_matrix() -> None:
    classes = MOST_CLASSES_OF_A_MATRIX + 1
    labels = np.arange(classes).repeat(2)
    predicted = np.where(np.arange(len(labels)) % 3 == 0, (labels + 1) % classes, labels)
    scores = score(np.eye(classes, dtype=np.float32)[predicted], labels)
    assert scores.confusion == ()
    assert disagreement(scores, predicted, labels) is None
    assert disagreement(scores, labels, labels) is not None


def test_scores_of_fewer_classes_than_there_are_are_named() -> None:
    three = score(np.eye(3, dtype=np.float32), np.arange(3))
    complaint = disagreement(three, np.array([0, 1, 4]), np.array([0, 1, 2]))
    assert complaint == "scores are of 3 classes, the predictions of 5 or more"
