"""The difference between two entrants, over new seeds and new test images.

docs/statistics.md holds the formulas, their sources and how they were tried out.
"""

from __future__ import annotations

import math
from dataclasses import dataclass, replace
from typing import Self

import numpy as np
from numpy.typing import ArrayLike, NDArray
from scipy import special

from bakeoff.comparison.statistics.checks import Bools, correct_pair, finite, proportion
from bakeoff.comparison.statistics.difference import Difference, of_answers, of_scores
from bakeoff.comparison.statistics.interval import Interval
from bakeoff.comparison.statistics.layout import Layout, labels_of, layout_of
from bakeoff.comparison.statistics.pivot import (
    KNOWN,
    critical_distance,
    degrees_of_freedom_of,
    one_sided_p,
    two_sided_p,
)
from bakeoff.comparison.statistics.resolution import image_part_at, least_seed_part
from bakeoff.comparison.statistics.variance import CrossedParts
from bakeoff.errors import DataError


@dataclass(frozen=True)
class FixedTestSet:
    """The narrower statement: over new seeds, for these very test images (paired t over seeds)."""

    low: float
    high: float
    p_value: float
    degrees_of_freedom: int


@dataclass(frozen=True)
class PairedDifference:
    """Score of a minus score of b, and what it says of new seeds and new test images.

    All are proportions in [-1, 1] or their squares, never percentage points.

    Attributes:
        difference: the mean difference over the seeds and images at hand.
        low, high: the interval at `confidence`.
        p_value: two-sided, for the null that the true difference is zero; not yet corrected for
            the number of pairs.
        degrees_of_freedom: of the t distribution with the same critical value at `confidence`: a
            difference is significant if it is that quantile times `standard_error` from zero.
        hillis_degrees_of_freedom: what the plain analysis would use in its place.
        seed_variance, image_variance, residual_variance: components of the variance of one
            d[seed, image], cut at zero. For balanced accuracy the last two are per average image:
            seed_variance / seeds + image_variance / images + residual_variance / (seeds * images)
            is the variance of the mean either way.
        standard_error: square root of `seed_part + image_part`.
        seed_part, image_part: squared standard error that new seeds (with what they do together
            with images) and new images bring; the seed part is kept above what the resolution of
            the test set lets one see (`least_seed_part`).
        image_step: by how much one more image on which the entrants part would move the difference;
            the image part at the ends of the interval rests on it (`image_part_at`). 0 for scores
            that are not right or wrong, whose spread says nothing of their mean.
        seeds, images: how many of each.
        confidence: of both intervals.
        fixed_test_set: the statement for this fixed test set.
        extent: what `image_part_at` asks for besides.
        image_degrees_of_freedom: of `image_part`; from `pivot.KNOWN` on they count as infinite.
        groups: how many groups of images were drawn, None where images were.
        furthest: how large a mean difference can be: 1 for right and wrong.

    """

    difference: float
    low: float
    high: float
    p_value: float
    degrees_of_freedom: float
    seed_variance: float
    image_variance: float
    residual_variance: float
    standard_error: float
    seed_part: float
    image_part: float
    image_step: float
    hillis_degrees_of_freedom: float
    seeds: int
    images: int
    confidence: float
    fixed_test_set: FixedTestSet
    extent: float = 0.0
    image_degrees_of_freedom: float = math.inf
    groups: int | None = None
    furthest: float = math.inf

    def turned(self) -> Self:
        """Return b minus a."""
        return replace(self, difference=-self.difference, low=-self.high, high=-self.low)

    def interval(self, confidence: float) -> Interval:
        """Return the interval at another confidence than that of `low` and `high`."""
        tail = (1 - confidence) / 2

        def reach(direction: int) -> float:
            def image_part(distance: float) -> float:
                return self.image_part_at(self.difference + direction * distance)

            # An end towards zero stops before it where the p-value says that zero is left out.
            start = abs(self.difference) if direction * self.difference < 0 else None
            return critical_distance(
                tail,
                self.seed_part,
                image_part,
                self.seeds - 1,
                start,
                self.image_degrees_of_freedom,
            )

        low = max(self.difference - reach(-1), -self.furthest)
        return Interval(low, min(self.difference + reach(+1), self.furthest), confidence)

    def image_part_at(self, true: float) -> float:
        """Return the squared standard error from images, were this the true difference."""
        return image_part_at(self.image_part, self.image_step, self.extent, self.difference, true)

    def beyond(self, bound: float, direction: int) -> float:
        """Return the p-value for the null that the true difference is not beyond `bound`.

        direction: 1 for above, -1 for below. One-sided; half of `p_value` or more at zero.
        """
        distance = direction * (self.difference - bound)
        image_part = self.image_part_at(bound)
        return float(
            one_sided_p(
                distance,
                self.seed_part,
                image_part,
                self.seeds - 1,
                self.image_degrees_of_freedom,
            )
        )

    @property
    def seed_share(self) -> float:
        """Share of the squared standard error that more seeds would shrink, in [0, 1]."""
        both = self.seed_part + self.image_part
        return self.seed_part / both if both else 1.0

    @property
    def image_share(self) -> float:
        """Share of the squared standard error that only more test images would shrink."""
        return 1 - self.seed_share


