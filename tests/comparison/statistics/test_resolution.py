from __future__ import annotations

import math

import numpy as np
import pytest
from scipy import optimize

from bakeoff.comparison.statistics.checks import Floats
from bakeoff.comparison.statistics.crossed import paired_difference
from bakeoff.comparison.statistics.resolution import (
    extent_of_parting,
    image_part_at,
    step_of_one_image,
)
from bakeoff.comparison.statistics.variance import Strata, one_stratum, strata_of_classes

IMAGES = 100_000


def step_of(d: Floats, strata: Strata) -> float:
    return step_of_one_image(d.mean(axis=0), int(d.any(axis=0).sum()), strata)


def parted(only_a: int, only_b: int, images: int = IMAGES) -> Floats:
    """d[seed, image] of two seeds that agree: so many images for a alone, so many for b alone."""
    d = np.zeros((2, images))
    d[:, :only_a] = 1
    d[:, only_a : only_a + only_b] = -1
    return d


def most_likely_parted(only_a: int, only_b: int, true: float) -> float:
    """Share of images on which the two part, given their difference: Tango's trinomial, by search.

    With p the chance that b alone is right, that of a alone is p + true, and 2 p + true is sought.
    """
    both = IMAGES - only_a - only_b

    def unlikely(p: float) -> float:
        chances = (p + true, p, 1 - 2 * p - true)
        counts = (only_a, only_b, both)
        return -sum(n * math.log(chance) for n, chance in zip(counts, chances, strict=True) if n)

    lowest = max(0.0, -true) + 1e-12
    found = optimize.minimize_scalar(
        unlikely, bounds=(lowest, lowest + 1e-3), method="bounded", options={"xatol": 1e-12}
    )
    return float(2 * found.x + true)


@pytest.mark.parametrize(("only_a", "only_b"), [(9, 3), (3, 9), (20, 20), (6, 1)])
@pytest.mark.parametrize("true", [-2e-4, -3e-5, 4e-5, 1e-4, 3e-4])
def test_the_image_part_is_that_of_tangos_score_interval(
    only_a: int, only_b: int, true: float
) -> None:
    strata, d = one_stratum(IMAGES), parted(only_a, only_b)
    step = step_of(d, strata)
    extent = extent_of_parting(d.mean(axis=0), strata, step)
    assert (step, extent) == pytest.approx((1 / IMAGES, (only_a + only_b) / IMAGES))
    found = image_part_at(extent * step, step, extent, (only_a - only_b) / IMAGES, true)
    expected = most_likely_parted(only_a, only_b, true) / IMAGES
    # The root is the answer for rare images; of these 100,000 at most 40 part the two.
    assert found == pytest.approx(expected, rel=2e-3)


def test_nothing_changes_at_no_difference_and_at_the_one_observed() -> None:
    for true in (0.0, 0.003):
        assert image_part_at(2e-6, 1e-4, 0.01, 0.003, true) == pytest.approx(2e-6)
    assert image_part_at(2e-6, 1e-4, 0.01, 0.003, 0.0015) < 2e-6
    # All one way: with half the difference, half of the images.
    assert image_part_at(2e-6, 1e-4, 0.003, 0.003, 0.0015) == pytest.approx(1e-6)


def test_without_a_disagreement_every_supposed_one_counts() -> None:
    assert image_part_at(0.0, 1e-3, 0.0, 0.0, 0.004) == pytest.approx(4e-6)
    assert image_part_at(0.0, 1e-3, 0.0, 0.0, -0.004) == pytest.approx(4e-6)


@pytest.mark.parametrize("true", [0.0031, 0.004, 0.01, 0.05])
def test_the_image_part_grows_by_a_step_for_each_further_image_of_one_direction(
    true: float,
) -> None:
    most = 2e-6 + 1e-4 * (true - 0.003)
    assert image_part_at(2e-6, 1e-4, 0.003, 0.003, true) == pytest.approx(most)
    for extent in (0.005, 0.1):
        assert image_part_at(2e-6, 1e-4, extent, 0.003, true) < most


def test_the_extent_is_at_least_the_difference() -> None:
    rng = np.random.default_rng(0)
    d = rng.integers(-1, 2, (3, 30)).astype(np.float64) * (rng.random(30) < 0.2)
    for strata in (one_stratum(30), strata_of_classes(rng.integers(0, 4, 30))):
        extent = extent_of_parting(d.mean(axis=0), strata, step_of(d, strata))
        assert extent >= abs(float((d @ strata.image_weights).mean())) - 1e-15


def test_the_ends_of_an_interval_of_two_models_are_those_of_the_score_interval() -> None:
    """Many seeds that agree leave the images alone: |x - d| = 1.96 standard errors at x."""
    d = np.repeat(parted(9, 3, 10_000)[:1], 400, axis=0)
    found = paired_difference(d >= 0, d <= 0)
    for end in (found.low, found.high):
        root = math.sqrt(12**2 + 4 * end * 1e4 * (end * 1e4 - 6))
        reach = 1.96 * math.sqrt((12 + root) / 2) / 1e4
        assert abs(end - 6e-4) == pytest.approx(reach, rel=5e-3)
