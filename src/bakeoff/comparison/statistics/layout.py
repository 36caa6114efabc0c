"""How the items of a test set hang together, and what that does to the spread of a mean."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
from numpy.typing import ArrayLike

from bakeoff.comparison.statistics.checks import Floats, Integers, Scores, integers
from bakeoff.comparison.statistics.groups import Groups, groups_of
from bakeoff.comparison.statistics.resolution import extent_of_parting, step_of_one_image
from bakeoff.comparison.statistics.variance import (
    CrossedParts,
    Strata,
    crossed_parts,
    one_stratum,
    strata_of_classes,
)
from bakeoff.errors import DataError

# The difference of two scores that are right or wrong lies in [-1, 1], so its variance is at most
# one; a score of that kind varies most when half are right.
OF_A_DIFFERENCE = 1.0
OF_A_SCORE = 0.25


@dataclass(frozen=True)
class Layout:
    """How the items of a test set hang together: classes that weigh the same, groups, or neither.

    Attributes:
        strata: of the items.
        groups: in which they come, None where each is for itself.
        lone_variance: the variance assumed where a single item (or group) shows none: the largest
            that the scores' range allows.

    """

    strata: Strata
    groups: Groups | None = None
    lone_variance: float = OF_A_DIFFERENCE

    @property
    def degrees_of_freedom(self) -> float:
        """Of what new items (or groups) would change."""
        return (self.groups or self.strata).degrees_of_freedom

    @property
    def heaviest(self) -> float:
        """By how much one item (or group), at most, can move the mean."""
        if self.groups is None:
            return self.strata.heaviest_image
        return float(np.bincount(self.groups.index, weights=self.strata.image_weights).max())

    def crossed_parts(self, by_seed: Floats, d: Scores) -> CrossedParts:
        """Return the parts of the variance of mean(by_seed)."""
        if self.groups:
            return self.groups.crossed_parts(by_seed, d)
        return crossed_parts(by_seed, d, self.strata, self.lone_variance)

    def step_and_extent(
        self, image_means: Floats, parting: int, part: float
    ) -> tuple[float, float]:
        """Return `step_of_one_image` and `extent_of_parting` of right and wrong answers.

        part: the squared standard error from items (or groups). In groups an item's step is larger
        by as much as `part` is than it would be if they were independent; and where none part the
        two, the next group may do so whole.
        """
        step = step_of_one_image(image_means, parting, self.strata)
        extent = extent_of_parting(image_means, self.strata, step)
        if self.groups:
            step = max(step, part / extent) if extent else self.heaviest
        return step, extent


def layout_of(
    images: int,
    labels: Integers | None,
    groups: ArrayLike | None,
    lone_variance: float = OF_A_DIFFERENCE,
) -> Layout:
    """Return the layout of so many images: by classes where `labels`, groups where `groups`.

    Raises:
        DataError: groups of wrong dtype or shape, or a single one.

    """
    strata = one_stratum(images) if labels is None else strata_of_classes(labels)
    if groups is None:
        return Layout(strata, None, lone_variance)
    index = integers(groups, "groups", ("images",))
    if len(index) != images:
        raise DataError(f"groups has {len(index)} entries for {images} images: give one per image")
    if (index == index[0]).all():
        raise DataError(
            "groups: all images are of one group, which shows nothing of others: give at least two"
        )
    return Layout(strata, groups_of(index, strata, lone_variance), lone_variance)


def labels_of(labels: ArrayLike, images: int) -> Integers:
    """Return `labels` as int64 [images], or raise DataError."""
    array = integers(labels, "labels", ("images",))
    if len(array) != images:
        raise DataError(f"labels has {len(array)} entries for {images} images: give one per image")
    return array
