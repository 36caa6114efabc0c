"""What would decide an undecided pair: more seeds, or only more test images."""

from __future__ import annotations

import math
from bisect import bisect_left
from collections.abc import Callable
from dataclasses import dataclass, replace

from scipy import special

from bakeoff.comparison.statistics.crossed import PairedDifference
from bakeoff.comparison.statistics.equivalence import CAUTION
from bakeoff.comparison.statistics.pivot import critical_distance
from bakeoff.comparison.statistics.spending import price

# A plan is good enough if it decides in four cases of five.
ENOUGH = 0.8
# Beyond these a plan is no plan.
MOST_SEEDS = 1000
MOST_TIMES_THE_IMAGES = 10_000


@dataclass(frozen=True)
class DecisionRule:
    """When a pair counts as decided.

    Attributes:
        level: of the two-sided test for a difference, after correction for the number of pairs.
        margin: of equivalence, a proportion, or None where equivalence is not asked for.
        equivalence_level: of the two one-sided tests, after correction.
        looks: how many seeds there were at each look so far; a further one pays for them.

    """

    level: float
    margin: float | None
    equivalence_level: float
    looks: tuple[int, ...] = ()

    def at_a_look(self, seeds: int) -> DecisionRule:
        """Return the rule that the next look, at `seeds` seeds, must meet."""
        paid = price((*self.looks, seeds), self.level)
        return replace(
            self, level=self.level / paid, equivalence_level=self.equivalence_level / paid
        )


@dataclass(frozen=True)
class Plan:
    """What would probably decide a pair, if difference and spread are as estimated.

    Attributes:
        more_seeds: seeds to add; with `test_images` None they suffice on the present test set.
            None where neither seeds nor images within reason would decide.
        test_images: test images needed in all, where the present number rules a decision out
            however many seeds are trained; else None.

    """

    more_seeds: int | None
    test_images: int | None


def what_would_decide(paired: PairedDifference, rule: DecisionRule) -> Plan:
    """Return the fewest further seeds, or else test images, that decide with chance `ENOUGH`.

    "Decide" means either way: shown to differ, or shown equivalent.
    """

    def decided_by_seeds(seeds: int) -> bool:
        return chance_of_decision(paired, rule.at_a_look(seeds), seeds, 1.0) >= ENOUGH

    fewest = _first(decided_by_seeds, paired.seeds + 1, MOST_SEEDS)
    if fewest is not None:
        return Plan(more_seeds=fewest - paired.seeds, test_images=None)

    # Other test images are another study, whose first look has the whole level.
    # Keep to the seeds at hand if larger test sets alone can do it, else double the seeds.
    seeds = paired.seeds
    while seeds <= MOST_SEEDS:
        images = _fewest_images(paired, rule, seeds)
        if images is not None:
            return Plan(more_seeds=seeds - paired.seeds, test_images=images)
        seeds *= 2
    return Plan(more_seeds=None, test_images=None)


def chance_of_decision(
    paired: PairedDifference, rule: DecisionRule, seeds: int, times_the_images: float
) -> float:
    """Return the chance that a repeat with other numbers of seeds and images is decided.

    It takes the estimated difference and variance components for the true ones; the repeat's mean
    squares are put at their expectations.
    """
    seeds_alone = paired.seed_variance / paired.seeds
    joint = paired.seed_part - seeds_alone
    seed_part = (seeds_alone + joint / times_the_images) * paired.seeds / seeds
    image_part = paired.image_part / times_the_images
    spread = math.sqrt(seed_part + image_part)

    shown_beyond = critical_distance(rule.level / 2, seed_part, lambda _: image_part, seeds - 1)
    shown_within = 0.0
    if rule.margin is not None:
        step = CAUTION * paired.image_step / times_the_images
        reach = critical_distance(
            rule.equivalence_level, seed_part, lambda away: image_part + step * away, seeds - 1
        )
        shown_within = max(rule.margin - reach, 0.0)
    if shown_within >= shown_beyond:
        return 1.0

    # Undecided is what falls between the two, on either side of zero.
    def below(x: float) -> float:
        return float(special.ndtr((x - abs(paired.difference)) / spread))

    right = below(shown_beyond) - below(shown_within)
    left = below(-shown_within) - below(-shown_beyond)
    return 1 - right - left


def _fewest_images(paired: PairedDifference, rule: DecisionRule, seeds: int) -> int | None:
    """Return the fewest test images, to two digits, that decide with this many seeds."""

    # In steps of 5 %: more would pretend to a precision that the estimate does not have.
    def decided_by_images(step: int) -> bool:
        return chance_of_decision(paired, rule, seeds, 1.05**step) >= ENOUGH

    step = _first(decided_by_images, 1, math.ceil(math.log(MOST_TIMES_THE_IMAGES, 1.05)))
    if step is None:
        return None
    images = float(paired.images * 1.05**step)
    unit = 10 ** max(math.floor(math.log10(images)) - 1, 0)
    return int(math.ceil(images / unit) * unit)


def _first(holds: Callable[[int], bool], first: int, last: int) -> int | None:
    """Return from which number, of first .. last, `holds` is true; None if not at last."""
    if first > last or not holds(last):
        return None
    return first + bisect_left(range(first, last), True, key=holds)
