from __future__ import annotations

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from statsmodels.stats.multitest import multipletests

from bakeoff.comparison.statistics.holm import holm
from bakeoff.errors import DataError


@given(st.lists(st.floats(0, 1), min_size=1, max_size=30))
@settings(max_examples=30, deadline=None)
def test_agrees_with_statsmodels(p_values: list[float]) -> None:
    expected = multipletests(p_values, method="holm")[1]
    assert holm(p_values) == pytest.approx(list(expected))


def test_by_hand() -> None:
    assert holm([0.04, 0.01, 0.03]) == pytest.approx([0.06, 0.03, 0.06])


def test_no_test_at_all() -> None:
    assert holm([]) == []


def test_refuses_what_is_no_p_value() -> None:
    with pytest.raises(DataError, match=r"p-value 1 is 1\.5"):
        holm([0.5, 1.5])
