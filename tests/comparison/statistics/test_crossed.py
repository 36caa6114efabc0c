from __future__ import annotations

import math
from dataclasses import replace

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from numpy.typing import NDArray
from scipy import stats

from bakeoff.comparison.statistics.crossed import (
    crossed_difference,
    paired_difference,
    paired_difference_of_balanced_accuracy,
)
from bakeoff.comparison.statistics.difference import of_answers
from bakeoff.comparison.statistics.layout import layout_of
from bakeoff.comparison.statistics.pivot import two_sided_p
from bakeoff.errors import DataError

Bools = NDArray[np.bool_]


def simulated_pair(
    seed: int, seeds: int = 4, images: int = 200, seed_spread: float = 0.3
) -> tuple[Bools, Bools]:
    """Correctness of two entrants with seed, image and joint effects: boolean [seeds, images]."""
    rng = np.random.default_rng(seed)
    shared = rng.normal(size=images)
    a, b = (
        1.2
        + shared
        + 0.5 * rng.normal(size=images)
        + seed_spread * rng.normal(size=(seeds, 1))
        + 0.6 * rng.normal(size=(seeds, images))
        > 0
        for _ in range(2)
    )
    return a, b


def slow_components(d: NDArray[np.float64]) -> tuple[float, float, float]:
    """Seed, image and residual variance from the textbook's sums of squares, one cell at a time."""
    seeds, images = d.shape
    mean = sum(d[s, i] for s in range(seeds) for i in range(images)) / (seeds * images)
    rows = [sum(d[s]) / images for s in range(seeds)]
    columns = [sum(d[:, i]) / seeds for i in range(images)]
    ms_seeds = images * sum((row - mean) ** 2 for row in rows) / (seeds - 1)
    ms_images = seeds * sum((column - mean) ** 2 for column in columns) / (images - 1)
    ms_joint = sum(
        (d[s, i] - rows[s] - columns[i] + mean) ** 2 for s in range(seeds) for i in range(images)
    ) / ((seeds - 1) * (images - 1))
    return (
        max((ms_seeds - ms_joint) / images, 0),
        max((ms_images - ms_joint) / seeds, 0),
        ms_joint,
    )


@pytest.mark.parametrize("seed", range(4))
def test_components_are_those_of_the_textbook(seed: int) -> None:
    a, b = simulated_pair(seed)
    result = paired_difference(a, b)
    expected = slow_components(a.astype(float) - b)
    found = (result.seed_variance, result.image_variance, result.residual_variance)
    assert found == pytest.approx(expected, rel=1e-9, abs=1e-15)


def test_small_case_by_hand() -> None:
    # d = [[1, 1, 0, 0], [1, 0, 0, 0]]: rows 1/2 and 1/4, columns 1, 1/2, 0, 0, mean 3/8.
    # MS seeds = 4 * 2 * (1/8)^2 = 1/8; MS images = 2 * (25 + 1 + 9 + 9)/64 / 3 = 11/24;
    # total SS = 3 - 8 * 9/64 = 15/8, so the joint SS = 15/8 - 1/8 - 11/8 = 3/8 and its MS 1/8.
    a = np.array([[True, True, False, False], [True, False, False, False]])
    result = paired_difference(a, np.zeros_like(a))
    assert result.difference == pytest.approx(3 / 8)
    assert result.seed_variance == pytest.approx(0)
    assert result.image_variance == pytest.approx((11 / 24 - 1 / 8) / 2)
    assert result.residual_variance == pytest.approx(1 / 8)
    assert result.seed_part == pytest.approx(1 / 8 / 8)
    assert result.standard_error == pytest.approx(math.sqrt(11 / 24 / 8))
    assert result.hillis_degrees_of_freedom == pytest.approx(1 * ((11 / 24) / (1 / 8)) ** 2)


def test_fixed_test_set_is_the_paired_t_over_seeds() -> None:
    a, b = simulated_pair(3, seeds=6, images=500)
    fixed = paired_difference(a, b, confidence=0.9).fixed_test_set
    expected = stats.ttest_rel(a.mean(axis=1), b.mean(axis=1))
    interval = expected.confidence_interval(0.9)
    assert fixed.p_value == pytest.approx(expected.pvalue)
    assert (fixed.low, fixed.high) == pytest.approx((interval.low, interval.high))
    assert fixed.degrees_of_freedom == 5


def test_standard_error_against_a_two_way_bootstrap() -> None:
    a, b = simulated_pair(11, seeds=12, images=1500, seed_spread=0.15)
    d = a.astype(np.float64) - b
    rng = np.random.default_rng(0)
    means = []
    for _ in range(1500):
        # Counts of a draw with replacement, for seeds and for images.
        seeds = rng.multinomial(12, np.full(12, 1 / 12)) / 12
        images = rng.multinomial(1500, np.full(1500, 1 / 1500)) / 1500
        means.append(seeds @ d @ images)
    result = paired_difference(a, b)
    # The two-way bootstrap counts the joint part three times (Owen 2007) and takes spreads over n.
    joint = result.residual_variance / (12 * 1500)
    seed_part = result.seed_part * 11 / 12
    expected = math.sqrt(seed_part + result.image_part + 2 * joint)
    assert np.std(means) == pytest.approx(expected, rel=0.08)