def paired_difference(
    correct_a: ArrayLike,
    correct_b: ArrayLike,
    confidence: float = 0.95,
    *,
    groups: ArrayLike | None = None,
) -> PairedDifference:
    """Return accuracy of a minus accuracy of b, over new seeds and new test images.

    Args:
        correct_a: boolean [seeds, images], True where that seed's trial is right on that image.
        correct_b: the same of b: row s comes from the same seed, column i is the same image.
        confidence: of the intervals, between 0 and 1.
        groups: the group of each image, integer [images], where images come in groups: then over
            new groups, not new images.

    Raises:
        DataError: wrong dtype or shape, or fewer than two seeds.

    """
    a, b = _paired(correct_a, correct_b)
    layout = layout_of(a.shape[1], None, groups)
    return crossed_difference(of_answers(a, b), layout, proportion(confidence, "confidence"))


def paired_difference_of_balanced_accuracy(
    correct_a: ArrayLike,
    correct_b: ArrayLike,
    labels: ArrayLike,
    confidence: float = 0.95,
    *,
    groups: ArrayLike | None = None,
) -> PairedDifference:
    """Return balanced accuracy of a minus that of b, over new seeds and new test images.

    Balanced accuracy is the mean, over the classes that occur in `labels`, of the accuracy within
    the class. New test images are meant as new images of each class in the same numbers.

    Args:
        correct_a: as for `paired_difference`.
        correct_b: as for `paired_difference`.
        labels: true classes, integer [images].
        confidence: of the intervals, between 0 and 1.
        groups: as for `paired_difference`.

    Raises:
        DataError: wrong dtype or shape, or fewer than two seeds.

    """
    a, b = _paired(correct_a, correct_b)
    layout = layout_of(a.shape[1], labels_of(labels, a.shape[1]), groups)
    return crossed_difference(of_answers(a, b), layout, proportion(confidence, "confidence"))


def paired_difference_of_scores(
    scores_a: ArrayLike,
    scores_b: ArrayLike,
    confidence: float = 0.95,
    *,
    groups: ArrayLike | None = None,
) -> PairedDifference:
    """Return the mean score of a minus that of b, over new seeds and new items.

    The same analysis without what only right and wrong answers allow: the spread over items is
    taken to be the same at any difference. All is in the unit of the scores, and its square.

    Args:
        scores_a: real numbers [seeds, items].
        scores_b: the same of b: row s comes from the same seed, column i is the same item.
        confidence: of the intervals, between 0 and 1.
        groups: as for `paired_difference`.

    Raises:
        DataError: wrong dtype or shape, numbers that are not finite, or fewer than two seeds.

    """
    a, b = (
        finite(scores, name, ("seeds", "items"))
        for scores, name in ((scores_a, "scores_a"), (scores_b, "scores_b"))
    )
    if a.shape != b.shape:
        raise DataError(
            f"scores_a and scores_b have shapes {list(a.shape)} and {list(b.shape)}: "
            "both must come from the same seeds and the same items"
        )
    _several_seeds(a)
    layout = layout_of(a.shape[1], None, groups)
    return crossed_difference(of_scores(a, b), layout, proportion(confidence, "confidence"))


