from __future__ import annotations

import itertools
import math

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from scipy import stats

from bakeoff.comparison.statistics import survival
from bakeoff.comparison.statistics.survival import log_rank, time_to_target
from bakeoff.errors import DataError

# Freireich et al. (1963, Blood 21:699-716): weeks of remission of leukaemia; + is censored.
TREATED = [6, 6, 6, 6, 7, 9, 10, 10, 11, 13, 16, 17, 19, 20, 22, 23, 25, 32, 32, 34, 35]
TREATED_RELAPSED = [1, 1, 1, 0, 1, 0, 1, 0, 0, 1, 1, 0, 0, 0, 1, 1, 0, 0, 0, 0, 0]
PLACEBO = [1, 1, 2, 2, 3, 4, 4, 5, 5, 8, 8, 8, 8, 11, 11, 12, 12, 15, 17, 22, 23]
ALL = np.ones(21, dtype=bool)
RELAPSED = np.array(TREATED_RELAPSED, dtype=bool)


def test_published_medians() -> None:
    treated = time_to_target(TREATED, RELAPSED)
    placebo = time_to_target(PLACEBO, ALL)
    assert (treated.median, placebo.median) == (23, 8)
    assert (treated.trials, treated.reached) == (21, 9)


def test_the_interval_is_that_of_the_sign_test() -> None:
    # Of 21 coins at most five fall on one side in 1.33 %, at most six in 3.92 %.
    placebo = time_to_target(PLACEBO, ALL)
    assert (placebo.low, placebo.high) == (sorted(PLACEBO)[5], sorted(PLACEBO)[15]) == (4, 12)
    assert placebo.confidence == pytest.approx(1 - 2 * stats.binom.cdf(5, 21, 0.5))
    assert placebo.confidence == pytest.approx(0.9734, abs=1e-4)
    lower = time_to_target(PLACEBO, ALL, 0.92)
    assert (lower.low, lower.high) == (4, 11)
    assert lower.confidence == pytest.approx(0.9216, abs=1e-4)


def test_censored_trials_widen_the_interval_both_ways() -> None:
    # The sixth time of all is 9; only nine of 21 relapsed, so that the sixteenth is not known.
    treated = time_to_target(TREATED, RELAPSED)
    assert (treated.low, treated.high) == (9, None)


@pytest.mark.parametrize(
    ("trials", "attained"), [(2, 0.5), (3, 0.75), (5, 0.9375), (6, 0.96875), (8, 0.9921875)]
)
def test_few_trials_say_what_they_can(trials: int, attained: float) -> None:
    times = np.arange(1.0, trials + 1)
    found = time_to_target(times, np.ones(trials, bool))
    assert (found.low, found.high) == (1, trials)
    assert found.confidence == attained


@given(st.integers(0, 9999), st.integers(2, 12), st.sampled_from([0.5, 0.8, 0.95, 0.99]))
@settings(max_examples=40, deadline=None)
def test_the_attained_confidence_is_the_best_that_suffices(
    seed: int, trials: int, asked: float
) -> None:
    times = np.random.default_rng(seed).permutation(trials) + 1.0
    found = time_to_target(times, np.ones(trials, bool), asked)
    assert found.low is not None
    assert found.confidence is not None
    dropped = int(found.low) - 1
    tails = [2 * float(stats.binom.cdf(drop, trials, 0.5)) for drop in (dropped, dropped + 1)]
    assert found.confidence == pytest.approx(1 - tails[0])
    assert found.confidence >= asked or dropped == 0
    assert 1 - tails[1] < asked


def test_intervals_cover_as_often_as_they_say() -> None:
    """95 % intervals covered 50, 74 and 87 % with one, two and three trials."""
    rng = np.random.default_rng(0)
    for trials in (2, 3, 5):
        times = rng.weibull(2, (2000, trials))
        ends = rng.uniform(0.5, 2, (2000, trials))
        founds = [
            time_to_target(np.minimum(row, end), row <= end)
            for row, end in zip(times, ends, strict=True)
        ]
        truth = math.sqrt(math.log(2))
        covered = [
            each.low is not None and each.low <= truth <= (each.high or math.inf) for each in founds
        ]
        assert np.mean(covered) >= 1 - 2 * 0.5**trials - 0.03


def test_published_log_rank() -> None:
    result = log_rank(TREATED, RELAPSED, PLACEBO, ALL)
    assert result.chi_square == pytest.approx(16.79, abs=0.005)
    # The published p-value is 4.17e-5: one in 24,000; of 50,000 deals and this one, few are so far.
    assert 1 / 50_001 <= result.p_value < 3e-4
    assert result.least_p_value == pytest.approx(1 / 50_001)