@given(st.integers(0, 10_000), st.sampled_from([2, 3, 5]), st.sampled_from([2, 7, 60]))
@settings(max_examples=25, deadline=None)
def test_swapping_the_entrants_turns_the_sign_and_nothing_else(
    seed: int, seeds: int, images: int
) -> None:
    a, b = simulated_pair(seed, seeds, images)
    one, other = paired_difference(a, b), paired_difference(b, a)
    assert other.difference == -one.difference
    assert (other.low, other.high) == pytest.approx((-one.high, -one.low))
    assert other.p_value == pytest.approx(one.p_value)
    assert other.seed_variance == pytest.approx(one.seed_variance)


@given(st.integers(0, 10_000))
@settings(max_examples=15, deadline=None)
def test_the_order_of_seeds_and_images_does_not_matter(seed: int) -> None:
    a, b = simulated_pair(seed, 3, 50)
    rng = np.random.default_rng(seed)
    rows, columns = rng.permutation(3), rng.permutation(50)
    labels = rng.integers(0, 4, 50)
    one = paired_difference_of_balanced_accuracy(a, b, labels)
    other = paired_difference_of_balanced_accuracy(
        a[rows][:, columns], b[rows][:, columns], labels[columns]
    )
    for name in ("difference", "low", "high", "p_value", "seed_variance", "image_variance"):
        assert getattr(other, name) == pytest.approx(getattr(one, name), abs=1e-12), name


@given(st.integers(0, 10_000))
@settings(max_examples=25, deadline=None)
def test_p_value_and_interval_agree(seed: int) -> None:
    a, b = simulated_pair(seed, 3, 40, seed_spread=0.6)
    p_value = paired_difference(a, b).p_value
    outside = paired_difference(a, b, confidence=1 - min(p_value * 1.001, 0.999))
    inside = paired_difference(a, b, confidence=1 - p_value * 0.999)
    if outside.difference != 0:
        assert not outside.low <= 0 <= outside.high
    assert inside.low <= 0 <= inside.high


@pytest.mark.parametrize("seed", [56, 192, 378])
def test_they_agree_where_few_images_leave_more_doubt_beyond_zero(seed: int) -> None:
    """A test of zero rejects, yet differences a little beyond it are not rejected again."""
    rng = np.random.default_rng(seed)
    a, b = rng.random((2, 10, 4)) < rng.random((2, 1, 1))
    found = paired_difference(a, b)
    assert found.p_value < 0.05
    assert not found.low <= 0 <= found.high


def test_more_images_of_the_same_kind_shrink_the_image_part_alone() -> None:
    a, b = simulated_pair(5, 4, 400)
    once = paired_difference(a, b)
    four = paired_difference(np.tile(a, (1, 4)), np.tile(b, (1, 4)))
    assert four.difference == pytest.approx(once.difference)
    assert four.seed_part == pytest.approx(once.seed_part)
    assert four.image_part == pytest.approx(once.image_part / 4, rel=0.01)


def test_degrees_of_freedom_lie_between_seeds_and_normal() -> None:
    a, b = simulated_pair(5, 3, 400)
    result = paired_difference(a, b & (np.arange(400) > 100))
    assert 2 <= result.degrees_of_freedom <= 1e7
    critical = float(stats.t.isf(0.025, result.degrees_of_freedom)) * result.standard_error
    p_value = two_sided_p(critical, result.seed_part, result.image_part, 2)
    assert float(p_value) == pytest.approx(0.05, rel=1e-6)


def test_the_end_away_from_zero_is_further_off() -> None:
    a, b = simulated_pair(5, 3, 400)
    result = paired_difference(a, b & (np.arange(400) > 100))
    assert result.low > 0
    assert result.difference - result.low < result.high - result.difference


class TestBalancedAccuracy:
    def test_the_mean_is_the_mean_over_classes(self) -> None:
        a, b = simulated_pair(2, 3, 90)
        labels = np.repeat([0, 1, 2], [60, 20, 10])
        result = paired_difference_of_balanced_accuracy(a, b, labels)
        expected = np.mean(
            [(a[:, labels == c].mean() - b[:, labels == c].mean()) for c in range(3)]
        )
        assert result.difference == pytest.approx(expected)

    def test_one_class_is_plain_accuracy(self) -> None:
        a, b = simulated_pair(2, 3, 90)
        plain = paired_difference(a, b)
        assert paired_difference_of_balanced_accuracy(a, b, np.full(90, 7)) == plain

    def test_image_part_is_that_of_the_classes(self) -> None:
        a, b = simulated_pair(8, 4, 300)
        labels = np.repeat([0, 1], [250, 50])
        parts = [paired_difference(a[:, labels == c], b[:, labels == c]) for c in (0, 1)]
        together = paired_difference_of_balanced_accuracy(a, b, labels)
        assert all(part.image_part > 0 for part in parts)
        assert together.image_part == pytest.approx(sum(part.image_part for part in parts) / 4)
        assert together.residual_variance / 300 == pytest.approx(
            parts[0].residual_variance / 250 / 4 + parts[1].residual_variance / 50 / 4
        )

    def test_an_absent_class_is_left_out(self) -> None:
        a, b = simulated_pair(2, 3, 90)
        present = np.repeat([0, 1, 2], 30)
        renamed = np.repeat([0, 1, 9], 30)
        assert paired_difference_of_balanced_accuracy(
            a, b, present
        ) == paired_difference_of_balanced_accuracy(a, b, renamed)

    def test_a_class_of_one_image_is_taken_as_unknown(self) -> None:
        right = np.ones((3, 21), dtype=bool)
        labels = np.array([0] * 20 + [1])
        result = paired_difference_of_balanced_accuracy(right, right, labels)
        # The variance of one image is at most one and it weighs one half.
        assert result.image_part == pytest.approx(0.25)
        assert result.low < -0.9 < 0.9 < result.high


