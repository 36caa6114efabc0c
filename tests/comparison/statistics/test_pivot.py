from __future__ import annotations

import numpy as np
import pytest
from scipy import stats

from bakeoff.comparison.statistics.pivot import (
    critical_distance,
    degrees_of_freedom_of,
    one_sided_p,
    two_sided_p,
)


@pytest.mark.parametrize("seed_df", [1, 2, 4, 9, 99])
@pytest.mark.parametrize("distance", [0.1, 1.0, 3.0, 8.0])
def test_seeds_alone_are_a_t(seed_df: int, distance: float) -> None:
    found = float(one_sided_p(distance, 1.0, 0.0, seed_df))
    assert found == pytest.approx(stats.t.sf(distance, seed_df), rel=1e-8)


def test_images_alone_are_normal() -> None:
    assert float(two_sided_p(1.96, 0.0, 1.0, 2)) == pytest.approx(2 * stats.norm.sf(1.96))


def test_the_mixture_against_draws() -> None:
    rng = np.random.default_rng(1)
    draws = 0.8 * rng.standard_t(2, 400_000) + 0.6 * rng.standard_normal(400_000)
    for distance in (0.5, 2.0, 4.0):
        found = float(one_sided_p(distance, 0.64, 0.36, 2))
        assert found == pytest.approx(np.mean(draws > distance), rel=0.02)


def test_no_distance_is_no_evidence() -> None:
    assert float(two_sided_p(0.0, 0.3, 0.7, 2)) == 1.0


@pytest.mark.parametrize("share", [0.0, 0.2, 0.5, 0.9, 1.0])
def test_critical_distance_is_where_the_tail_is(share: float) -> None:
    distance = critical_distance(0.025, share, lambda _: 1 - share, 2)
    assert float(one_sided_p(distance, share, 1 - share, 2)) == pytest.approx(0.025)
    assert stats.norm.isf(0.025) - 1e-6 <= distance <= stats.t.isf(0.025, 2) + 1e-6


def test_degrees_of_freedom_of_a_t_quantile() -> None:
    quantile = float(stats.t.isf(0.025, 7.5))
    assert degrees_of_freedom_of(quantile, 0.025, 2) == pytest.approx(7.5)
    assert degrees_of_freedom_of(1.0, 0.025, 2) > 1e6


@pytest.mark.parametrize("level", [0.05, 0.005])
@pytest.mark.parametrize("share", [0.1, 0.3, 0.5, 0.7, 0.9])
def test_never_rejects_more_than_it_says_with_three_seeds(share: float, level: float) -> None:
    """The exact rejection rate, where the plain analysis reaches 7.8 % at 5 % (4.3 times 0.5 %)."""
    quantiles = (np.arange(150) + 0.5) / 150
    seed_parts = share * stats.chi2.ppf(quantiles, 2) / 2
    critical = [
        critical_distance(level / 2, float(part), lambda _: 1 - share, 2) for part in seed_parts
    ]
    rejected = float(np.mean(2 * stats.norm.sf(critical)))
    assert level / 8 < rejected <= level
