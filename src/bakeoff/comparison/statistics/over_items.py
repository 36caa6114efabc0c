"""The difference between two trained models, over new items: nothing is said of other trainings.

docs/statistics.md holds the formulas, their sources and how they were tried out.
"""

from __future__ import annotations

import math
from dataclasses import dataclass, replace
from typing import Self

import numpy as np
from scipy import special

from bakeoff.comparison.statistics.difference import Difference
from bakeoff.comparison.statistics.interval import Interval
from bakeoff.comparison.statistics.layout import Layout
from bakeoff.comparison.statistics.resolution import image_part_at


@dataclass(frozen=True)
class OverItems:
    """Score of model a minus score of model b, and what it says of new items.

    Proportions for right and wrong answers, else the unit of the scores.

    Attributes:
        difference: the mean difference over the items at hand.
        low, high: the interval at `confidence`.
        p_value: two-sided, for the null that the true difference is zero; not yet corrected for
            the number of pairs.
        degrees_of_freedom: of the t distribution that judges the distance.
        standard_error: of the difference.
        step, extent: as `image_part_at` wants them, for the spread at another difference.
        items: how many.
        groups: how many groups of items were drawn, None where items were.
        runs: of a and of b, whose mean each item's score is.
        confidence: of the interval.
        furthest: how large a difference can be: 1 for right and wrong.

    """

    difference: float
    low: float
    high: float
    p_value: float
    degrees_of_freedom: float
    standard_error: float
    step: float
    extent: float
    items: int
    groups: int | None
    runs: tuple[int, int]
    confidence: float
    furthest: float

    def turned(self) -> Self:
        """Return b minus a."""
        return replace(self, difference=-self.difference, low=-self.high, high=-self.low)

    def interval(self, confidence: float) -> Interval:
        """Return the interval at another confidence than that of `low` and `high`."""
        level = (1 - confidence) / 2
        low = max(self.difference - self._reach(-1, level), -self.furthest)
        high = min(self.difference + self._reach(+1, level), self.furthest)
        return Interval(low, high, confidence)

    def _reach(self, direction: int, level: float) -> float:
        """Return how far from the difference the interval's end is, by bisection."""

        def left_out(distance: float) -> bool:
            return self.beyond(self.difference + direction * distance, -direction) < level

        # An end towards zero stops before it where zero is left out.
        towards_zero = direction * self.difference < 0
        near, far = 0.0, abs(self.difference) if towards_zero else 0.0
        if not left_out(far):
            near, far = far, max(far, self.standard_error, self.step)
            while not left_out(far) and far < 2 * self.furthest:
                far *= 2
        for _ in range(60):
            middle = (near + far) / 2
            near, far = (near, middle) if left_out(middle) else (middle, far)
        return near

    def beyond(self, bound: float, direction: int) -> float:
        """Return the p-value for the null that the true difference is not beyond `bound`.

        direction: 1 for above, -1 for below. One-sided.
        """
        distance = direction * (self.difference - bound)
        variance = self.standard_error**2
        at_bound = image_part_at(variance, self.step, self.extent, self.difference, bound)
        return self.tail(distance, at_bound - variance)

    def tail(self, distance: float, more: float = 0.0) -> float:
        """Return the chance of an error of `distance` or more in one direction.

        more: what is added to the squared standard error.
        """
        spread = math.sqrt(self.standard_error**2 + more)
        if spread == 0:
            return 0.5 if distance == 0 else float(distance < 0)
        return float(special.stdtr(self.degrees_of_freedom, -distance / spread))


def over_items(
    found: Difference, layout: Layout, runs: tuple[int, int], confidence: float
) -> OverItems:
    """Return what the difference of two trained models says of new items (or groups).

    The distance to a supposed difference is divided by the standard error that there would be
    then, and judged by a t distribution. For right and wrong answers without classes or groups that
    is Tango's (1998, Stat. Med. 17:891-908) score test and interval, and at zero McNemar's (1947).

    Args:
        found: the difference on each item, [1, items], of the means over each model's runs.
        layout: of the items.
        runs: of a and b.
        confidence: of the interval.

    """
    difference = round(float(layout.strata.means(found.d)[0]), 15) + 0.0
    # Repeating the row leaves what items bring as it is.
    twice = np.concatenate([found.d, found.d])
    variance = layout.crossed_parts(layout.strata.means(twice), twice).raw_images
    if difference != 0:
        # Items that all differ alike show no spread; one that does not may be the next.
        variance = max(variance, (found.size_of_a_step * layout.strata.heaviest_image) ** 2)
    step, extent = found.step_and_extent(layout, variance)
    told = OverItems(
        difference=difference,
        low=difference,
        high=difference,
        p_value=1.0,
        degrees_of_freedom=layout.degrees_of_freedom,
        standard_error=math.sqrt(variance),
        step=step,
        extent=extent,
        items=found.d.shape[1],
        groups=layout.groups.number if layout.groups else None,
        runs=runs,
        confidence=confidence,
        furthest=found.furthest,
    )
    low, high = told.interval(confidence)
    return replace(told, low=low, high=high, p_value=min(2 * told.tail(abs(difference)), 1.0))