class TestDegenerate:
    def test_identical_predictions_leave_room_for_a_small_difference(self) -> None:
        right = np.ones((5, 1000), dtype=bool)
        result = paired_difference(right, right)
        assert (result.difference, result.p_value) == (0, 1)
        # The score interval at no disagreement: the squared normal quantile over the images.
        assert result.high == pytest.approx(1.96**2 / 1000, rel=0.05)
        assert result.low == -result.high
        assert result.fixed_test_set.p_value == 1

    def test_no_disagreement_between_seeds(self) -> None:
        # All seeds alike: 6 images for a, none for b, as with a single pair of models.
        a = np.ones((3, 1000), dtype=bool)
        b = a.copy()
        b[:, :6] = False
        result = paired_difference(a, b)
        assert result.difference == pytest.approx(0.006)
        assert 0 < result.low < 0.006 < result.high < 0.02
        assert 0.01 < result.p_value < 0.05
        # Over seeds: the next may be a step off, with a variance of 4/25 steps squared.
        reach = stats.t.isf(0.025, 2) * math.sqrt(4 / 25 / 3) / 1000
        assert result.fixed_test_set.high == pytest.approx(0.006 + reach)
        assert 0 < result.fixed_test_set.p_value < 0.05

    @pytest.mark.parametrize("a", [True, False])
    @pytest.mark.parametrize("b", [True, False])
    def test_one_image_tells_nothing_of_others(self, a: bool, b: bool) -> None:
        result = paired_difference(np.full((3, 1), a), np.full((3, 1), b))
        assert result.difference == int(a) - int(b)
        assert result.p_value > 0.3
        assert (result.low <= -0.9) or (result.high >= 0.9)


class TestBadInput:
    def test_one_seed(self) -> None:
        one = np.ones((1, 10), dtype=bool)
        with pytest.raises(DataError) as caught:
            paired_difference(one, one)
        assert str(caught.value) == (
            "one seed cannot tell the luck of the seed from a difference between architectures: "
            "train at least two seeds, or use mcnemar for a statement about the two trained models"
        )

    @pytest.mark.parametrize(
        ("a", "b", "message"),
        [
            (np.ones((2, 3)), np.ones((2, 3)), "correct_a has dtype float64, not bool"),
            (np.ones(3, bool), np.ones(3, bool), r"correct_a has shape \[3\]: it must be \[seeds,"),
            (np.ones((2, 3), bool), np.ones((3, 3), bool), r"have shapes \[2, 3\] and \[3, 3\]"),
            (np.ones((2, 0), bool), np.ones((2, 0), bool), "correct_a has no images"),
        ],
    )
    def test_wrong_arrays(self, a: Bools, b: Bools, message: str) -> None:
        with pytest.raises(DataError, match=message):
            paired_difference(a, b)

    def test_confidence_in_per_cent(self) -> None:
        a, b = simulated_pair(0)
        with pytest.raises(DataError, match="confidence is 95: give a number between 0 and 1"):
            paired_difference(a, b, confidence=95)

    def test_labels_of_another_test_set(self) -> None:
        a, b = simulated_pair(0)
        with pytest.raises(DataError, match="labels has 3 entries for 200 images"):
            paired_difference_of_balanced_accuracy(a, b, np.array([0, 1, 2]))


@pytest.mark.parametrize("seeds", [2, 9, 12, 41])
@pytest.mark.parametrize("by_class", [True, False])
def test_answers_in_a_byte_each_give_what_they_give_as_floats_to_the_last_bit(
    seeds: int, by_class: bool
) -> None:
    rng = np.random.default_rng(seeds)
    a, b = rng.random((2, seeds, 5000)) < 0.97
    layout = layout_of(5000, rng.integers(10, size=5000) if by_class else None, None)
    found = of_answers(a, b)
    assert found.d.dtype == np.int8
    floats = replace(found, d=a.astype(np.float64) - b)
    assert crossed_difference(found, layout, 0.95) == crossed_difference(floats, layout, 0.95)
    assert (
        layout.strata.means(found.d).tolist()
        == np.clip(floats.d @ layout.strata.image_weights, -1, 1).tolist()
    )
