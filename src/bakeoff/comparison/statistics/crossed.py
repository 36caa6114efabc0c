"""The difference between two entrants, over new seeds and new test images.

docs/statistics.md holds the formulas, their sources and how they were tried out.
"""

from __future__ import annotations

import math
from dataclasses import dataclass

import numpy as np
from numpy.typing import ArrayLike, NDArray
from scipy import special

from bakeoff.comparison.statistics.checks import (
    Bools,
    Floats,
    Integers,
    correct_pair,
    finite,
    integers,
    proportion,
)
from bakeoff.comparison.statistics.groups import Groups, groups_of
from bakeoff.comparison.statistics.pivot import (
    KNOWN,
    critical_distance,
    degrees_of_freedom_of,
    one_sided_p,
    two_sided_p,
)
from bakeoff.comparison.statistics.resolution import (
    extent_of_parting,
    image_part_at,
    least_seed_part,
    size_of_a_parting,
    step_of_one_image,
)
from bakeoff.comparison.statistics.variance import (
    CrossedParts,
    Strata,
    crossed_parts,
    one_stratum,
    strata_of_classes,
)
from bakeoff.errors import DataError

# The scores' difference lies in [-1, 1], so its variance over images is at most one.
LARGEST_VARIANCE = 1.0


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


@dataclass(frozen=True)
class Layout:
    """How the items of a test set hang together: classes that weigh the same, groups, or neither.

    Attributes:
        strata: of the items.
        groups: in which they come, None where each is for itself.

    """

    strata: Strata
    groups: Groups | None = None

    @property
    def degrees_of_freedom(self) -> float:
        """Of what new items (or groups) would change."""
        return (self.groups or self.strata).degrees_of_freedom

    @property
    def heaviest(self) -> float:
        """By how much one item (or group), at most, can move the mean."""
        if self.groups is None:
            return self.strata.heaviest_image
        ones = np.ones((1, len(self.strata.index)))
        return float(self.groups.moves(ones).max())

    def crossed_parts(self, by_seed: Floats, d: Floats) -> CrossedParts:
        """Return the parts of the variance of mean(by_seed)."""
        if self.groups:
            return self.groups.crossed_parts(by_seed, d)
        return crossed_parts(by_seed, d, self.strata, LARGEST_VARIANCE)

    def step_and_extent(self, d: Floats, part: float) -> tuple[float, float]:
        """Return `step_of_one_image` and `extent_of_parting` of right and wrong answers.

        part: the squared standard error from items (or groups). In groups an item's step is larger
        by as much as `part` is than it would be if they were independent; and where none part the
        two, the next group may do so whole.
        """
        step = step_of_one_image(d, self.strata)
        extent = extent_of_parting(d, self.strata, step)
        if self.groups:
            step = max(step, part / extent) if extent else self.heaviest
        return step, extent


def layout_of(images: int, labels: Integers | None, groups: ArrayLike | None) -> Layout:
    """Return the layout of so many images: by classes where `labels`, groups where `groups`.

    Raises:
        DataError: groups of wrong dtype or shape, or a single one.

    """
    strata = one_stratum(images) if labels is None else strata_of_classes(labels)
    if groups is None:
        return Layout(strata)
    index = integers(groups, "groups", ("images",))
    if len(index) != images:
        raise DataError(f"groups has {len(index)} entries for {images} images: give one per image")
    if (index == index[0]).all():
        raise DataError(
            "groups: all images are of one group, which shows nothing of others: give at least two"
        )
    return Layout(strata, groups_of(index, strata, LARGEST_VARIANCE))


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


@dataclass(frozen=True, eq=False)
class Difference:
    """Scores of a minus scores of b, item by item.

    Attributes:
        d: float64 [seeds, items].
        span: how far two scores can be apart: 1 for right and wrong.
        graded: whether they are scores of any size, not (means of) right and wrong answers.

    """

    d: Floats
    span: float
    graded: bool

    @property
    def size_of_a_step(self) -> float:
        """By how much one item's difference changes, if it does."""
        return (size_of_a_parting(self.d) or self.span) if self.graded else self.span

    @property
    def furthest(self) -> float:
        """How large a mean difference can be."""
        return math.inf if self.graded else self.span

    def step_and_extent(self, layout: Layout, part: float) -> tuple[float, float]:
        """Return what the ends of the interval rest on, as `image_part_at` wants it.

        part: the squared standard error from items (or groups).
        Graded scores that part somewhere have no step: their spread does not depend on their mean.
        """
        if not self.graded:
            return layout.step_and_extent(self.d, part)
        if self.d.any():
            return 0.0, 0.0
        return self.span * layout.heaviest, 0.0


def of_answers(a: Bools, b: Bools) -> Difference:
    """Return the difference of right and wrong answers."""
    return Difference(a.astype(np.float64) - b, 1.0, graded=False)


def of_means(a: Floats, b: Floats) -> Difference:
    """Return the difference of means of right and wrong answers."""
    return Difference(a - b, 1.0, graded=False)


def of_scores(a: Floats, b: Floats) -> Difference:
    """Return the difference of scores; how far they can be apart is taken from those at hand."""
    span = float(max(a.max(), b.max()) - min(a.min(), b.min()))
    # Where all are one number, nothing says in which unit they are.
    return Difference(a - b, span or 1.0, graded=True)


def labels_of(labels: ArrayLike, images: int) -> Integers:
    """Return `labels` as int64 [images], or raise DataError."""
    array = integers(labels, "labels", ("images",))
    if len(array) != images:
        raise DataError(f"labels has {len(array)} entries for {images} images: give one per image")
    return array


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

    def reach(direction: int) -> float:
        def image_part(distance: float) -> float:
            true = difference + direction * distance
            return image_part_at(parts.images, step, extent, difference, true)

        # An end towards zero stops before it where the p-value says that zero is left out.
        start = abs(difference) if direction * difference < 0 else None
        return critical_distance(tail, seed_part, image_part, seeds - 1, start, image_df)

    quantile = critical_distance(tail, seed_part, lambda _: parts.images, seeds - 1, None, image_df)
    least_df = min(seeds - 1, image_df)
    return PairedDifference(
        difference=difference,
        low=max(difference - reach(-1), -found.furthest),
        high=min(difference + reach(+1), found.furthest),
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
    )


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
