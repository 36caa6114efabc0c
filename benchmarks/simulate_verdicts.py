"""Measure how often verdicts err, over simulated bake-offs whose truth is known.

    python benchmarks/simulate_verdicts.py [--repeats 4000] [--markdown FILE] [--json FILE]

Every test image has a difficulty that all entrants share and a part of its own for each entrant;
every trial has a shift of its own, and every answer its own chance. An answer is wrong where the
sum passes the entrant's threshold, so correctness is correlated as in real bake-offs. All parts
are normal, so thresholds, true difference and variance components have closed forms.

For every cell two sets of bake-offs are drawn. With no true difference: how often is one claimed
(at 5 %)? With a true difference of three standard errors: how often does the 95 % interval hold it,
and how often are the entrants called equivalent within just that margin?
"""

from __future__ import annotations

import argparse
import itertools
import json
import math
import time
from collections.abc import Iterator
from dataclasses import asdict, dataclass
from pathlib import Path

import numpy as np
from numpy.typing import NDArray
from scipy import special, stats

from bakeoff.comparison.statistics.equivalence import CAUTION
from bakeoff.comparison.statistics.pivot import critical_distance, one_sided_p, two_sided_p
from benchmarks.verdict_tables import Row, gaussian_table, ranges_table, table

Floats = NDArray[np.float64]

ACCURACIES = (0.90, 0.97, 0.99, 0.999)
SEEDS = (3, 5, 10)
IMAGES = (1_000, 3_000, 10_000)
# Seed variance / seeds over image variance / images, both of the difference.
SEED_TO_IMAGE = {"zero": 0.0, "small": 0.25, "equal": 1.0, "large": 4.0}

LEVEL = 0.05
# Spreads on the latent scale, in units of the shared difficulty's.
OWN_DIFFICULTY = 0.4
CHANCE = 0.6
TRUE_DIFFERENCE_IN_STANDARD_ERRORS = 3.0
# Answers held in memory at a time.
BATCH = 1_500_000


@dataclass(frozen=True)
class Cell:
    """One kind of bake-off."""

    accuracy: float
    seeds: int
    images: int
    seed_variance: str


@dataclass(frozen=True)
class World:
    """The truth of a cell: thresholds and spreads on the latent scale."""

    hard_share: float
    seed_spread: float
    standard_error: float

    def threshold(self, error: float) -> float:
        """Return the shift at which an entrant errs on this share of all images."""
        return float(special.ndtri(error / self.hard_share)) * self.total_spread

    @property
    def total_spread(self) -> float:
        """The spread of all parts together."""
        return math.sqrt(1 + OWN_DIFFICULTY**2 + CHANCE**2 + self.seed_spread**2)


@dataclass(frozen=True)
class Measured:
    """Of each repeat: the difference, its parts of variance, and what they are made of."""

    difference: Floats
    seed_part: Floats
    image_part: Floats
    plain_seeds: Floats
    image_step: Floats
    extent: Floats


def world(cell: Cell) -> World:
    """Return the latent world in which seeds have their intended part, by bisection."""
    error = 1 - cell.accuracy
    # Most images are never wrong: errors happen on a part of them only.
    hard = min(0.5, 8 * error)
    low, high = 0.0, 3.0
    for _ in range(50):
        middle = (low + high) / 2
        seed, image, _ = variances(error, hard, middle)
        if seed / cell.seeds < SEED_TO_IMAGE[cell.seed_variance] * image / cell.images:
            low = middle
        else:
            high = middle
    spread = 0.0 if SEED_TO_IMAGE[cell.seed_variance] == 0 else (low + high) / 2
    seed, image, residual = variances(error, hard, spread)
    variance = seed / cell.seeds + image / cell.images + residual / (cell.seeds * cell.images)
    return World(hard, spread, math.sqrt(variance))


