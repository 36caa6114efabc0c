"""The short version of benchmarks/simulate_judged.py: few repeats, bars widened by three errors."""

from __future__ import annotations

import numpy as np
import pytest

from bakeoff.comparison.statistics.layout import layout_of
from benchmarks import simulate_judged as simulate

REPEATS = 300


@pytest.mark.parametrize(
    "kind",
    [
        simulate.Kind((1,) * 200, accuracy=0.97),
        simulate.Kind((1,) * 1000, accuracy=0.8),
        simulate.Kind((1,) * 200, score="skewed"),
        simulate.Kind((1,) * 200, score="bounded"),
        simulate.Kind(simulate.sizes_of(30, "unequal"), likeness=0.8),
        simulate.Kind((1,) * 25, classes=(2, 3) * 5, seeds=3, seed_spread=0.1),
        simulate.Kind((1,) * 200, score="normal", seeds=5, seed_spread=0.03),
    ],
    ids=repr,
)
def test_verdicts_err_as_rarely_as_they_say(kind: simulate.Kind) -> None:
    found = simulate.rates(kind, REPEATS)
    assert found.rejected <= 6.5 + 3 * 1.3
    assert found.covered >= 93.5 - 3 * 1.3
    assert found.equivalent <= 5 + 3 * 1.3
    assert found.gate <= 5 + 3 * 1.3


def test_items_in_groups_are_found_to_differ_too_often_without_them() -> None:
    kind = simulate.Kind((5,) * 60, likeness=0.8)
    rng, told, untold = np.random.default_rng(0), kind.layout(), layout_of(300, None, None)
    drawn = [simulate.draw(kind, 0.0, rng) for _ in range(REPEATS)]
    rejected = [
        np.mean([simulate.analysed(kind, layout, each).p_value < 0.05 for each in drawn])
        for layout in (told, untold)
    ]
    assert rejected[0] < 0.09 < rejected[1]


def test_the_true_difference_is_the_mean_of_many() -> None:
    kind = simulate.Kind((1,) * 200_000, score="bounded")
    found = simulate.draw(kind, 0.2, np.random.default_rng(1))
    true = simulate.expected(kind, 0.2) - simulate.expected(kind, 0.0)
    assert found.d.mean() == pytest.approx(true, abs=4 * found.d.std() / 200_000**0.5)


def test_gates_are_rarely_met_at_the_edge_of_what_they_ask() -> None:
    kind = simulate.Kind((1,) * 300)
    assert max(simulate.wrongly_met(kind, 100)) <= 0.05 + 3 * 0.022
