"""What would decide an undecided pair: more seeds, or only more test images."""

from __future__ import annotations

import math
from bisect import bisect_left
from collections.abc import Callable, Sequence
from dataclasses import dataclass, replace

from scipy import special

from bakeoff.comparison.statistics.crossed import PairedDifference
from bakeoff.comparison.statistics.equivalence import CAUTION
from bakeoff.comparison.statistics.over_items import OverItems
from bakeoff.comparison.statistics.pivot import critical_distance
from bakeoff.comparison.statistics.spending import price

# A plan is good enough if it decides in four cases of five.
ENOUGH = 0.8
# The ranges of plans hold what the middle half of the estimates would need.
HALF = 0.5
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
        seeds: how many there are in all with those.
        fewest, most: of what the plan is about (seeds in all, or test images) with other
            differences and spreads from the middle half of those that the trials leave open; None:
            beyond reason.

    """

    more_seeds: int | None
    test_images: int | None
    seeds: int | None = None
    fewest: int | None = None
    most: int | None = None


@dataclass(frozen=True)
class MoreItems:
    """What would probably decide about two trained models; None where nothing within reason.

    `fewest` and `most` are as those of a `Plan`.
    """

    items: int | None
    fewest: int | None = None
    most: int | None = None


def items_that_would_decide(found: OverItems, rule: DecisionRule) -> MoreItems:
    """Return how many items in all, groups as large as these, decide with chance `ENOUGH`."""

    def needed(difference: float) -> int | None:
        def decided_by_items(step: int) -> bool:
            times = 1.05**step
            spread, df = found.standard_error / math.sqrt(times), found.degrees_of_freedom * times
            beyond = -float(special.stdtrit(df, rule.level / 2)) * spread
            within = 0.0
            if rule.margin is not None:
                reach = -float(special.stdtrit(df, rule.equivalence_level)) * spread
                within = max(rule.margin - reach, 0.0)
            return _chance_outside(difference, spread, within, beyond) >= ENOUGH

        return _fewest_items(decided_by_items, found.items)

    estimated = needed(found.difference)
    low, high = found.interval(HALF)
    return MoreItems(estimated, *_range([estimated, needed(low), needed(high)]))


def what_would_decide(paired: PairedDifference, rule: DecisionRule) -> Plan:
    """Return the fewest further seeds, or else test images, that decide with chance `ENOUGH`.

    "Decide" means either way: shown to differ, or shown equivalent.
    """
    plan = _plan(paired, rule)
    if plan.more_seeds is None:
        return plan
    others = _as_likely(paired)
    if plan.test_images is None:
        needed = [plan.seeds, *(_fewest_seeds(other, rule) for other in others)]
    else:
        plans = [plan, *(_plan(other, rule) for other in others)]
        # Where seeds alone would do, so do the images that there are.
        needed = [each.test_images or (paired.images if each.seeds else None) for each in plans]
    fewest, most = _range(needed)
    return replace(plan, fewest=fewest, most=most)


def _as_likely(paired: PairedDifference) -> list[PairedDifference]:
    """Return the four corners of what the trials leave open: the middle half of each estimate.

    That of the spread between seeds comes from its chi-square distribution.
    """
    low, high = paired.interval(HALF)
    df = paired.seeds - 1
    factors = [df / float(special.chdtri(df, tail)) for tail in (HALF / 2, 1 - HALF / 2)]
    return [
        replace(
            paired,
            difference=difference,
            seed_part=factor * paired.seed_part,
            seed_variance=factor * paired.seed_variance,
        )
        for difference in (low, high)
        for factor in factors
    ]


def _range(needed: Sequence[int | None]) -> tuple[int | None, int | None]:
    """Return the least and the most that is needed; None is more than any number."""
    known = [each for each in needed if each is not None]
    return min(known, default=None), None if len(known) < len(needed) else max(known, default=None)


def _plan(paired: PairedDifference, rule: DecisionRule) -> Plan:
    fewest = _fewest_seeds(paired, rule)
    if fewest is not None:
        return Plan(more_seeds=fewest - paired.seeds, test_images=None, seeds=fewest)

    # Other test images are another study, whose first look has the whole level.
    # Keep to the seeds at hand if larger test sets alone can do it, else double the seeds.
    seeds = paired.seeds
    while seeds <= MOST_SEEDS:
        images = _fewest_images(paired, rule, seeds)
        if images is not None:
            return Plan(more_seeds=seeds - paired.seeds, test_images=images, seeds=seeds)
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
    image_df = paired.image_degrees_of_freedom * times_the_images
    spread = math.sqrt(seed_part + image_part)

    shown_beyond = critical_distance(
        rule.level / 2, seed_part, lambda _: image_part, seeds - 1, None, image_df
    )
    shown_within = 0.0
    if rule.margin is not None:
        step = CAUTION * paired.image_step / times_the_images
        reach = critical_distance(
            rule.equivalence_level,
            seed_part,
            lambda away: image_part + step * away,
            seeds - 1,
            None,
            image_df,
        )
        shown_within = max(rule.margin - reach, 0.0)
    return _chance_outside(paired.difference, spread, shown_within, shown_beyond)


def _chance_outside(difference: float, spread: float, within: float, beyond: float) -> float:
    """Return the chance that an estimate falls nearer to zero than `within` or beyond `beyond`.

    It is normal about `difference`, of this `spread`; undecided is what falls between the two, on
    either side of zero.
    """
    if within >= beyond:
        return 1.0
    if spread == 0:
        return float(not within <= abs(difference) <= beyond)

    def below(x: float) -> float:
        return float(special.ndtr((x - abs(difference)) / spread))

    right = below(beyond) - below(within)
    left = below(-within) - below(-beyond)
    return 1 - right - left


def _fewest_seeds(paired: PairedDifference, rule: DecisionRule) -> int | None:
    """Return the fewest seeds in all, more than there are, that decide on this test set."""

    def decided_by_seeds(seeds: int) -> bool:
        return chance_of_decision(paired, rule.at_a_look(seeds), seeds, 1.0) >= ENOUGH

    # A look at lost or other seeds counts as one at more than there are; the next comes after it.
    return _first(decided_by_seeds, max((paired.seeds, *rule.looks)) + 1, MOST_SEEDS)


def _fewest_images(paired: PairedDifference, rule: DecisionRule, seeds: int) -> int | None:
    """Return the fewest test images, to two digits, that decide with this many seeds."""

    def decided_by_images(step: int) -> bool:
        return chance_of_decision(paired, rule, seeds, 1.05**step) >= ENOUGH

    return _fewest_items(decided_by_images, paired.images)


def _fewest_items(decided: Callable[[int], bool], items: int) -> int | None:
    """Return the fewest items, to two digits, at whose steps of 5 % above `items` it is decided."""
    # In steps of 5 %: more would pretend to a precision that the estimate does not have.
    step = _first(decided, 1, math.ceil(math.log(MOST_TIMES_THE_IMAGES, 1.05)))
    if step is None:
        return None
    number = float(items * 1.05**step)
    unit = 10 ** max(math.floor(math.log10(number)) - 1, 0)
    return int(math.ceil(number / unit) * unit)


def _first(holds: Callable[[int], bool], first: int, last: int) -> int | None:
    """Return from which number, of first .. last, `holds` is true; None if not at last."""
    if first > last or not holds(last):
        return None
    return first + bisect_left(range(first, last), True, key=holds)
