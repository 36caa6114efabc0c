"""Every estimate lies in its range and in its own interval, at any confidence, to the last bit."""

from __future__ import annotations

import math

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from bakeoff.comparison.statistics.crossed import (
    paired_difference,
    paired_difference_of_balanced_accuracy,
)
from bakeoff.comparison.statistics.entrants import (
    entrant_scores,
    mean_accuracy,
)
from bakeoff.comparison.statistics.equivalence import equivalence_p
from bakeoff.comparison.statistics.holm import holm
from bakeoff.comparison.statistics.mcnemar import mcnemar
from bakeoff.comparison.statistics.survival import time_to_target
from bakeoff.comparison.statistics.timing import time_ratio

# Perfect and hopeless entrants are where sums of fractions pass the range.
CHANCES = st.sampled_from([0.0, 0.02, 0.5, 0.98, 1.0])
CONFIDENCES = st.sampled_from([0.51, 0.6, 0.9, 0.95, 0.999])
SEEDS = st.sampled_from([2, 3, 5, 17])
IMAGES = st.integers(1, 3) | st.integers(1, 400)


@given(st.integers(0, 9999), SEEDS, IMAGES, CHANCES, CHANCES, CONFIDENCES)
@settings(max_examples=120, deadline=None)
def test_of_pairs(
    seed: int, seeds: int, images: int, right_a: float, right_b: float, confidence: float
) -> None:
    rng = np.random.default_rng(seed)
    a, b = (rng.random((seeds, images)) < chance for chance in (right_a, right_b))
    labels = rng.integers(0, 7, images)
    for found in (
        paired_difference(a, b, confidence),
        paired_difference_of_balanced_accuracy(a, b, labels, confidence),
    ):
        assert -1 <= found.low <= found.difference <= found.high <= 1
        narrow = found.fixed_test_set
        assert -1 <= narrow.low <= found.difference <= narrow.high <= 1
        assert 0 <= found.seed_share <= 1
        assert found.seed_share + found.image_share == pytest.approx(1)
        assert found.standard_error > 0
        assert math.isfinite(found.degrees_of_freedom)
        p_values = [found.p_value, narrow.p_value, equivalence_p(found, 0.0025)]
        assert all(0 <= p_value <= 1 for p_value in p_values)
    models = mcnemar(a[0], b[0], confidence)
    assert -1 <= models.low <= models.difference <= models.high <= 1
    assert 0 <= models.p_value <= 1


@given(st.integers(0, 9999), st.integers(1, 5), st.integers(1, 400), CHANCES, CONFIDENCES)
@settings(max_examples=120, deadline=None)
def test_of_entrants(seed: int, seeds: int, images: int, right: float, confidence: float) -> None:
    rng = np.random.default_rng(seed)
    labels = rng.integers(0, 7, images)
    correct = rng.random((seeds, images)) < right
    scores = entrant_scores(np.where(correct, labels, (labels + 1) % 7), labels, 7, confidence)
    estimates = [scores.accuracy, scores.balanced_accuracy, mean_accuracy(correct, confidence)]
    for found in [*estimates, *(each for each in scores.f1 if each)]:
        assert 0 <= found.low <= found.mean <= found.high <= 1


@given(st.integers(0, 9999), st.integers(1, 60), CONFIDENCES)
@settings(max_examples=60, deadline=None)
def test_of_times(seed: int, number: int, confidence: float) -> None:
    rng = np.random.default_rng(seed)
    # Few different times, so that there are ties.
    a, b = rng.integers(1, 12, (2, number)) / 7
    ratio = time_ratio(a, b, confidence)
    assert ratio.low is None or ratio.high is None or ratio.low <= ratio.ratio <= ratio.high
    wait = time_to_target(a, rng.random(number) < 0.7, confidence)
    ends = [end for end in (wait.low, wait.median, wait.high) if end is not None]
    assert ends == sorted(ends)


@pytest.mark.parametrize("images", [79, 84, 1000])
def test_all_against_nothing_is_one(images: int) -> None:
    """1.000000000000001 stood here."""
    right = np.ones((3, images), bool)
    by_class = paired_difference_of_balanced_accuracy(right, ~right, np.arange(images) % 7)
    assert paired_difference(right, ~right).difference == by_class.difference == 1


def test_a_p_value_that_is_one_can_be_corrected() -> None:
    """With 17 seeds the weights of the distribution sum to a little more than 1."""
    right = np.ones((17, 1000), bool)
    far_beyond = equivalence_p(paired_difference(right, ~right), 0.0025)
    assert holm([far_beyond, 0.5]) == [1.0, 1.0]


def test_two_models_at_a_low_confidence() -> None:
    """The interval's centre is pulled to zero, and ended before what was seen."""
    right = np.ones(1000, bool)
    assert mcnemar(right, ~right, 0.6).high == 1
