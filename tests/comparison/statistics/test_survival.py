from __future__ import annotations

import numpy as np
import pytest

from bakeoff.comparison import log_rank, time_to_target
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
    # Log-log intervals as R's survfit gives them: 13 to NA, and 4 to 11.
    assert (treated.low, treated.high) == (13, None)
    assert (placebo.low, placebo.high) == (4, 11)
    assert (treated.trials, treated.reached) == (21, 9)


def test_the_interval_rests_on_the_published_standard_errors() -> None:
    # R's survfit: at 10 weeks 0.753 without relapse, standard error 0.0963. On the log-log scale
    # one half then lies 1.981 standard errors off, which is the end of a 95.24 % interval.
    assert time_to_target(TREATED, RELAPSED, 0.9515).low == 13
    assert time_to_target(TREATED, RELAPSED, 0.9535).low == 10


def test_published_log_rank() -> None:
    result = log_rank(TREATED, RELAPSED, PLACEBO, ALL)
    assert result.chi_square == pytest.approx(16.79, abs=0.005)
    assert result.p_value == pytest.approx(4.17e-5, rel=0.01)


def test_log_rank_does_not_care_who_is_a() -> None:
    one = log_rank(TREATED, RELAPSED, PLACEBO, ALL)
    other = log_rank(PLACEBO, ALL, TREATED, RELAPSED)
    assert one.p_value == pytest.approx(other.p_value)


def test_nobody_reaches_the_target() -> None:
    never = np.zeros(5, dtype=bool)
    result = time_to_target([20.0] * 5, never)
    assert (result.median, result.low, result.high, result.reached) == (None, None, None, 0)
    assert log_rank([20.0] * 5, never, [20.0] * 3, never[:3]).p_value == 1


def test_one_trial() -> None:
    result = time_to_target([3.0], np.array([True]))
    assert (result.median, result.low, result.high) == (3.0, 3.0, None)
    assert log_rank([3.0], np.array([True]), [3.0], np.array([True])).p_value == 1
    assert log_rank([3.0], np.array([True]), [5.0], np.array([True])).p_value > 0.1


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
