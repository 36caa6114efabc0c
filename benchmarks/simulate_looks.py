"""Measure how often somebody who looks at a growing study is told what is not so.

    python -m benchmarks.simulate_looks [--repeats 4000] [--without-price]

Nobody stops before a false claim: it counts if any look makes it. Four ways to look, from 3 or 5
seeds on: once; after each further seed, up to 20; each time that the seeds have doubled; and when
so many seeds are there as the last undecided verdict asked for, up to 80. Two worlds: normal
effects, in which the seeds' share of the variance at the first look is what it says and nothing but
luck moves a verdict; and the right and wrong answers of simulate_verdicts on 3,000 images.
False differences are counted without a true one, false equivalences with a true difference at the
margin, three standard errors of the first look wide.
"""

from __future__ import annotations

import argparse
from collections.abc import Callable, Iterable
from dataclasses import dataclass, replace

import numpy as np
from numpy.typing import NDArray
from scipy import special

from bakeoff.comparison.statistics.equivalence import CAUTION
from bakeoff.comparison.statistics.pivot import one_sided_p, two_sided_p
from bakeoff.comparison.statistics.power import ENOUGH
from bakeoff.comparison.statistics.spending import price
from benchmarks.simulate_verdicts import LEVEL, Cell, bakeoffs, measure, world

Floats = NDArray[np.float64]
Integers = NDArray[np.int64]

MOST_SEEDS = 80
ONE_BY_ONE_UP_TO = 20
MOST_LOOKS = 4
# What advice chooses from: every number up to 20, then in steps of about 15 %.
ASKED_FOR = np.array([*range(3, 20), 20, 23, 27, 31, 36, 41, 47, 54, 62, 71, 80])


@dataclass(frozen=True)
class Growing:
    """Bake-offs with 2 .. `most` seeds, a row each: float64 [repeats, most + 1], by seeds.

    `margin` is what counts as equivalent. `step` is 0 where the image part does not grow with it.
    """

    difference: Floats
    seed_part: Floats
    image_part: Floats
    step: Floats
    margin: float

    @property
    def most(self) -> int:
        """The largest number of seeds."""
        return int(self.difference.shape[1]) - 1

    def p_values(self, rows: Integers, seeds: int) -> tuple[Floats, Floats]:
        """Return the p-values of both tests, for some of the bake-offs, at a number of seeds."""
        d, s, i, step = (
            part[rows, seeds]
            for part in (self.difference, self.seed_part, self.image_part, self.step)
        )
        further = np.maximum(self.margin - np.abs(d), 0)
        within = one_sided_p(self.margin - np.abs(d), s, i + CAUTION * step * further, seeds - 1)
        return two_sided_p(d, s, i, seeds - 1), within


def normal(
    first: int,
    share: float,
    truth_at_margin: bool,
    most: int,
    repeats: int,
    rng: np.random.Generator,
) -> Growing:
    """Return bake-offs whose variance at `first` seeds is 1, `share` of it from the seeds."""
    effects = np.sqrt(share * first) * rng.standard_normal((repeats, most))
    images = np.sqrt(1 - share) * rng.standard_normal((repeats, 1))
    number = np.arange(1, most + 1)
    means = effects.cumsum(axis=1) / number
    squares = (effects**2).cumsum(axis=1) - number * means**2
    part = np.maximum(squares, 0) / np.maximum(number - 1, 1) / number

    def by_seeds(values: Floats) -> Floats:
        return np.pad(values, ((0, 0), (1, 0)))

    margin = 3.0
    return Growing(
        by_seeds(means + images + margin * truth_at_margin),
        by_seeds(np.maximum(part, 1e-12)),
        np.full((repeats, most + 1), 1 - share),
        np.zeros((repeats, most + 1)),
        margin,
    )


def answers(
    first: int,
    seed_variance: str,
    truth_at_margin: bool,
    most: int,
    repeats: int,
    rng: np.random.Generator,
) -> Growing:
    """Return bake-offs of right and wrong answers on 3,000 images, at an accuracy of 0.97."""
    cell = Cell(0.97, first, 3000, seed_variance)
    truth = world(cell)
    margin = 3 * truth.standard_error
    errors = (0.03, 0.03 + margin * truth_at_margin)
    grown: list[list[Floats]] = [[] for _ in range(4)]
    for d, batch in bakeoffs(replace(cell, seeds=most), truth, errors, repeats, rng):
        parts = np.zeros((4, batch, most + 1))
        for seeds in range(2, most + 1):
            found = measure(d[:, :seeds], cell.images)
            parts[:, :, seeds] = (
                found.difference,
                found.seed_part,
                found.image_part,
                found.image_step,
            )
        for into, part in zip(grown, parts, strict=True):
            into.append(part)
    difference, seed_part, image_part, step = (np.concatenate(each) for each in grown)
    return Growing(difference, seed_part, image_part, step, margin)


Cost = Callable[[tuple[int, ...]], float]