def variances(error: float, hard: float, seed_spread: float) -> tuple[float, float, float]:
    """Return the seed, image and residual variance of d[seed, image] without a true difference."""
    nodes, weights = np.polynomial.hermite_e.hermegauss(80)
    weights = weights / weights.sum()
    own = math.sqrt(1 + OWN_DIFFICULTY**2 + CHANCE**2)
    shift = float(special.ndtri(error / hard)) * math.hypot(own, seed_spread)
    by_seed = hard * special.ndtr((shift + seed_spread * nodes) / own)
    by_image = special.ndtr(
        (shift + math.hypot(1, OWN_DIFFICULTY) * nodes) / math.hypot(CHANCE, seed_spread)
    )
    by_difficulty = special.ndtr(
        (shift + nodes) / math.sqrt(OWN_DIFFICULTY**2 + CHANCE**2 + seed_spread**2)
    )
    both_wrong = float(weights @ by_difficulty**2)
    seed = 2 * float(weights @ by_seed**2 - (weights @ by_seed) ** 2)
    image = 2 * hard * (float(weights @ by_image**2) - both_wrong)
    return seed, image, 2 * (error - hard * both_wrong) - seed - image


def bakeoffs(
    cell: Cell, truth: World, errors: tuple[float, float], repeats: int, rng: np.random.Generator
) -> Iterator[tuple[NDArray[np.int8], int]]:
    """Yield batches of d[repeat, seed, hard image], a minus b, and their sizes."""
    left = repeats
    while left > 0:
        hard_images = max(1, round(cell.images * truth.hard_share))
        batch = min(left, max(1, BATCH // (cell.seeds * hard_images)))
        numbers = rng.binomial(cell.images, truth.hard_share, size=batch)
        width = max(int(numbers.max()), 1)
        exists = (np.arange(width) < numbers[:, None])[:, None, :]
        shared = rng.standard_normal((batch, 1, width), dtype=np.float32)
        wrong = []
        for error in errors:
            latent = rng.standard_normal((batch, cell.seeds, width), dtype=np.float32)
            latent *= np.float32(CHANCE)
            latent += shared
            latent += np.float32(OWN_DIFFICULTY) * rng.standard_normal(
                (batch, 1, width), dtype=np.float32
            )
            latent += np.float32(truth.seed_spread) * rng.standard_normal(
                (batch, cell.seeds, 1), dtype=np.float32
            )
            wrong.append((latent > -np.float32(truth.threshold(error))) & exists)
        yield wrong[1].astype(np.int8) - wrong[0].astype(np.int8), batch
        left -= batch


def measure(d: NDArray[np.int8], images: int) -> Measured:
    """Return what `paired_difference` computes, for all repeats at once.

    A test holds it to `paired_difference` itself. Images that are not in `d` have d = 0.
    """
    seeds = d.shape[1]
    by_seed = d.sum(axis=2) / images
    difference = by_seed.mean(axis=1)
    image_means = d.sum(axis=1, dtype=np.float64) / seeds
    image_squares = (image_means**2).sum(axis=1)
    disagreements = np.abs(d).sum(axis=(1, 2), dtype=np.float64)

    seed_part = by_seed.var(axis=1, ddof=1) / seeds
    raw_images = (image_squares - images * difference**2) / (images - 1) / images
    between_seeds = images * ((by_seed - difference[:, None]) ** 2).sum(axis=1)
    joint = np.maximum(disagreements - seeds * image_squares - between_seeds, 0)
    residual = joint / ((seeds - 1) * (images - 1)) / (seeds * images)
    image_part = np.maximum(raw_images - residual, 0)

    least = (seeds + 1) / (seeds + 2) ** 2 / seeds / images**2
    disagreeing = (d != 0).any(axis=1).sum(axis=1)
    step = np.sqrt((1 + image_squares) / (1 + disagreeing)) / images
    extent = np.maximum(image_squares / images**2 / step, np.abs(difference))
    return Measured(difference, np.maximum(seed_part, least), image_part, seed_part, step, extent)


def held(measured: Measured, true_difference: float, df: int) -> NDArray[np.bool_]:
    """Return whether the interval holds the true difference, for all repeats at once.

    A test holds it to the ends that `paired_difference` gives.
    """
    off = true_difference - measured.difference
    root = np.sqrt(np.maximum(measured.extent**2 + 4 * true_difference * off, 0))
    expected = (measured.extent + root) / 2
    more = measured.image_step * (expected - measured.extent)
    share = np.divide(expected, measured.extent, where=more < 0, out=np.ones_like(expected))
    image_part = np.where(more < 0, measured.image_part * share, measured.image_part + more)
    return np.asarray(two_sided_p(off, measured.seed_part, image_part, df) >= LEVEL)


def run(cell: Cell, repeats: int, rng: np.random.Generator) -> Row:
    """Return the measured rates of one cell."""
    truth = world(cell)
    error = 1 - cell.accuracy
    true_difference = min(
        TRUE_DIFFERENCE_IN_STANDARD_ERRORS * truth.standard_error,
        0.9 * truth.hard_share - error,
    )
    null = _all(cell, truth, (error, error), repeats, rng)
    shifted = _all(cell, truth, (error, error + true_difference), repeats, rng)
    df = cell.seeds - 1
    off = shifted.difference - true_difference
    further = np.maximum(true_difference - np.abs(shifted.difference), 0)
    cautious = shifted.image_part + CAUTION * shifted.image_step * further
    within = one_sided_p(
        true_difference - np.abs(shifted.difference), shifted.seed_part, cautious, df
    )
    return Row(
        **asdict(cell),
        rejected=_share(two_sided_p(null.difference, null.seed_part, null.image_part, df) < LEVEL),
        rejected_hillis=_share(_hillis_p(null.difference, null, df) < LEVEL),
        covered=_share(held(shifted, true_difference, df)),
        covered_hillis=_share(_hillis_p(off, shifted, df) >= LEVEL),
        falsely_equivalent=_share(within < LEVEL),
        width_to_hillis=float(_reach(null, df).mean() / _hillis_reach(null, df).mean()),
    )


def _all(
    cell: Cell, truth: World, errors: tuple[float, float], repeats: int, rng: np.random.Generator
) -> Measured:
    parts = [measure(d, cell.images) for d, _ in bakeoffs(cell, truth, errors, repeats, rng)]
    return Measured(
        *(np.concatenate([getattr(part, name) for part in parts]) for name in asdict(parts[0]))
    )


def _share(happened: NDArray[np.bool_]) -> float:
    return float(np.mean(happened))


def _hillis_df(measured: Measured, df: int) -> Floats:
    total = np.maximum(measured.plain_seeds + measured.image_part, 1e-300)
    # Beyond 1e6 degrees of freedom nothing changes.
    share = np.maximum(measured.plain_seeds / total, 1e-3)
    return np.asarray(df / share**2)


def _hillis_p(distance: Floats, measured: Measured, df: int) -> Floats:
    # Without any variance the plain analysis knows everything: p is 0, or 1 at no distance.
    spread = np.sqrt(np.maximum(measured.plain_seeds + measured.image_part, 1e-300))
    return np.asarray(2 * stats.t.sf(np.abs(distance) / spread, _hillis_df(measured, df)))


def _hillis_reach(measured: Measured, df: int) -> Floats:
    spread = np.sqrt(measured.plain_seeds + measured.image_part)
    return np.asarray(stats.t.isf(LEVEL / 2, _hillis_df(measured, df)) * spread)


def _reach(measured: Measured, df: int) -> Floats:
    # The critical distance in standard errors depends on the seeds' share alone: a table serves.
    shares = np.linspace(0, 1, 201)
    table = [_quantile(share, df) for share in shares]
    variance = measured.seed_part + measured.image_part
    return np.asarray(np.interp(measured.seed_part / variance, shares, table) * np.sqrt(variance))


def _quantile(seed_share: float, df: int) -> float:
    return critical_distance(LEVEL / 2, seed_share, lambda _: 1 - seed_share, df)


def gaussian(repeats: int, rng: np.random.Generator) -> list[dict[str, float]]:
    """Return rejection rates where seed, image and residual effects are exactly normal.

    `share` is the seeds' share of the variance of the mean. Mean squares are drawn from their
    chi-square distributions, for 10,000 images, with a residual as large as the image part.
    """
    rows = []
    for seeds, share in itertools.product(SEEDS, (0.0, 0.1, 0.3, 0.5, 0.7, 0.9, 1.0)):
        images, df = 10_000, seeds - 1
        joint = (1 - share) / 2
        expected_seeds = share + joint
        expected_images = (1 - share) / 2 + joint
        drawn_seeds = expected_seeds * rng.chisquare(df, repeats) / df
        drawn_images = expected_images * rng.chisquare(images - 1, repeats) / (images - 1)
        drawn_joint = joint * rng.chisquare(df * (images - 1), repeats) / (df * (images - 1))
        image_part = np.maximum(drawn_images - drawn_joint, 0)
        difference = rng.standard_normal(repeats) * math.sqrt(expected_seeds + (1 - share) / 2)
        nothing = np.zeros(repeats)
        drawn = Measured(difference, drawn_seeds, image_part, drawn_seeds, nothing, nothing)
        p_values = two_sided_p(difference, drawn_seeds, image_part, df)
        rows.append(
            {
                "seeds": seeds,
                "share": share,
                "rejected": _share(p_values < LEVEL),
                "rejected_hillis": _share(_hillis_p(difference, drawn, df) < LEVEL),
                "rejected_at_0.005": _share(p_values < LEVEL / 10),
                "rejected_hillis_at_0.005": _share(_hillis_p(difference, drawn, df) < LEVEL / 10),
                "width_to_hillis": float(
                    _reach(drawn, df).mean() / _hillis_reach(drawn, df).mean()
                ),
            }
        )
    return rows


def main() -> None:
    """Run the grid and print the tables."""
    parser = argparse.ArgumentParser(description="Measure how often verdicts err.")
    parser.add_argument("--repeats", type=int, default=4000, help="bake-offs per cell and truth")
    parser.add_argument("--seed", type=int, default=20240501, help="of the random numbers")
    parser.add_argument(
        "--only",
        nargs=4,
        action="append",
        metavar=("ACCURACY", "SEEDS", "IMAGES", "SEED_VARIANCE"),
        help="this cell alone; may be given several times",
    )
    parser.add_argument("--markdown", type=Path, help="write the tables here too")
    parser.add_argument("--json", type=Path, help="write all numbers here")
    given = parser.parse_args()

    started = time.monotonic()
    cells = [Cell(*each) for each in itertools.product(ACCURACIES, SEEDS, IMAGES, SEED_TO_IMAGE)]
    if given.only:
        cells = [Cell(float(a), int(s), int(i), variance) for a, s, i, variance in given.only]
    rows = [run(cell, given.repeats, generator(given.seed, cell)) for cell in cells]
    theory = gaussian(50 * given.repeats, np.random.default_rng(given.seed))
    text = f"{ranges_table(rows)}\n{table(rows)}\n{gaussian_table(theory)}"
    print(text)
    print(f"{len(rows)} cells of {given.repeats} repeats in {time.monotonic() - started:.0f} s")
    if given.markdown:
        given.markdown.write_text(text)
    if given.json:
        given.json.write_text(
            json.dumps({"cells": [asdict(row) for row in rows], "gaussian": theory}, indent=1)
        )


def generator(seed: int, cell: Cell) -> np.random.Generator:
    """Return the random numbers of a cell, which give it the same row alone and in the grid."""
    return np.random.default_rng([seed, *repr(cell).encode()])


if __name__ == "__main__":
    main()
