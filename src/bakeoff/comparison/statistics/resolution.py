"""What a finite test set cannot resolve, and how much room that leaves for doubt."""

from __future__ import annotations

import math

import numpy as np

from bakeoff.comparison.statistics.checks import Floats, Scores
from bakeoff.comparison.statistics.variance import Strata


def least_seed_part(seeds: int, strata: Strata) -> float:
    """Return the smallest squared standard error that seeds may be credited with.

    Scores move in steps of one image. If all seeds show the same difference, the next one may
    still show one step more: Laplace's rule gives it the chance 1 / (seeds + 2), and a step taken
    with that chance has the variance (seeds + 1) / (seeds + 2)**2 steps squared.
    """
    return strata.heaviest_image**2 * (seeds + 1) / (seeds + 2) ** 2 / seeds


def step_of_one_image(image_means: Floats, parting: int, strata: Strata) -> float:
    """Return by how much one more image on which the entrants part would move the difference.

    That is its weight times its size, the root mean square of the image differences (`image_means`,
    over the seeds) among the `parting` images on which the two ever part; one image of full size is
    counted in, for the case of none.
    """
    size = (1 + float(image_means @ image_means)) / (1 + parting)
    return strata.heaviest_image * math.sqrt(size)


def extent_of_parting(image_means: Floats, strata: Strata, step: float) -> float:
    """Return the sum, over the images on which the entrants part, of what each moves the mean by.

    It counts both directions, so it is the size of the difference or more. With images of one size
    it is their number times `step`; else the number of such images with the same sum of squares.
    """
    moves = strata.image_weights * image_means
    return max(float(moves @ moves) / step, abs(float(moves.sum())))


def size_of_a_parting(d: Scores) -> float:
    """Return the root mean square of scores' differences where there are any; 0 without."""
    parting = np.count_nonzero(d)
    return math.sqrt(float((d**2).sum()) / parting) if parting else 0.0


def image_part_at(
    paired_image_part: float, step: float, extent: float, observed: float, true: float
) -> float:
    """Return the image part if the difference were `true`, having observed `observed`.

    A difference further from zero than the one observed needs images on which the entrants part
    that the test set happened not to hold; one nearer to zero, that it happened to hold too many.
    How many there would be, by maximum likelihood, is what the score interval for paired
    proportions asks (Tango 1998, Stat. Med. 17:891-908). Where such images are rare, of two
    directions and one size each, the answer is the root below: of `extent` at a `true` of zero or
    of `observed`, less in between, more outside. It matters where disagreements are few: without
    any, the 95 % interval becomes about +-3.8 / images in the place of a claim to know the
    difference.
    """
    if step == 0:
        return paired_image_part
    root = math.sqrt(max(extent**2 + 4 * true * (true - observed), 0.0))
    expected = (extent + root) / 2
    if expected < extent:
        # In proportion, since the joint part is taken off the image part: it stays above zero.
        return paired_image_part * expected / extent
    return paired_image_part + step * (expected - extent)
