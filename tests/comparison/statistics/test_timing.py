from __future__ import annotations

import numpy as np
import pytest
from scipy import stats

from bakeoff.comparison.statistics.timing import time_ratio
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