@given(st.integers(0, 9999), st.integers(1, 12), st.integers(1, 12))
@settings(max_examples=40, deadline=None)
def test_chi_square_is_that_of_scipy(seed: int, of_a: int, of_b: int) -> None:
    rng = np.random.default_rng(seed)
    times = rng.integers(1, 9, of_a + of_b).astype(float)
    there = rng.random(of_a + of_b) < 0.7
    found = log_rank(times[:of_a], there[:of_a], times[of_a:], there[of_a:])
    a, b = (
        stats.CensoredData(uncensored=times[part][there[part]], right=times[part][~there[part]])
        for part in (slice(None, of_a), slice(of_a, None))
    )
    with np.errstate(all="ignore"):
        expected = float(stats.logrank(a, b).statistic) ** 2
    if math.isfinite(expected):
        assert found.chi_square == pytest.approx(expected, abs=1e-9)
    else:
        assert (found.chi_square, found.p_value) == (0, 1)


def test_three_against_three_cannot_tell() -> None:
    """All of a before all of b is one of 20 ways to deal, its mirror another; 0.025 stood here."""
    all_there = np.ones(3, bool)
    result = log_rank([1.0, 2.0, 3.0], all_there, [4.0, 5.0, 6.0], all_there)
    assert result.p_value == result.least_p_value == pytest.approx(2 / 20)
    assert result.chi_square == pytest.approx(5.05, abs=0.01)


def test_p_value_is_the_share_of_deals_as_far_off() -> None:
    times = np.array([3.0, 5.0, 5.0, 9.0, 2.0, 7.0, 9.0])
    there = np.array([1, 1, 1, 0, 1, 1, 1], bool)

    def excess(of_a: tuple[int, ...]) -> float:
        total = 0.0
        for moment in set(times[there]):
            under_way = [each for each in range(7) if times[each] >= moment]
            arrive = [each for each in under_way if there[each] and times[each] == moment]
            mine = sum(each in of_a for each in under_way)
            total += sum(each in of_a for each in arrive)
            total -= len(arrive) * mine / len(under_way)
        return abs(total)

    deals = [excess(deal) for deal in itertools.combinations(range(7), 3)]
    found = log_rank(times[:3], there[:3], times[3:], there[3:])
    assert found.p_value == pytest.approx(np.mean([d >= deals[0] - 1e-12 for d in deals]))
    assert found.least_p_value == pytest.approx(np.mean([d >= max(deals) - 1e-12 for d in deals]))


def test_the_test_rejects_no_more_often_than_it_says() -> None:
    """At 5 % it rejected 9.1 % with three against three and 7.4 % with five."""
    rng = np.random.default_rng(1)
    five = np.ones(5, bool)
    p_values = [log_rank(a, five, b, five).p_value for a, b in rng.weibull(2, (1000, 2, 5))]
    assert 0.02 < np.mean(np.array(p_values) <= 0.05) < 0.065


def test_drawn_deals_agree_with_counted_ones(monkeypatch: pytest.MonkeyPatch) -> None:
    rng = np.random.default_rng(2)
    a, b = rng.weibull(2, (2, 7)) * [[1.0], [1.4]]
    counted = log_rank(a, np.ones(7, bool), b, np.ones(7, bool))
    monkeypatch.setattr(survival, "MOST_DEALS", 0)
    drawn = log_rank(a, np.ones(7, bool), b, np.ones(7, bool))
    assert drawn.p_value == pytest.approx(counted.p_value, abs=0.01)


def test_log_rank_does_not_care_who_is_a() -> None:
    one = log_rank(TREATED, RELAPSED, PLACEBO, ALL)
    other = log_rank(PLACEBO, ALL, TREATED, RELAPSED)
    assert one.p_value == pytest.approx(other.p_value)


def test_nobody_reaches_the_target() -> None:
    never = np.zeros(5, dtype=bool)
    result = time_to_target([20.0] * 5, never)
    # None of five was there by 20, so that the median lies beyond it.
    assert (result.median, result.low, result.high, result.reached) == (None, 20, None, 0)
    assert result.confidence == 0.9375
    assert log_rank([20.0] * 5, never, [20.0] * 3, never[:3]).p_value == 1


def test_one_trial() -> None:
    result = time_to_target([3.0], np.array([True]))
    assert (result.median, result.low, result.high) == (3.0, None, None)
    assert result.confidence is None
    assert log_rank([3.0], np.array([True]), [3.0], np.array([True])).p_value == 1
    assert log_rank([3.0], np.array([True]), [5.0], np.array([True])).p_value == 1


def test_identical_times() -> None:
    times, reached = [3.0, 4.0, 4.0, 9.0], np.array([True, True, True, False])
    assert log_rank(times, reached, times, reached).p_value == pytest.approx(1)


def test_median_is_the_first_time_by_which_half_are_there() -> None:
    assert time_to_target([1.0, 2.0, 3.0, 4.0], np.ones(4, bool)).median == 2.0
    assert time_to_target([1.0, 2.0, 3.0, 4.0], np.array([1, 0, 0, 0], bool)).median is None


def test_bad_times() -> None:
    with pytest.raises(DataError, match="negative or not finite"):
        time_to_target([1.0, np.nan], np.ones(2, bool))
    with pytest.raises(DataError, match=r"shapes \[3\] and \[2\]"):
        time_to_target([1.0, 2.0, 3.0], np.ones(2, bool))