def at_these(growing: Growing, seeds: Iterable[int], cost: Cost) -> tuple[float, float]:
    """Return how often any look, at these numbers of seeds, claims a difference or equivalence."""
    rows = np.arange(len(growing.difference))
    looks: tuple[int, ...] = ()
    differs, within = np.zeros(len(rows), bool), np.zeros(len(rows), bool)
    for number in seeds:
        looks = (*looks, number)
        p_difference, p_within = growing.p_values(rows, number)
        differs |= p_difference * cost(looks) < LEVEL
        within |= p_within * cost(looks) < LEVEL
    return float(differs.mean()), float(within.mean())


def by_advice(growing: Growing, first: int, cost: Cost) -> tuple[float, float]:
    """Return the same where each look is at as many seeds as the one before asked for."""
    differs = np.zeros(len(growing.difference), bool)
    within = differs.copy()
    waiting: dict[tuple[int, ...], Integers] = {(first,): np.arange(len(differs))}
    while waiting:
        looks, rows = waiting.popitem()
        p_difference, p_within = growing.p_values(rows, looks[-1])
        differs[rows] |= p_difference * cost(looks) < LEVEL
        within[rows] |= p_within * cost(looks) < LEVEL
        undecided = rows[~(differs[rows] | within[rows])]
        if len(looks) == MOST_LOOKS:
            continue
        asked = _asked_for(growing, undecided, looks, cost)
        for number in np.unique(asked[asked > 0]):
            waiting[(*looks, int(number))] = undecided[asked == number]
    return float(differs.mean()), float(within.mean())


def _asked_for(growing: Growing, rows: Integers, looks: tuple[int, ...], cost: Cost) -> Integers:
    """Return how many seeds would decide with chance 80 %, as `power` has it; 0 for none.

    Critical distances are the normal ones, which are quick; they ask for a few seeds less.
    """
    now = looks[-1]
    d, seed_part, image_part = (
        part[rows, now] for part in (growing.difference, growing.seed_part, growing.image_part)
    )
    asked = np.zeros(len(rows), np.int64)
    for number in ASKED_FOR[(now < ASKED_FOR) & (growing.most >= ASKED_FOR)][::-1]:
        spread = np.sqrt(seed_part * now / number + image_part)
        level = LEVEL / cost((*looks, int(number)))
        beyond = -special.ndtri(level / 2) * spread
        inside = np.minimum(np.maximum(growing.margin + special.ndtri(level) * spread, 0), beyond)
        ends = ((beyond, inside), (-inside, -beyond))
        missed = sum(
            special.ndtr((high - np.abs(d)) / spread) - special.ndtr((low - np.abs(d)) / spread)
            for high, low in ends
        )
        asked[1 - missed >= ENOUGH] = number
    return asked


def row(first: int, growing: tuple[Growing, Growing], cost: Cost) -> str:
    """Return the rates of the four ways: "5.0, 5.1" is a false difference, a false equivalence."""
    doubling = [first * 2**each for each in range(5) if first * 2**each <= growing[0].most]
    one_by_one = range(first, ONE_BY_ONE_UP_TO + 1)
    null, at_margin = growing
    ways: list[Callable[[Growing], tuple[float, float]]] = [
        lambda each: at_these(each, [first], cost),
        lambda each: at_these(each, one_by_one, cost),
        lambda each: at_these(each, doubling, cost),
        lambda each: by_advice(each, first, cost),
    ]
    return " | ".join(f"{100 * way(null)[0]:.1f}, {100 * way(at_margin)[1]:.1f}" for way in ways)


def free(looks: tuple[int, ...]) -> float:
    """Return the price where looks are not counted."""
    return 1.0


def paid(looks: tuple[int, ...]) -> float:
    """Return the price of the last of these looks for a pair alone."""
    return price(looks, LEVEL)


def main() -> None:
    """Print the table of docs/statistics.md."""
    parser = argparse.ArgumentParser(description="Measure how often several looks err.")
    parser.add_argument("--repeats", type=int, default=4000)
    parser.add_argument("--without-price", action="store_true", help="as if looks were not counted")
    given = parser.parse_args()
    cost = free if given.without_price else paid
    print("| first look | seed variance | once | one by one to 20 | doubling | by advice |")
    print("|---:|---|---|---|---|---|")
    for first in (2, 3, 5, 10):
        for share in (1.0, 0.6, 0.2):
            rng = np.random.default_rng([first, round(10 * share)])
            drawn = [normal(first, share, m, MOST_SEEDS, given.repeats, rng) for m in (False, True)]
            cells = row(first, (drawn[0], drawn[1]), cost)
            print(f"| {first} | {round(100 * share)} % | {cells} |", flush=True)
    for first in (3, 5):
        for variance in ("zero", "equal", "large"):
            rng = np.random.default_rng([first, *variance.encode()])
            fewer = max(given.repeats // 4, 1)
            grown = [answers(first, variance, m, 40, fewer, rng) for m in (False, True)]
            cells = row(first, (grown[0], grown[1]), cost)
            print(f"| {first} | answers, {variance} | {cells} |", flush=True)


if __name__ == "__main__":
    main()
