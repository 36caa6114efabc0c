from __future__ import annotations

import numpy as np
import pytest

from benchmarks.discrete_limit import LEVEL, Limit, chances, limit, outcomes, table


def test_chances_are_of_all_outcomes_together() -> None:
    assert len(outcomes()) == len(chances(1.0))
    assert chances(1.0).sum() == pytest.approx(1)
    # One image for either entrant alone: 2 * e^-1 * e^-1.
    (place,) = np.flatnonzero((outcomes() == (1, 0)).all(axis=1))
    assert chances(1.0)[place] == pytest.approx(2 * np.exp(-2))


def test_four_against_none_is_the_least_that_can_be_rejected() -> None:
    """With one image expected: 2 P(4, 0) is 2 (1/2)^4 / 4! / e, and five against none is rarer."""
    found = limit(1.0)
    least = 2 * 0.5**4 / 24 * np.exp(-1)
    assert least < found.best < 1.2 * least
    assert found.score <= 1.01 * found.best


def test_no_rate_reaches_three_per_cent_with_two_images_expected() -> None:
    rates = [limit(expected).best for expected in (0.5, 2.0, 4.0)]
    assert rates == sorted(rates)
    assert rates[1] < 0.03 < rates[2] <= LEVEL


def test_the_table() -> None:
    assert table([Limit(1.6, 0.0083, 0.0082)]).splitlines()[-1] == "| 1.6 | 0.83 | 0.82 |"
