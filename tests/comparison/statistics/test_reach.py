"""What a test set can show: by hand, and in simulated bake-offs."""

from __future__ import annotations

import math

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from bakeoff.comparison.statistics.crossed import paired_difference
from bakeoff.comparison.statistics.reach import smallest_difference


def test_with_very_many_seeds_it_is_that_of_a_normal_test_on_the_images() -> None:
    # Half of 0.1 stays with the images: sqrt(0.05 / 1000) = 0.00707; 1.960 + 0.842 of these.
    found = smallest_difference(1000, 100_000, 0.1, 0.05)
    assert found == pytest.approx((1.959964 + 0.841621) * math.sqrt(0.05 / 1000), rel=1e-3)


def test_on_very_many_images_of_two_seeds_it_shrinks_with_their_root() -> None:
    few, many = (smallest_difference(images, 2, 0.1, 0.05) for images in (10_000, 1_000_000))
    assert few is not None
    assert many == pytest.approx(few / 10)


def test_two_seeds_pay_for_not_knowing_how_much_seeds_differ() -> None:
    # A spread of 0.1 / 2 / 10,000 from images and half of that from seeds, with one degree of
    # freedom: more than the normal quantile of both together, and no more than Student's of both.
    spread = math.sqrt(0.05 / 10_000 * 1.5)
    found = smallest_difference(10_000, 2, 0.1, 0.05)
    assert found is not None
    assert (1.96 + 0.8416) * spread < found < (12.706 + 0.8416) * spread


def test_one_seed_shows_nothing_of_others() -> None:
    assert smallest_difference(10_000, 1, 0.1, 0.05) is None


def test_no_more_is_found_than_the_two_part() -> None:
    assert smallest_difference(50, 3, 0.02, 0.05) is None


@given(
    images=st.integers(200, 100_000),
    seeds=st.integers(2, 30),
    parting=st.floats(0.01, 0.5),
    level=st.sampled_from([0.05, 0.01, 0.001]),
)
def test_more_images_more_seeds_and_a_milder_level_show_more(
    images: int, seeds: int, parting: float, level: float
) -> None:
    here = smallest_difference(images, seeds, parting, level) or math.inf
    for better in (
        (2 * images, seeds, parting, level),
        (images, seeds + 1, parting, level),
        (images, seeds, parting, 2 * level),
    ):
        assert (smallest_difference(*better) or math.inf) <= here


@pytest.mark.parametrize(("seeds", "images", "parting"), [(3, 1000, 0.1), (5, 2000, 0.05)])
def test_the_difference_is_found_in_about_four_of_five_bake_offs(
    seeds: int, images: int, parting: float
) -> None:
    difference = smallest_difference(images, seeds, parting, 0.05)
    assert difference is not None
    draw = np.random.default_rng(7)
    for_a = (1 + difference / parting) / 2  # Of the images on which the two part.

    def bake_off() -> bool:
        whose = draw.random(images)  # Which parts of the parting an image may take part in.
        always = np.where(whose < parting / 2, np.where(draw.random(images) < for_a, 1, -1), 0)
        now = (draw.random((seeds, images)) < parting / 2) & (always == 0)
        sign = np.where(draw.random((seeds, images)) < for_a, 1, -1)
        better = np.where(now, sign, always)
        return paired_difference(better >= 0, better <= 0).p_value <= 0.05

    found = sum(bake_off() for _ in range(400))
    assert 0.74 < found / 400 < 0.86
