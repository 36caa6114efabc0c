"""Measure how often verdicts on predictions made elsewhere err, over simulated ones of known truth.

    python -m benchmarks.simulate_judged [--repeats 2000] [--only TABLE]

An answer is worth what its latent number says: a difficulty that its group has in common
(`likeness` is that share of its variance), one of its own, either in part shared by the two
entrants, a shift of the training's seed, and chance. Right and wrong answers cut it at a threshold;
scores are the number itself ("normal"), its exponential ("skewed"), or its rounding to five steps
from 0 to 1, of which both ends are frequent ("bounded"). All parts are normal, so that the true
difference is an integral over one dimension.

Of every kind of comparison two sets are drawn. Without a true difference: how often is one claimed
at 5 %? With a true difference of three standard errors: how often does the 95 % interval hold it,
how often are the two called equivalent within just that margin, and how often is a gate met that
asks for just that much ("new >= old - margin", where new is worse by the whole margin)?
"""

from __future__ import annotations

import argparse
import itertools
import math
import time
from collections.abc import Callable, Iterator, Mapping
from dataclasses import dataclass, replace
from typing import Any

import numpy as np
from numpy.typing import NDArray
from scipy import special

from bakeoff.comparison.requirement import Asked, Requirement, Rule, required
from bakeoff.comparison.scale import POINTS
from bakeoff.comparison.statistics.crossed import PairedDifference, crossed_difference
from bakeoff.comparison.statistics.difference import Difference, of_answers, of_scores
from bakeoff.comparison.statistics.equivalence import equivalence_p
from bakeoff.comparison.statistics.holm import holm
from bakeoff.comparison.statistics.layout import Layout, layout_of
from bakeoff.comparison.statistics.over_items import OverItems, over_items

Floats = NDArray[np.float64]
Found = PairedDifference | OverItems

LEVEL = 0.05
# Of the latent variance: the difficulty that entrants share, that of each, and chance.
SHARED, OWN, CHANCE = 0.6, 0.15, 0.25
AWAY = 3.0


@dataclass(frozen=True)
class Kind:
    """A kind of comparison; `sizes` are those of groups, `seeds` 0 for one run of each model."""

    sizes: tuple[int, ...]
    score: str = "answers"
    accuracy: float = 0.8
    likeness: float = 0.0
    seeds: int = 0
    seed_spread: float = 0.0
    classes: tuple[int, ...] = ()

    @property
    def items(self) -> int:
        """How many."""
        return sum(self.sizes)

    def layout(self) -> Layout:
        """Return groups where there are larger ones than single items, classes if there are any."""
        groups = np.repeat(np.arange(len(self.sizes)), self.sizes)
        labels = np.repeat(np.arange(len(self.classes)), self.classes) if self.classes else None
        return layout_of(self.items, labels, groups if max(self.sizes) > 1 else None)


def latent(kind: Kind, rng: np.random.Generator) -> Iterator[Floats]:
    """Yield the numbers of two entrants, [seeds, items], each of variance 1 + seed_spread^2."""
    groups = np.repeat(np.arange(len(kind.sizes)), kind.sizes)

    def difficulty(share: float) -> Floats:
        found = math.sqrt(1 - kind.likeness) * rng.standard_normal(kind.items)
        if kind.likeness:
            of_group = rng.standard_normal(len(kind.sizes))
            found += math.sqrt(kind.likeness) * of_group[groups]
        return math.sqrt(share) * found

    shared, seeds = difficulty(SHARED), max(kind.seeds, 1)
    for _ in range(2):
        own = shared + difficulty(OWN)
        chance = math.sqrt(CHANCE) * rng.standard_normal((seeds, kind.items))
        yield own + chance + kind.seed_spread * rng.standard_normal((seeds, 1))


def worth(kind: Kind, shift: float, number: Floats) -> Floats:
    """Return what answers are worth."""
    if kind.score == "answers":
        spread = math.hypot(1, kind.seed_spread)
        return np.asarray(number < special.ndtri(kind.accuracy) * spread + shift, np.float64)
    if kind.score == "skewed":
        return np.asarray(np.exp(number + shift))
    if kind.score == "bounded":
        return np.asarray(np.clip(np.round(2 + 2.5 * (number + shift)), 0, 4) / 4)
    return number + shift


def expected(kind: Kind, shift: float) -> float:
    """Return the mean worth, by an integral over the latent number."""
    spread = math.hypot(1, kind.seed_spread)
    at = np.linspace(-9, 9, 40_001)
    weights = np.exp(-(at**2) / 2)
    return float(worth(kind, shift, spread * at) @ weights / weights.sum())


def draw(kind: Kind, shift: float, rng: np.random.Generator) -> Difference:
    """Return one comparison, of an entrant that is shifted with one that is not."""
    one, other = latent(kind, rng)
    a, b = worth(kind, shift, one), worth(kind, 0.0, other)
    return of_answers(a > 0, b > 0) if kind.score == "answers" else of_scores(a, b)


