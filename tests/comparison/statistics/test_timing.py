from __future__ import annotations

import math

import numpy as np
import pytest
from scipy import stats

from bakeoff.comparison.statistics.timing import mean_seconds_interval, time_ratio
from bakeoff.errors import DataError


def test_a_constant_ratio_is_found_whatever_the_drift() -> None:
    b = np.linspace(1, 3, 12)
    result = time_ratio(2 * b, b)
    assert (result.ratio, result.low, result.high) == pytest.approx((2, 2, 2))


def test_swapping_inverts() -> None:
    rng = np.random.default_rng(0)
    a, b = np.exp(rng.normal(size=(2, 15)))
    one, other = time_ratio(a, b), time_ratio(b, a)
    assert one.low is not None
    assert one.high is not None
    assert (other.ratio, other.low, other.high) == pytest.approx(
        (1 / one.ratio, 1 / one.high, 1 / one.low)
    )


def test_one_disturbed_round_changes_little() -> None:
    rng = np.random.default_rng(1)
    b = np.exp(0.02 * rng.normal(size=20))
    a = 1.5 * np.exp(0.02 * rng.normal(size=20))
    calm = time_ratio(a, b)
    a[3] *= 50
    disturbed = time_ratio(a, b)
    assert disturbed.ratio == pytest.approx(calm.ratio, rel=0.02)
    assert disturbed.high is not None
    assert disturbed.high < 1.6


@pytest.mark.parametrize("rounds", [6, 10, 25])
def test_the_interval_is_the_one_of_the_signed_rank_test(rounds: int) -> None:
    rng = np.random.default_rng(rounds)
    logs = rng.normal(0.2, 1, rounds)
    result = time_ratio(np.exp(logs), np.ones(rounds))
    assert result.low is not None
    assert result.confidence is not None
    assert result.confidence >= 0.95

    def p_value(centre: float) -> float:
        return float(stats.wilcoxon(logs - centre, method="exact").pvalue)

    low = np.log(result.low)
    assert p_value(low - 1e-9) <= 0.05 < p_value(low + 1e-9)


def test_few_rounds_say_what_they_can() -> None:
    result = time_ratio([1.0, 1.1, 1.2], [1.0, 1.0, 1.0])
    assert (result.low, result.high) == pytest.approx((1.0, 1.2))
    assert result.confidence == pytest.approx(0.75)
    alone = time_ratio([2.0], [1.0])
    assert (alone.ratio, alone.low, alone.confidence) == (2.0, None, None)


def test_many_rounds_are_close_to_counted_ones() -> None:
    rng = np.random.default_rng(4)
    result = time_ratio(np.exp(rng.normal(0, 0.1, 200)), np.ones(200))
    assert result.confidence == pytest.approx(0.95, abs=0.002)
    assert result.low is not None
    assert result.high is not None
    assert result.low < 1 < result.high


def test_bad_seconds() -> None:
    with pytest.raises(DataError, match=r"shapes \[2\] and \[3\]"):
        time_ratio([1.0, 2.0], [1.0, 2.0, 3.0])
    with pytest.raises(DataError, match="not positive and finite"):
        time_ratio([1.0, 0.0], [1.0, 2.0])


def test_mean_seconds_err_by_the_seeds_epochs_and_by_the_rounds_they_were_measured_in() -> None:
    # Logs of the rounds are 0 and ln 2: variance ln(2)^2 / 2, a half of it of the mean of two.
    exact = mean_seconds_interval([60.0, 60.0, 60.0], [1.0, 2.0])
    assert exact is not None
    reach = math.exp(stats.t.ppf(0.975, 1) * math.log(2) / 2)
    assert tuple(exact) == pytest.approx((60 / reach, 60 * reach))
    both = mean_seconds_interval([50.0, 60.0, 70.0], [1.0, 1.1, 1.2], 0.9)
    assert both is not None
    spread = math.sqrt(
        np.log([50, 60, 70]).var(ddof=1) / 3 + np.log([1.0, 1.1, 1.2]).var(ddof=1) / 3
    )
    assert both.high == pytest.approx(60 * math.exp(stats.t.ppf(0.95, 2) * spread))
    assert both.confidence == 0.9


@pytest.mark.parametrize(
    ("seconds", "rounds"), [([60.0], [1.0, 2.0]), ([60.0, 61.0], [1.0]), ([60.0, math.nan], [1, 2])]
)
def test_unknown_or_single_seconds_have_no_interval(
    seconds: list[float], rounds: list[float]
) -> None:
    assert mean_seconds_interval(seconds, rounds) is None
