"""The short version of benchmarks/simulate_looks.py."""

from __future__ import annotations

from dataclasses import replace

import numpy as np
import pytest

from bakeoff.comparison.statistics.crossed import paired_difference
from bakeoff.comparison.statistics.equivalence import equivalence_p
from benchmarks import simulate_looks as simulate
from benchmarks import simulate_verdicts


@pytest.mark.parametrize("first", [2, 3, 5])
def test_looks_that_are_counted_err_as_rarely_as_they_say(first: int) -> None:
    """Seeds alone, the worst case: 20 to 25 % without counting; the standard error is 0.16 %."""
    rng = np.random.default_rng(first)
    null = simulate.normal(first, 1.0, False, 20, 20_000, rng)
    looks = range(first, 21)
    assert simulate.at_these(null, looks, simulate.free) > 0.15
    assert simulate.at_these(null, looks, simulate.paid) < 0.06
    assert simulate.by_advice(null, first, simulate.paid) < 0.06
    assert simulate.out_for_a_claim(null, first, simulate.paid) < 0.06
    at_margin = simulate.normal(first, 1.0, True, 20, 20_000, rng)
    assert simulate.at_these(at_margin, looks, simulate.paid) < 0.06
    assert simulate.out_for_a_claim(at_margin, first, simulate.paid) < 0.06


def test_seeds_alone_are_judged_as_with_the_tiniest_image_part() -> None:
    seeds_alone = simulate.normal(3, 1.0, False, 8, 50, np.random.default_rng(0))
    with_images = replace(seeds_alone, image_part=np.full((50, 9), 1e-12))
    rows = np.arange(50)
    for seeds in (3, 8):
        assert with_images.p_difference(rows, seeds) == pytest.approx(
            seeds_alone.p_difference(rows, seeds), abs=1e-6
        )
        assert with_images.p_within(rows, seeds) == pytest.approx(
            seeds_alone.p_within(rows, seeds), abs=1e-6
        )


def test_answers_grow_as_paired_difference_sees_them() -> None:
    rng = np.random.default_rng(0)
    grown = simulate.answers(3, "equal", True, 5, 6, rng)
    cell = simulate_verdicts.Cell(0.97, 3, 3000, "equal")
    truth = simulate_verdicts.world(cell)
    again = np.random.default_rng(0)
    errors = (0.03, 0.03 + 3 * truth.standard_error)
    wide = simulate_verdicts.Cell(0.97, 5, 3000, "equal")
    d, _ = next(simulate_verdicts.bakeoffs(wide, truth, errors, 6, again))
    for repeat in range(6):
        for seeds in (3, 5):
            answered = np.zeros((seeds, 3000), np.int8)
            answered[:, : d.shape[2]] = d[repeat, :seeds]
            found = paired_difference(answered >= 0, answered <= 0)
            p_value = grown.p_difference(np.array([repeat]), seeds)
            assert p_value == pytest.approx(found.p_value, abs=1e-9)
            within = grown.p_within(np.array([repeat]), seeds)
            assert within == pytest.approx(equivalence_p(found, grown.margin), abs=1e-9)
