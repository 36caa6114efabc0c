from __future__ import annotations

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from scipy import stats

from bakeoff.comparison.statistics.mcnemar import mcnemar
from bakeoff.errors import DataError


def pair(only_a: int, only_b: int, both: int) -> tuple[np.ndarray, np.ndarray]:
    a = np.repeat([True, False, True], [only_a, only_b, both])
    b = np.repeat([False, True, True], [only_a, only_b, both])
    return a, b


@given(st.integers(0, 40), st.integers(0, 40))
@settings(max_examples=40, deadline=None)
def test_p_value_is_the_binomial_test(only_a: int, only_b: int) -> None:
    result = mcnemar(*pair(only_a, only_b, 100))
    expected = stats.binomtest(only_a, only_a + only_b).pvalue if only_a + only_b else 1.0
    assert result.p_value == pytest.approx(expected)
    assert (result.only_a, result.only_b) == (only_a, only_b)
    assert result.low <= result.difference <= result.high


def test_interval_by_hand() -> None:
    # Bonett & Price with 9 + 1 and 2 + 1 among 98 + 2: 0.07 +- 1.96 sqrt((0.13 - 0.0049) / 100).
    result = mcnemar(*pair(9, 2, 87))
    reach = stats.norm.isf(0.025) * np.sqrt((0.13 - 0.07**2) / 100)
    assert (result.low, result.high) == pytest.approx((0.07 - reach, 0.07 + reach))
    assert result.difference == pytest.approx(7 / 98)


def test_no_disagreement() -> None:
    result = mcnemar(*pair(0, 0, 1000))
    assert (result.difference, result.p_value) == (0, 1)
    assert result.high == pytest.approx(0.00277, rel=0.01)


def test_wants_one_row_of_booleans() -> None:
    with pytest.raises(DataError, match=r"correct_a has shape \[2, 3\]: it must be \[images\]"):
        mcnemar(np.ones((2, 3), bool), np.ones((2, 3), bool))
