"""Measure what test images that come in groups do to verdicts that count them as independent.

    python -m benchmarks.simulate_groups [--repeats 4000]

Five pictures of one scene, five crops of one scan, or every image twice: entrants are right and
wrong on them together. The bake-offs are those of simulate_verdicts, without a true difference, at
an accuracy of 0.97, with 600 groups of images. `likeness` is the share of the variance of an
image's difficulty that its group has in common; 1 is a set of exact doubles, on which answers still
differ by chance where entrants are not sure.
"""

from __future__ import annotations

import argparse
import itertools
import math

import numpy as np
from numpy.typing import NDArray

from bakeoff.comparison.statistics.pivot import two_sided_p
from benchmarks.simulate_verdicts import (
    CHANCE,
    LEVEL,
    OWN_DIFFICULTY,
    SEED_TO_IMAGE,
    Cell,
    World,
    measure,
    world,
)

ACCURACY = 0.97
GROUPS = 600
SIZES = (1, 2, 5, 10)
LIKENESS = (0.0, 0.3, 0.7, 1.0)


def in_groups(
    cell: Cell, truth: World, size: int, likeness: float, rng: np.random.Generator
) -> NDArray[np.int8]:
    """Return d[1, seed, hard image] of one bake-off, whose hard images come in whole groups."""
    groups = rng.binomial(cell.images // size, truth.hard_share)
    shape = (max(groups, 1), size)

    def difficulty() -> NDArray[np.float64]:
        together, alone = rng.standard_normal((shape[0], 1)), rng.standard_normal(shape)
        return math.sqrt(likeness) * together + math.sqrt(1 - likeness) * alone

    shared = difficulty()
    wrong = []
    for _ in range(2):
        latent = shared + OWN_DIFFICULTY * difficulty()
        seeds = truth.seed_spread * rng.standard_normal((cell.seeds, 1, 1))
        chance = CHANCE * rng.standard_normal((cell.seeds, *shape))
        wrong.append(latent + seeds + chance > -truth.threshold(1 - cell.accuracy))
    d = wrong[1].astype(np.int8) - wrong[0].astype(np.int8)
    return d.reshape(1, cell.seeds, -1) if groups else np.zeros((1, cell.seeds, 1), np.int8)


def rejected(cell: Cell, size: int, likeness: float, repeats: int) -> float:
    """Return how often a 5 % test finds a difference that is not there."""
    truth, rng = world(cell), np.random.default_rng([size, round(10 * likeness), cell.seeds])
    count = 0
    for _ in range(repeats):
        found = measure(in_groups(cell, truth, size, likeness, rng), cell.images)
        p_value = two_sided_p(found.difference, found.seed_part, found.image_part, cell.seeds - 1)
        count += bool(p_value[0] < LEVEL)
    return count / repeats


def main() -> None:
    """Print the table of docs/statistics.md."""
    parser = argparse.ArgumentParser(description="Measure what grouped test images do.")
    parser.add_argument("--repeats", type=int, default=4000)
    repeats = parser.parse_args().repeats
    print("| images per group | likeness | " + " | ".join(f"{s}" for s in SEED_TO_IMAGE) + " |")
    print("|---:|---:|" + "---:|" * len(SEED_TO_IMAGE))
    for size, likeness in itertools.product(SIZES, LIKENESS):
        if size == 1 and likeness:
            continue
        cells = [Cell(ACCURACY, 5, GROUPS * size, each) for each in SEED_TO_IMAGE]
        rates = [f"{100 * rejected(cell, size, likeness, repeats):.1f}" for cell in cells]
        print(f"| {size} | {likeness} | {' | '.join(rates)} |", flush=True)


if __name__ == "__main__":
    main()
