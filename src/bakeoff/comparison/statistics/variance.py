"""Where the uncertainty of a mean over seeds and images comes from.

Every seed is judged on every image (a crossed, or two-way, layout), so a score x[seed, image] is

    x = mean + effect of the seed + effect of the image + what the two do together,

and the mean's variance is seed_variance / seeds + image_variance / images
+ residual_variance / (seeds * images). The mean squares of the two-way analysis of variance
estimate it (Obuchowski & Rockette 1995, Commun. Stat. Simul. 24:285-308; for proportions their
covariances and these mean squares are the same thing, Hillis, Berbaum & Metz 2008, Acad. Radiol.
15:647-661). Strata serve balanced accuracy: the number of images of each class is given, so images
vary within their class alone, and each class mean weighs the same.
"""

from __future__ import annotations

import itertools
import math
from dataclasses import dataclass
from typing import Any

import numpy as np
from numpy.typing import NDArray

from bakeoff.comparison.statistics.checks import Floats, Integers, Scores

AT_ONCE = 8
"""Seeds whose scores on ten thousand images fit into a core's own memory."""


@dataclass(frozen=True)
class Strata:
    """Groups of images with given sizes; the overall mean is the weighted sum of group means.

    Attributes:
        index: the group of each image, int64 [images], 0 .. groups - 1, every group inhabited.
        sizes: images in each group, int64 [groups].
        weights: weight of each group's mean, float64 [groups], summing to 1.

    """

    index: Integers
    sizes: Integers
    weights: Floats

    @property
    def heaviest_image(self) -> float:
        """By how much one image, at most, can move the overall mean."""
        return float(np.max(self.weights / self.sizes))

    @property
    def image_weights(self) -> Floats:
        """The weight of each image in the overall mean: float64 [images], summing to 1."""
        return (self.weights / self.sizes)[self.index]

    @property
    def degrees_of_freedom(self) -> float:
        """Of the variance over images, as if equal in all groups (Satterthwaite).

        A group of one image, whose variance is assumed, brings none and takes none.
        """
        parts = self.weights**2 / self.sizes
        several = self.sizes > 1
        if not several.any():
            return math.inf
        return float(parts.sum() ** 2 / (parts[several] ** 2 / (self.sizes[several] - 1)).sum())

    def means(self, scores: Scores) -> Floats:
        """Return the overall mean of each row of `scores` [seeds, images]: float64 [seeds].

        A mean lies within what it is the mean of. Sums of fractions may pass that by 1e-15, and a
        perfect score would be above 1.
        """
        weights = self.image_weights
        # Some rows at a time, which are in float64 while they are at hand; what is left over goes
        # with the last of them, since a few rows alone may be summed in another order.
        ends = [*range(AT_ONCE, len(scores) - AT_ONCE + 1, AT_ONCE), len(scores)]
        means = [
            scores[start:end].astype(np.float64, copy=False) @ weights
            for start, end in itertools.pairwise([0, *ends])
        ]
        return np.clip(np.concatenate(means), scores.min(axis=1), scores.max(axis=1))


def one_stratum(images: int) -> Strata:
    """All images in one group: the overall mean is the plain mean (accuracy)."""
    return Strata(np.zeros(images, np.int64), np.array([images]), np.array([1.0]))


def strata_of_classes(labels: Integers) -> Strata:
    """One group per class that occurs in `labels`, equal weights (balanced accuracy)."""
    _, index, sizes = np.unique(labels, return_inverse=True, return_counts=True)
    return Strata(
        index.astype(np.int64), sizes.astype(np.int64), np.full(len(sizes), 1 / len(sizes))
    )


@dataclass(frozen=True)
class CrossedParts:
    """Squared standard errors of a mean over seeds and images, in the squared unit of the scores.

    Attributes:
        seeds: mean square of the seeds over (seeds * images): what new seeds would change,
            including what seeds and images do together.
        images: what new images would change, the joint part taken off, never below zero.
        residual: the joint part alone: what seeds and images do together.
        raw_images: `images` before the joint part was taken off.

    """

    seeds: float
    images: float
    residual: float
    raw_images: float


def crossed_parts(
    by_seed: Floats, contributions: Scores, strata: Strata, lone_image_variance: float
) -> CrossedParts:
    """Return the parts of the variance of mean(by_seed).

    Args:
        by_seed: the statistic of each seed, float64 [seeds], at least two.
        contributions: what each image adds to it, [seeds, images]. For a mean of scores
            these are the scores; for another statistic its linearisation, on the same scale
            (its group means do not matter).
        strata: the groups of images.
        lone_image_variance: the variance assumed in a group of one image, where none can be
            estimated: the largest that the scores' range allows.

    """
    seeds = len(by_seed)
    sums, squares = _sums_over_seeds(contributions)
    if len(strata.sizes) == 1:
        group_sums = contributions.sum(axis=1, keepdims=True)
    else:
        group_sums = np.stack([_group_sums(row, strata) for row in contributions])
    group_means_by_seed = group_sums / strata.sizes
    image_means = sums / seeds
    seed_squares = _group_sums(squares - seeds * image_means**2, strata)
    group_means = group_means_by_seed.mean(axis=0)

    between_images = _group_sums((image_means - group_means[strata.index]) ** 2, strata)
    between_seeds = strata.sizes * ((group_means_by_seed - group_means) ** 2).sum(axis=0)
    # A sum of squares is not negative; rounding may leave minus 1e-17.
    joint = np.maximum(seed_squares - between_seeds, 0.0)

    several = strata.sizes > 1
    others = np.where(several, strata.sizes - 1, 1)
    image_variance = np.where(several, between_images / others, lone_image_variance)
    joint_variance = np.where(several, joint / (others * (seeds - 1)), 0.0)

    per_image = strata.weights**2 / strata.sizes
    raw_images = float(per_image @ image_variance)
    residual = float(per_image @ joint_variance) / seeds
    return CrossedParts(
        seeds=float(np.var(by_seed, ddof=1)) / seeds,
        images=max(raw_images - residual, 0.0),
        residual=residual,
        raw_images=raw_images,
    )


def _sums_over_seeds(contributions: Scores) -> tuple[NDArray[Any], NDArray[Any]]:
    """Return the sums of the scores, and of their squares, of each image: [images]."""
    if contributions.dtype == np.int8:  # Counts: exact in any order.
        squares = np.abs(contributions).sum(axis=0, dtype=np.int32)
        return contributions.sum(axis=0, dtype=np.int32), squares
    # Row by row, so that each is gone through while it is at hand.
    sums, squares = np.zeros(contributions.shape[1]), np.zeros(contributions.shape[1])
    for row in contributions:
        sums += row
        squares += row * row
    return sums, squares


def _group_sums(values: Floats, strata: Strata) -> Floats:
    """Return the sum of `values` [images] over each group: float64 [groups]."""
    sums = np.bincount(strata.index, weights=values, minlength=len(strata.sizes))
    return sums.astype(np.float64)
