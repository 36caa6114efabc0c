from __future__ import annotations

import numpy as np
import pytest
from numpy.typing import NDArray
from scipy import stats
from sklearn.metrics import balanced_accuracy_score, f1_score

from bakeoff.comparison.statistics.entrants import entrant_scores
from bakeoff.errors import DataError


def answers(
    seed: int, seeds: int, images: int, number_of_classes: int = 4
) -> tuple[NDArray[np.int64], NDArray[np.int64]]:
    """Predictions [seeds, images] and labels [images], wrong on hard images more often."""
    rng = np.random.default_rng(seed)
    labels = rng.integers(0, number_of_classes, images)
    chance = 0.6 * rng.random(images) ** 3 + 0.03 * rng.random((seeds, 1))
    wrong = rng.random((seeds, images)) < chance
    other = rng.integers(1, number_of_classes, (seeds, images))
    return np.where(wrong, (labels + other) % number_of_classes, labels), labels


def test_means_are_those_of_scikit_learn() -> None:
    predicted, labels = answers(0, 3, 400)
    scores = entrant_scores(predicted, labels, 4)
    balanced = [balanced_accuracy_score(labels, row) for row in predicted]
    f1 = np.array([f1_score(labels, row, average=None) for row in predicted])
    assert scores.accuracy.mean == pytest.approx((predicted == labels).mean())
    assert scores.balanced_accuracy.mean == pytest.approx(np.mean(balanced))
    assert scores.balanced_accuracy.standard_deviation == pytest.approx(np.std(balanced, ddof=1))
    assert [each.mean for each in scores.f1 if each] == pytest.approx(list(f1.mean(axis=0)))
    assert scores.accuracy.over == "new seeds and new test images"


def test_one_seed_is_wilsons_interval_about_this_model() -> None:
    predicted, labels = answers(1, 1, 5000)
    accuracy = entrant_scores(predicted, labels, 4).accuracy
    right = int((predicted == labels).sum())
    expected = stats.binomtest(right, 5000).proportion_ci(method="wilson")
    # The variance over images is taken over n - 1, not n.
    assert (accuracy.low, accuracy.high) == pytest.approx((expected.low, expected.high), abs=1e-5)
    assert accuracy.standard_deviation is None
    assert accuracy.over == "this trained model, new test images"


def test_f1_interval_of_one_seed_against_a_bootstrap_over_images() -> None:
    predicted, labels = answers(2, 1, 1500)
    rng = np.random.default_rng(0)
    drawn = []
    for _ in range(300):
        sample = rng.integers(0, 1500, 1500)
        drawn.append(f1_score(labels[sample], predicted[0][sample], average=None)[1])
    estimate = entrant_scores(predicted, labels, 4).f1[1]
    assert estimate is not None
    assert (estimate.high - estimate.low) / (2 * 1.96) == pytest.approx(np.std(drawn), rel=0.12)


def test_intervals_cover_over_new_seeds_and_images() -> None:
    """Population: error chances of images by seed shift; the true accuracy has a closed form."""
    rng = np.random.default_rng(3)
    truth = 1 - (0.6 / 4 + 0.1 / 2)
    covered = 0
    for _ in range(300):
        chance = 0.6 * rng.random(500) ** 3 + 0.1 * rng.random((4, 1))
        predicted = (rng.random((4, 500)) < chance).astype(np.int64)
        accuracy = entrant_scores(predicted, np.zeros(500, np.int64), 2).accuracy
        covered += accuracy.low <= truth <= accuracy.high
    assert 0.92 <= covered / 300 <= 0.995


def test_all_right_still_leaves_room() -> None:
    labels = np.repeat(np.arange(10), 100)
    scores = entrant_scores(np.tile(labels, (5, 1)), labels, 10)
    assert scores.accuracy.mean == scores.accuracy.high == 1
    assert scores.accuracy.low == pytest.approx(1 - 3.84 / 1003.84, abs=2e-4)
    f1 = scores.f1[3]
    assert f1 is not None
    # Only the hundred images of the class tell of its F1.
    assert f1.low == pytest.approx(1 - 3.84 / 103.84, abs=1e-3)


def test_absent_class_has_no_f1_and_no_part_in_balanced_accuracy() -> None:
    labels = np.array([0, 0, 0, 1])
    predicted = np.array([[0, 0, 2, 1], [0, 0, 0, 1]])
    scores = entrant_scores(predicted, labels, 3)
    assert scores.f1[2] is None
    assert scores.balanced_accuracy.mean == pytest.approx((5 / 6 + 1) / 2)


def test_one_image() -> None:
    scores = entrant_scores(np.array([[1], [0]]), np.array([1]), 2)
    assert scores.accuracy.mean == 0.5
    assert 0 <= scores.accuracy.low < 0.1
    assert 0.9 < scores.accuracy.high <= 1


def test_class_out_of_range_is_named() -> None:
    with pytest.raises(DataError) as caught:
        entrant_scores(np.array([[0, 1], [0, 7]]), np.array([0, 1]), 3)
    assert str(caught.value) == (
        "predicted holds class 7 at seeds 1, images 1: class numbers go from 0 to 2"
    )
