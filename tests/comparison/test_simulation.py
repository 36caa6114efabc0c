"""The short version of benchmarks/simulate_verdicts.py, and that it measures the real thing."""

from __future__ import annotations

import numpy as np
import pytest

from bakeoff.comparison.statistics.crossed import paired_difference
from bakeoff.comparison.statistics.equivalence import equivalence_p
from benchmarks import simulate_verdicts as simulate


def test_it_measures_what_paired_difference_computes() -> None:
    cell = simulate.Cell(0.97, 4, 300, "equal")
    d, _ = next(
        simulate.bakeoffs(cell, simulate.world(cell), (0.03, 0.05), 20, np.random.default_rng(0))
    )
    measured = simulate.measure(d, 300)
    assert (d != 0).any(axis=(1, 2)).all()
    for repeat, answers in enumerate(d):
        # Any answers with this difference do; images that are not drawn are right for both.
        d_of_all = np.zeros((4, 300), dtype=np.int8)
        d_of_all[:, : answers.shape[1]] = answers
        result = paired_difference(d_of_all >= 0, d_of_all <= 0)
        for name in ("difference", "seed_part", "image_part", "image_step"):
            expected = getattr(result, name)
            assert getattr(measured, name)[repeat] == pytest.approx(expected, abs=1e-15), name


@pytest.mark.parametrize("accuracy", [0.9, 0.99])
def test_it_finds_the_intervals_that_paired_difference_gives(accuracy: float) -> None:
    cell = simulate.Cell(accuracy, 3, 400, "equal")
    truth, error = simulate.world(cell), 1 - accuracy
    true = 2.2 * truth.standard_error
    rng = np.random.default_rng(2)
    d, _ = next(simulate.bakeoffs(cell, truth, (error, error + true), 150, rng))
    held = simulate.held(simulate.measure(d, 400), true, 2)
    for repeat, answers in enumerate(d):
        d_of_all = np.zeros((3, 400), dtype=np.int8)
        d_of_all[:, : answers.shape[1]] = answers
        found = paired_difference(d_of_all >= 0, d_of_all <= 0)
        assert held[repeat] == (found.low <= true <= found.high), repeat
    assert 0 < held.sum() < len(held)


def test_worlds_have_the_accuracy_and_the_variances_they_say() -> None:
    cell = simulate.Cell(0.97, 5, 2000, "large")
    truth = simulate.world(cell)
    rng = np.random.default_rng(1)
    batches = [d for d, _ in simulate.bakeoffs(cell, truth, (0.03, 0.05), 600, rng)]
    differences = np.concatenate([d.sum(axis=(1, 2)) / (5 * 2000) for d in batches])
    null = [d for d, _ in simulate.bakeoffs(cell, truth, (0.03, 0.03), 600, rng)]
    spread = np.std(np.concatenate([d.sum(axis=(1, 2)) / (5 * 2000) for d in null]))
    assert differences.mean() == pytest.approx(0.02, abs=4 * differences.std() / np.sqrt(600))
    assert spread == pytest.approx(truth.standard_error, rel=0.1)


@pytest.mark.parametrize(
    ("seeds", "seed_variance", "rejected", "covered"),
    [
        (3, "equal", (0.005, 0.065), (0.92, 1.0)),
        (5, "large", (0.02, 0.065), (0.93, 0.985)),
        (10, "zero", (0.025, 0.065), (0.93, 0.985)),
    ],
)
def test_verdicts_err_as_rarely_as_they_say(
    seeds: int,
    seed_variance: str,
    rejected: tuple[float, float],
    covered: tuple[float, float],
) -> None:
    """The bars of docs/statistics.md, widened by two standard errors of 2,000 repeats."""
    cell = simulate.Cell(0.97, seeds, 1000, seed_variance)
    row = simulate.run(cell, 2000, np.random.default_rng(7))
    assert rejected[0] <= row.rejected <= rejected[1]
    assert covered[0] <= row.covered <= covered[1]
    assert row.falsely_equivalent <= 0.06
    assert row.rejected < row.rejected_hillis


def test_no_false_equivalence_through_the_public_functions() -> None:
    """True difference at the margin: "equivalent" in at most 5 % of bake-offs (one sided)."""
    rng = np.random.default_rng(3)
    false = 0
    for _ in range(250):
        hard = rng.random(1000) < 0.1
        a = ~(hard & (rng.random((3, 1000)) < 0.30 + 0.05 * rng.normal(size=(3, 1))))
        b = ~(hard & (rng.random((3, 1000)) < 0.50 + 0.05 * rng.normal(size=(3, 1))))
        false += equivalence_p(paired_difference(a, b), 0.02) < 0.05
    assert false / 250 <= 0.09
