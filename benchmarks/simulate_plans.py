"""How often the range of a plan holds the number of seeds that truly decides.

    python -m benchmarks.simulate_plans [--repeats 60]

Differences and spreads between seeds are drawn about known true values; what the plan made of the
truth asks for is compared with the range that the plan made of each drawn estimate gives. Plans
that ask for other images are counted apart. docs/statistics.md has the figures.
"""

from __future__ import annotations

import argparse
import math
from dataclasses import replace

import numpy as np

from bakeoff.comparison.statistics.crossed import PairedDifference, paired_difference
from bakeoff.comparison.statistics.power import DecisionRule, what_would_decide

RULE = DecisionRule(level=0.05 / 3, margin=0.0025, equivalence_level=0.05 / 3)
TRUTHS = ((0.004, 4e-5, 4e-7), (0.002, 1e-5, 2e-7), (0.006, 2e-4, 4e-7), (0.0, 2e-5, 1e-7))
"""Difference, variance between seeds, and squared standard error from images."""


def estimate(
    seeds: int, difference: float, seed_part: float, image_part: float
) -> PairedDifference:
    """Return a paired difference with these numbers, on 10,000 images."""
    right = np.ones((seeds, 10_000), dtype=np.bool_)
    return replace(
        paired_difference(right, right),
        difference=difference,
        seed_part=seed_part,
        seed_variance=seeds * seed_part,
        image_part=image_part,
        image_step=0.0,
    )


def main() -> None:
    """Print a row for each number of seeds and each truth."""
    parser = argparse.ArgumentParser(description=(__doc__ or "").partition("\n")[0])
    parser.add_argument("--repeats", type=int, default=60)
    repeats = parser.parse_args().repeats
    rng = np.random.default_rng(1)
    print("| seeds | difference | truly decided by | range holds it | plans of seeds |")
    print("|---:|---:|---:|---:|---:|")
    for seeds in (3, 5, 10):
        rule = replace(RULE, looks=(seeds,))
        for difference, variance, image_part in TRUTHS:
            part = variance / seeds
            needed = what_would_decide(estimate(seeds, difference, part, image_part), rule).seeds
            assert needed is not None
            held = plans = 0
            for _ in range(repeats):
                found = difference + rng.normal() * math.sqrt(part + image_part)
                drawn = part * rng.chisquare(seeds - 1) / (seeds - 1)
                plan = what_would_decide(estimate(seeds, found, drawn, image_part), rule)
                if plan.fewest is None or plan.test_images:
                    continue
                plans += 1
                held += plan.fewest <= needed and (plan.most is None or needed <= plan.most)
            share = f"{100 * held / plans:.0f} %"
            print(
                f"| {seeds} | {difference} | {needed} | {share} | {plans} of {repeats} |",
                flush=True,
            )


if __name__ == "__main__":
    main()
