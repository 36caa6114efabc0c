"""Measure how often somebody who looks at a growing study is told what is not so.

    python -m benchmarks.simulate_looks [--repeats 20000] [--without-price]

Nobody stops before a false claim: it counts if any look makes it. Five ways to look, from 2, 3, 5
or 10 seeds on: once; after each further seed, up to 20; each time that the seeds have doubled; when
so many seeds are there as the last undecided verdict asked for, up to 80; and out for a claim: two
seeds later where p came near, and where it did not, once more at all 80. Two worlds: normal
effects, in which the seeds' share of the variance at the first look is what it says and nothing but
luck moves a verdict; and the right and wrong answers of simulate_verdicts on 3,000 images.
False differences are counted without a true one, false equivalences with a true difference at the
margin, three standard errors of the first look wide. Where all variance is the seeds' verdicts err
most and are found quickest, so ten times as many bake-offs are drawn.
"""

from __future__ import annotations

import argparse
import itertools
from collections.abc import Callable, Iterable
from dataclasses import dataclass, replace

import numpy as np
from numpy.typing import NDArray
from scipy import special

from bakeoff.comparison.statistics.equivalence import CAUTION
from bakeoff.comparison.statistics.pivot import one_sided_p
from bakeoff.comparison.statistics.power import ENOUGH
from bakeoff.comparison.statistics.spending import price
from benchmarks.simulate_verdicts import LEVEL, Cell, bakeoffs, measure, world

Floats = NDArray[np.float64]
Integers = NDArray[np.int64]

# Seeds at the first look; the seeds' share of the variance, per cent, or the answers' kind.
WORLDS: list[tuple[int, int | str]] = [
    *itertools.product((2, 3, 5, 10), (100, 60, 20)),
    *itertools.product((3, 5), ("zero", "equal", "large")),
]
MOST_SEEDS = 80
ONE_BY_ONE_UP_TO = 20
MOST_LOOKS = 4
# Who is out for a claim calls a p-value near that is below so many times the level.
NEAR = 5
# What advice chooses from: every number up to 20, then in steps of about 15 %. Whoever doubles
# looks at some of these too.
ASKED_FOR = np.array([*range(3, 21), 24, 28, 32, 36, 40, 48, 56, 64, 72, 80])


@dataclass(frozen=True)
class Growing:
    """Bake-offs with up to `most` seeds, a row each: float64 [repeats, most + 1], by seeds.

    `margin` is what counts as equivalent, and the true difference if `truth_at_margin`, else there
    is none. `step` is 0 where the image part does not grow with the difference.
    """

    difference: Floats
    seed_part: Floats
    image_part: Floats
    step: Floats
    margin: float
    truth_at_margin: bool

    @property
    def most(self) -> int:
        """The largest number of seeds."""
        return int(self.difference.shape[1]) - 1

    def p_difference(self, rows: Integers, seeds: int) -> Floats:
        """Return the p-values of the test for a difference, for some of the bake-offs."""
        d, seed_part, image_part, _ = self._at(rows, seeds)
        return 2 * _tail(np.abs(d), seed_part, image_part, seeds - 1)

    def p_within(self, rows: Integers, seeds: int) -> Floats:
        """Return the p-values of the test for equivalence, for some of the bake-offs."""
        d, seed_part, image_part, step = self._at(rows, seeds)
        inside = self.margin - np.abs(d)
        image_part = image_part + CAUTION * step * np.maximum(inside, 0)
        return _tail(inside, seed_part, image_part, seeds - 1)

    def p_false(self, rows: Integers, seeds: int) -> Floats:
        """Return the p-values of the test that should not reject."""
        return (self.p_within if self.truth_at_margin else self.p_difference)(rows, seeds)

    def _at(self, rows: Integers, seeds: int) -> list[Floats]:
        parts = (self.difference, self.seed_part, self.image_part, self.step)
        return [part[rows, seeds] for part in parts]


def _tail(distance: Floats, seed_part: Floats, image_part: Floats, df: int) -> Floats:
    """Return `one_sided_p`; where images have no part it is Student's t, which is quicker."""
    if image_part.any():
        return one_sided_p(distance, seed_part, image_part, df)
    return np.asarray(special.stdtr(df, -distance / np.sqrt(seed_part)))


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
        truth_at_margin,
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
        for seeds in (first, *ASKED_FOR[(first < ASKED_FOR) & (most >= ASKED_FOR)]):
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
    return Growing(difference, seed_part, image_part, step, margin, truth_at_margin)


Cost = Callable[[tuple[int, ...]], float]