def analysed(kind: Kind, layout: Layout, found: Difference) -> Found:
    """Return what the package makes of it."""
    if kind.seeds:
        return crossed_difference(found, layout, 1 - LEVEL)
    return over_items(found, layout, (1, 1), 1 - LEVEL)


@dataclass(frozen=True)
class Rates:
    """Shares of the comparisons, per cent."""

    rejected: float
    covered: float
    equivalent: float
    gate: float

    def __str__(self) -> str:
        return (
            f"{self.rejected:.1f} | {self.covered:.1f} | {self.equivalent:.1f} | {self.gate:.1f} |"
        )


COLUMNS = ("rejected", "covered", "falsely equivalent", "gate falsely met")


def rates(kind: Kind, repeats: int) -> Rates:
    """Return how often verdicts of this kind err."""
    rng, layout = np.random.default_rng([7, *repr(kind).encode()]), kind.layout()
    null = [analysed(kind, layout, draw(kind, 0.0, rng)) for _ in range(repeats)]
    spread = float(np.std([found.difference for found in null]))
    shift = _shift_of(kind, AWAY * spread)
    true = expected(kind, shift) - expected(kind, 0.0)
    away = [analysed(kind, layout, draw(kind, shift, rng)) for _ in range(repeats)]

    def share(happened: Callable[[Found], bool], among: list[Found]) -> float:
        return 100 * float(np.mean([happened(found) for found in among]))

    return Rates(
        rejected=share(lambda found: found.p_value < LEVEL, null),
        covered=share(lambda found: found.low <= true <= found.high, away),
        equivalent=share(lambda found: equivalence_p(found, abs(true)) < LEVEL, away),
        gate=max(
            share(lambda found: 2 * found.beyond(true, +1) < LEVEL, away),
            share(lambda found: 2 * found.beyond(true, -1) < LEVEL, away),
        ),
    )


def _shift_of(kind: Kind, difference: float) -> float:
    """Return the shift with this true difference, or half of what there is room for."""
    base = expected(kind, 0.0)
    room = expected(kind, 6.0) - base
    low, high, sought = 0.0, 6.0, min(difference, 0.5 * room)
    for _ in range(50):
        middle = (low + high) / 2
        low, high = (middle, high) if expected(kind, middle) - base < sought else (low, middle)
    return (low + high) / 2


def sizes_of(groups: int, how: str, each: int = 10) -> tuple[int, ...]:
    """Return sizes of groups: all equal, or log-normal with a spread of 1 (one to hundreds)."""
    if how == "equal":
        return (each,) * groups
    sizes = np.exp(special.ndtri((np.arange(groups) + 0.5) / groups))
    return tuple(int(size) for size in np.maximum(np.round(sizes / sizes.mean() * each), 1))


def table(head: tuple[str, ...], kinds: Mapping[Any, Kind], repeats: int) -> None:
    """Print one line for each kind."""
    print("| " + " | ".join((*head, *COLUMNS)) + " |")
    print("|" + "---:|" * (len(head) + len(COLUMNS)))
    for named, kind in kinds.items():
        print(
            "| " + " | ".join(str(each) for each in named) + f" | {rates(kind, repeats)}",
            flush=True,
        )


def models(repeats: int) -> None:
    """Tabulate these very models, right and wrong answers, over new items."""
    cells = itertools.product((200, 1000, 5000, 20_000), (0.5, 0.8, 0.9, 0.97, 0.99))
    kinds = {(f"{n:,}", p): Kind((1,) * n, accuracy=p) for n, p in cells}
    table(("items", "accuracy"), kinds, repeats)


def scores(repeats: int) -> None:
    """Tabulate scores that are not right or wrong, about models and about architectures."""
    cells = itertools.product((0, 3, 5, 10), (200, 2000), ("normal", "skewed", "bounded"))
    kinds = {
        (seeds or "models", f"{n:,}", score): Kind(
            (1,) * n, score, seeds=seeds, seed_spread=0.03 if seeds else 0.0
        )
        for seeds, n, score in cells
    }
    table(("seeds", "items", "scores"), kinds, repeats)


def groups(repeats: int) -> None:
    """Tabulate items in groups, about models and about architectures."""
    cells = itertools.product((0, 3, 5, 10), (10, 30, 200), ("equal", "unequal"), (0.0, 0.8))
    kinds = {
        (seeds or "models", n, how, likeness): Kind(
            sizes_of(n, how), likeness=likeness, seeds=seeds, seed_spread=0.03 if seeds else 0.0
        )
        for seeds, n, how, likeness in cells
        if likeness or seeds in (0, 5)
    }
    table(("seeds", "groups", "sizes", "likeness"), kinds, repeats)


def small_classes(repeats: int) -> None:
    """Tabulate balanced accuracy where classes hold two and three items."""
    layouts = {
        "5 of two, 5 of three": (2, 3) * 5,
        "2 of two, 8 of 100": (2, 2) + (100,) * 8,
        "20 of three": (3,) * 20,
        "3 of 20": (20,) * 3,
    }
    kinds = {
        (name, seeds or "models"): Kind(
            (1,) * sum(classes), seeds=seeds, seed_spread=0.1 if seeds else 0.0, classes=classes
        )
        for name, classes in layouts.items()
        for seeds in (0, 5, 15)
    }
    table(("classes", "seeds"), kinds, repeats)


