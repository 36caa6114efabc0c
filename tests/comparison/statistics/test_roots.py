"""Roots between two numbers, beside those of SciPy."""

from __future__ import annotations

import math
from collections.abc import Callable

import pytest
from hypothesis import given
from hypothesis import strategies as st
from scipy.optimize import brentq

from bakeoff.comparison.statistics.roots import bracketed_root


@pytest.mark.parametrize(
    ("function", "low", "high"),
    [
        (lambda x: x**3 - 2 * x - 5, 2.0, 3.0),
        (lambda x: math.exp(-x) - 1e-9, 0.0, 100.0),
        (lambda x: math.atan(1e6 * (x - 0.3)), -1.0, 1.0),
        (lambda x: (x - 1) ** 9, 0.0, 5.0),
        (lambda x: -1.0 if x < 0.7 else 1.0, 0.0, 1.0),
        (lambda x: 0.5 - x, 3.0, -3.0),
        (lambda x: x, 0.0, 1.0),
        (lambda x: x - 1, 0.0, 1.0),
    ],
)
def test_a_root_is_found(function: Callable[[float], float], low: float, high: float) -> None:
    found = bracketed_root(function, low, high, within=1e-13)
    assert function(found - 1e-12) * function(found + 1e-12) <= 0 or function(found) == 0


@given(st.floats(-50, 50), st.floats(0.01, 50), st.floats(0.01, 50), st.floats(0.1, 5))
def test_it_is_where_scipy_finds_it(root: float, below: float, above: float, steep: float) -> None:
    def function(x: float) -> float:
        return math.tanh(steep * (x - root)) + 0.1 * (x - root)

    found = bracketed_root(function, root - below, root + above, within=1e-12)
    assert found == pytest.approx(brentq(function, root - below, root + above), abs=1e-9)


def test_few_looks_are_enough() -> None:
    looked: list[float] = []

    def function(x: float) -> float:
        looked.append(x)
        return math.exp(x) - 3

    assert bracketed_root(function, 0, 10, within=1e-13) == pytest.approx(math.log(3), abs=1e-13)
    assert len(looked) < 20


def test_without_a_change_of_sign_there_is_none() -> None:
    with pytest.raises(ValueError, match=r"^no change of sign between 1 and 2$"):
        bracketed_root(lambda x: x, 1, 2, within=1e-9)