def at_these(growing: Growing, seeds: Iterable[int], cost: Cost) -> float:
    """Return how often any look, at these numbers of seeds, claims what is not so."""
    rows = np.arange(len(growing.difference))
    looks: tuple[int, ...] = ()
    claimed = np.zeros(len(rows), bool)
    for number in seeds:
        looks = (*looks, number)
        claimed |= growing.p_false(rows, number) * cost(looks) < LEVEL
    return float(claimed.mean())


def by_advice(growing: Growing, first: int, cost: Cost) -> float:
    """Return the same where each look is at as many seeds as the one before asked for."""
    differs = np.zeros(len(growing.difference), bool)
    within = differs.copy()
    waiting: dict[tuple[int, ...], Integers] = {(first,): np.arange(len(differs))}
    while waiting:
        looks, rows = waiting.popitem()
        differs[rows] |= growing.p_difference(rows, looks[-1]) * cost(looks) < LEVEL
        within[rows] |= growing.p_within(rows, looks[-1]) * cost(looks) < LEVEL
        undecided = rows[~(differs[rows] | within[rows])]
        if len(looks) == MOST_LOOKS:
            continue
        asked = _asked_for(growing, undecided, looks, cost)
        for number in np.unique(asked[asked > 0]):
            waiting[(*looks, int(number))] = undecided[asked == number]
    return float((within if growing.truth_at_margin else differs).mean())


def out_for_a_claim(growing: Growing, first: int, cost: Cost) -> float:
    """Return the same where each look is at two seeds more if p came near, and else the last."""
    looks: tuple[int, ...] = (first,)
    claims, rows = 0, np.arange(len(growing.difference))
    while looks[-1] < min(ONE_BY_ONE_UP_TO + 1, growing.most):
        p_value = growing.p_false(rows, looks[-1]) * cost(looks)
        claims += int((p_value < LEVEL).sum())
        far = rows[p_value >= NEAR * LEVEL]
        rows = rows[(p_value >= LEVEL) & (p_value < NEAR * LEVEL)]
        at_last = (*looks, growing.most)
        claims += int((growing.p_false(far, growing.most) * cost(at_last) < LEVEL).sum())
        looks = (*looks, looks[-1] + 2)
    return claims / len(growing.difference)


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


def rates(growing: Growing, first: int, cost: Cost) -> list[float]:
    """Return how often each of the five ways claims what is not so."""
    doubling = [first * 2**each for each in range(6) if first * 2**each <= growing.most]
    one_by_one = range(first, ONE_BY_ONE_UP_TO + 1)
    return [
        *(at_these(growing, way, cost) for way in ([first], one_by_one, doubling)),
        by_advice(growing, first, cost),
        out_for_a_claim(growing, first, cost),
    ]


def row(first: int, variance: int | str, repeats: int, cost: Cost) -> str:
    """Return a row of the table: "5.0, 5.1" is how often difference and equivalence are false."""
    rng = np.random.default_rng([first, *str(variance).encode()])
    found = []
    for truth_at_margin in (False, True):
        if isinstance(variance, str):
            grown = answers(first, variance, truth_at_margin, 40, repeats, rng)
        else:
            many = 10 * repeats if variance == 100 else repeats
            grown = normal(first, variance / 100, truth_at_margin, MOST_SEEDS, many, rng)
        found.append(rates(grown, first, cost))
    cells = " | ".join(f"{100 * no:.1f}, {100 * at:.1f}" for no, at in zip(*found, strict=True))
    world = f"answers, {variance}" if isinstance(variance, str) else f"{variance} %"
    return f"| {first} | {world} | {cells} |"


def free(looks: tuple[int, ...]) -> float:
    """Return the price where looks are not counted."""
    return 1.0


def paid(looks: tuple[int, ...]) -> float:
    """Return the price of the last of these looks for a pair alone."""
    return price(looks, LEVEL)


def main() -> None:
    """Print the table of results/simulate_looks.md."""
    parser = argparse.ArgumentParser(description="Measure how often several looks err.")
    parser.add_argument("--repeats", type=int, default=20_000)
    parser.add_argument("--without-price", action="store_true", help="as if looks were not counted")
    given = parser.parse_args()
    ways = "once | one by one to 20 | doubling | by advice | out for a claim"
    print(f"| first look | seed variance | {ways} |")
    print("|---:|---|---|---|---|---|---|")
    for first, variance in WORLDS:
        print(
            row(first, variance, given.repeats, free if given.without_price else paid), flush=True
        )


if __name__ == "__main__":
    main()