def baseline(repeats: int) -> None:
    """Tabulate how often any of 19 pairs with a baseline, or of all 190, is claimed wrongly."""
    print("| items | seeds | pairs with the baseline | all 190 pairs |")
    print("|---:|---:|---:|---:|")
    for seeds, items in itertools.product((0, 5), (500, 5000)):
        kind = Kind((1,) * items, seeds=seeds, seed_spread=0.03 if seeds else 0.0)
        rng, layout, claimed = np.random.default_rng([11, seeds, items]), kind.layout(), np.zeros(2)
        for _ in range(repeats):
            answers = [worth(kind, 0.0, number) > 0 for number in _twenty(kind, rng)]
            p_values = {
                (a, b): analysed(kind, layout, of_answers(answers[a], answers[b])).p_value
                for a, b in itertools.combinations(range(20), 2)
            }
            with_first = [p for pair, p in p_values.items() if 0 in pair]
            for place, tested in enumerate((with_first, list(p_values.values()))):
                claimed[place] += min(holm(tested)) < LEVEL
        shares = " | ".join(f"{100 * each / repeats:.1f}" for each in claimed)
        print(f"| {items:,} | {seeds or 'models'} | {shares} |", flush=True)


def _twenty(kind: Kind, rng: np.random.Generator) -> Iterator[Floats]:
    shared = math.sqrt(SHARED) * rng.standard_normal(kind.items)
    for _ in range(20):
        own = shared + math.sqrt(OWN) * rng.standard_normal(kind.items)
        seeds = max(kind.seeds, 1)
        chance = math.sqrt(CHANCE) * rng.standard_normal((seeds, kind.items))
        yield own + chance + kind.seed_spread * rng.standard_normal((seeds, 1))


def gates(repeats: int) -> None:
    """Tabulate requirements of each form, at the edge of being true; alone, and four together."""
    print("| items | accuracy | seeds | new > old | new >= old - m | new == old | any of four |")
    print("|---:|---:|---:|---:|---:|---:|---:|")
    for seeds, items, accuracy in itertools.product((0, 3, 5), (1000, 5000), (0.8, 0.97)):
        kind = Kind((1,) * items, accuracy=accuracy, seeds=seeds, seed_spread=0.03 * bool(seeds))
        found = [f"{100 * each:.1f}" for each in wrongly_met(kind, repeats)]
        print(f"| {items:,} | {accuracy} | {seeds or 'models'} | {' | '.join(found)} |", flush=True)


def wrongly_met(kind: Kind, repeats: int) -> tuple[float, ...]:
    """Return how often "new > old", "new >= old - margin" and "new == old" are wrongly met.

    Last, how often any is of four that are given together, of four pairs: one of the first form,
    two of the second, one of the third.
    """
    rng, layout = np.random.default_rng([13, *repr(kind).encode()]), kind.layout()
    some = [analysed(kind, layout, draw(kind, 0.0, rng)).difference for _ in range(200)]
    shift = _shift_of(kind, AWAY * float(np.std(some)))
    margin = expected(kind, shift) - expected(kind, 0.0)
    texts = ("a > b", f"b >= a - {100 * margin:.6f}", "a == b", f"b >= a - {100 * margin:.6f}")
    rule = Rule(POINTS, margin, LEVEL, "items")

    def asked(text: str) -> Asked:
        one, other = latent(kind, rng)
        a, b = worth(kind, 0.0 if text == "a > b" else shift, one), worth(kind, 0.0, other)
        found = of_answers(a > 0, b > 0)
        turned = replace(found, d=-found.d) if text.startswith("b") else found
        return Asked(Requirement.parse(text), analysed(kind, layout, turned), (), 1.0)

    met = np.zeros(4)
    for _ in range(repeats):
        four = [asked(text) for text in texts]
        alone = [required([each], rule)[0].outcome == "met" for each in four[:3]]
        met += [*alone, any(each.outcome == "met" for each in required(four, rule))]
    return tuple(float(each) / repeats for each in met)


TABLES = {
    "models": models,
    "scores": scores,
    "groups": groups,
    "small_classes": small_classes,
    "baseline": baseline,
    "gates": gates,
}


def main() -> None:
    """Print the tables of results/simulate_judged.md."""
    parser = argparse.ArgumentParser(description="Measure how often verdicts of judge err.")
    parser.add_argument("--repeats", type=int, default=2000, help="comparisons per cell and truth")
    parser.add_argument("--only", choices=TABLES, help="this table alone")
    given = parser.parse_args()
    for name, tabulate in TABLES.items():
        if given.only in (None, name):
            started = time.monotonic()
            print(f"\n{name}\n")
            # Twenty entrants have 190 pairs.
            tabulate(given.repeats // 10 if name == "baseline" else given.repeats)
            print(f"\n({time.monotonic() - started:.0f} s)")


if __name__ == "__main__":
    main()
