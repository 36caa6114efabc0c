from __future__ import annotations

import itertools
import math

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from scipy import stats

from bakeoff.comparison.statistics.spending import LATER_LOOKS, price, seeds_at_looks

LOOKS = st.lists(st.integers(2, 60), min_size=1, max_size=6, unique=True).map(sorted)


@pytest.mark.parametrize("seeds", [2, 3, 5, 1000])
def test_a_first_look_pays_nothing(seeds: int) -> None:
    assert price([seeds], 0.05) == 1.0


@pytest.mark.parametrize(("first", "second"), [(3, 5), (5, 10), (5, 100)])
@pytest.mark.parametrize("level", [0.05, 0.005])
def test_two_looks_against_the_normal_of_two_variables(
    first: int, second: int, level: float
) -> None:
    """Crossing at the second look, not before, has what that look may spend."""
    bound = stats.norm.isf(level / 2 / price([first, second], level))
    likeness = math.sqrt((first - 1) / (second - 1))
    both = stats.multivariate_normal([0, 0], [[1, -likeness], [-likeness, 1]])
    crossed = both.cdf([stats.norm.isf(level / 2), -bound])
    spent = LATER_LOOKS * level / 2 * (1 - (first - 1) / (second - 1))
    assert crossed == pytest.approx(spent, rel=1e-4)


def test_looks_that_have_nothing_in_common() -> None:
    """0.1 * 2.5 % of all, so 0.25 / 97.5 of those that the first look left: p times 9.75."""
    assert price([2, 10**9], 0.05) == pytest.approx(0.975 / 0.1, rel=1e-4)


@pytest.mark.parametrize(
    ("looks", "paid"), [([3, 4], 6.69), ([5, 10], 8.34), ([10, 11], 3.70), ([5, 10, 20], 24.19)]
)
def test_prices_of_the_documentation(looks: list[int], paid: float) -> None:
    assert price(looks, 0.05) == pytest.approx(paid, abs=0.006)


def test_many_looks_against_draws() -> None:
    looks = range(3, 13)
    rng = np.random.default_rng(0)
    steps = rng.standard_normal((400_000, looks[-1] - 1))
    sums = steps.cumsum(axis=1)
    crossed = np.zeros(len(sums), bool)
    for last in looks:
        paid = price(range(3, last + 1), 0.2)
        crossed |= sums[:, last - 2] / math.sqrt(last - 1) > stats.norm.isf(0.1 / paid)
    expected = 0.1 * (1 + LATER_LOOKS * (1 - 2 / 11))
    assert crossed.mean() == pytest.approx(expected, abs=4 * math.sqrt(0.1 / 400_000))


@given(LOOKS, st.sampled_from([0.2, 0.05, 0.01, 0.0005]))
@settings(max_examples=60, deadline=None)
def test_later_looks_pay_and_never_spend_more_than_their_share(
    looks: list[int], level: float
) -> None:
    prices = [price(looks[: last + 1], level) for last in range(len(looks))]
    assert prices[0] == 1
    assert all(each > 1 for each in prices[1:])
    # Whatever the looks have in common, each crosses at least as often as what it spends.
    spent = [
        LATER_LOOKS * (looks[0] - 1) * (1 / (a - 1) - 1 / (b - 1))
        for a, b in itertools.pairwise(looks)
    ]
    assert all(1 / paid >= share * 0.999 for paid, share in zip(prices[1:], spent, strict=True))
    assert price(looks, level / 10) >= price(looks, level) * 0.999


def sets(*numbers: int) -> list[frozenset[int]]:
    return [frozenset(range(number)) for number in numbers]


def test_which_looks_count() -> None:
    (five,) = sets(5)
    assert seeds_at_looks([], five) == (5,)
    assert seeds_at_looks(sets(3, 4), five) == (3, 4, 5)
    # Nothing can be claimed from one seed or none; the same seeds again are the same look.
    assert seeds_at_looks(sets(0, 1, 3, 3), five) == (3, 5)
    assert seeds_at_looks(sets(3, 5, 8), five) == (3, 5)
    # Fewer seeds than before, or others, are a further look.
    assert seeds_at_looks(sets(3, 8), five) == (3, 8, 9)
    assert seeds_at_looks([frozenset({0, 1, 2, 3, 9})], five) == (5, 6)