def _paired(correct_a: ArrayLike, correct_b: ArrayLike) -> tuple[Bools, Bools]:
    a, b = correct_pair(correct_a, correct_b, ("seeds", "images"))
    _several_seeds(a)
    return a, b


def _several_seeds(a: NDArray[np.generic]) -> None:
    if len(a) < 2:
        raise DataError(
            "one seed cannot tell the luck of the seed from a difference between architectures: "
            "train at least two seeds, or use mcnemar for a statement about the two trained models"
        )


def crossed_difference(found: Difference, layout: Layout, confidence: float) -> PairedDifference:
    """Return what a difference says of new seeds and new items (or groups) in this layout."""
    d, strata = found.d, layout.strata
    seeds, images = d.shape
    by_seed = strata.means(d)
    # Counts that cancel must give 0, not the 1e-17 that sums of fractions leave.
    difference = round(float(by_seed.mean()), 15) + 0.0
    parts = layout.crossed_parts(by_seed, d)
    image_df = layout.degrees_of_freedom

    seed_part = max(parts.seeds, found.size_of_a_step**2 * least_seed_part(seeds, strata))
    standard_error = math.sqrt(seed_part + parts.images)
    step, extent = found.step_and_extent(layout, parts.images)
    tail = (1 - confidence) / 2

    quantile = critical_distance(tail, seed_part, lambda _: parts.images, seeds - 1, None, image_df)
    least_df = min(seeds - 1, image_df)
    told = PairedDifference(
        difference=difference,
        low=difference,
        high=difference,
        p_value=float(two_sided_p(difference, seed_part, parts.images, seeds - 1, image_df)),
        degrees_of_freedom=degrees_of_freedom_of(quantile / standard_error, tail, least_df),
        seed_variance=seeds * max(parts.seeds - parts.residual, 0.0),
        image_variance=images * parts.images,
        residual_variance=seeds * images * parts.residual,
        standard_error=standard_error,
        seed_part=seed_part,
        image_part=parts.images,
        image_step=step,
        hillis_degrees_of_freedom=hillis_degrees_of_freedom(parts, seeds),
        seeds=seeds,
        images=images,
        confidence=confidence,
        fixed_test_set=_over_seeds_alone(difference, seed_part, seeds, tail),
        extent=extent,
        image_degrees_of_freedom=image_df if image_df < KNOWN else math.inf,
        groups=layout.groups.number if layout.groups else None,
        furthest=found.furthest,
    )
    low, high = told.interval(confidence)
    return replace(told, low=low, high=high)


def hillis_degrees_of_freedom(parts: CrossedParts, seeds: int) -> float:
    """Return Hillis's (2007, Stat. Med. 26:596-619) degrees of freedom; infinite without seeds."""
    if parts.seeds == 0:
        return float("inf")
    return (seeds - 1) * ((parts.seeds + parts.images) / parts.seeds) ** 2


def _over_seeds_alone(difference: float, part: float, seeds: int, tail: float) -> FixedTestSet:
    standard_error = math.sqrt(part)
    reach = -float(special.stdtrit(seeds - 1, tail)) * standard_error
    return FixedTestSet(
        low=max(difference - reach, -1.0),
        high=min(difference + reach, 1.0),
        p_value=float(2 * special.stdtr(seeds - 1, -abs(difference) / standard_error)),
        degrees_of_freedom=seeds - 1,
    )
