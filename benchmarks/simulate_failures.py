"""How often entrants are called equivalent though some trainings of one of them fail.

    python -m benchmarks.simulate_failures [--repeats 2000]

Two entrants that answer alike, as in simulate_verdicts: accuracy 0.99 on 10,000 images, with and
without a spread between seeds as large as that between images. But one training in twenty of the
second ends at chance, one answer in ten right, so that on average it is 4.5 points worse. What few
seeds cannot see is counted by the package's own verdicts: bake-offs in which the two are equivalent
within 0.25 points, in which one is better, in which neither is shown; and those in which no
training failed. results/simulate_failures.md has the figures.
"""

from __future__ import annotations

import argparse
import itertools
from collections import Counter

import numpy as np

from bakeoff.comparison.compare import compare
from bakeoff.comparison.outcome import EntrantOutcome
from benchmarks.simulate_verdicts import Cell, bakeoffs, world

FAILING = 1 / 20
CHANCE = 1 / 10
ACCURACY, IMAGES = 0.99, 10_000
COUNTED = ("equivalent", "better", "undecided", "none failed")


def verdicts(
    seeds: int, seed_variance: str, repeats: int, rng: np.random.Generator
) -> Counter[str]:
    """Return how many bake-offs had each kind of verdict, and in how many nothing failed."""
    cell = Cell(ACCURACY, seeds, IMAGES, seed_variance)
    found: Counter[str] = Counter()
    for answers, batch in bakeoffs(cell, world(cell), (1 - ACCURACY,) * 2, repeats, rng):
        failed = rng.random((batch, seeds)) < FAILING
        for d, failing in zip(answers, failed, strict=True):
            # Verdicts see differences alone: where there is none, both may as well be right.
            first, second = np.ones((2, seeds, IMAGES), np.bool_)
            first[:, : d.shape[1]], second[:, : d.shape[1]] = d >= 0, d <= 0
            second[failing] = rng.random((failing.sum(), IMAGES)) < CHANCE
            outcomes = [
                EntrantOutcome(name, None, tuple(range(seeds)), scores=right)
                for name, right in (("first", first), ("second", second))
            ]
            (pair,) = compare(outcomes, None, None, metric="accuracy").pairs
            found[pair.verdict.kind] += 1
            found["none failed"] += not failing.any()
    return found


def main() -> None:
    """Print the table of results/simulate_failures.md."""
    parser = argparse.ArgumentParser(description=(__doc__ or "").partition("\n")[0])
    parser.add_argument("--repeats", type=int, default=2000)
    repeats = parser.parse_args().repeats
    print(f"| seed variance | seeds | {' | '.join(COUNTED)} |")
    print("|---|---:|---:|---:|---:|---:|")
    for seed_variance, seeds in itertools.product(("zero", "equal"), (3, 5, 10, 20)):
        found = verdicts(seeds, seed_variance, repeats, np.random.default_rng(seeds))
        shares = " | ".join(f"{100 * found[each] / repeats:.1f}" for each in COUNTED)
        print(f"| {seed_variance} | {seeds} | {shares} |", flush=True)


if __name__ == "__main__":
    main()
