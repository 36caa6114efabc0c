"""What a finite test set cannot resolve, and how much room that leaves for doubt."""

from __future__ import annotations

import math

from bakeoff.comparison.variance import Floats, Strata


def least_seed_part(seeds: int, strata: Strata) -> float:
    """Return the smallest squared standard error that seeds may be credited with.

    Scores move in steps of one image. If all seeds show the same difference, the next one may
    still show one step more: Laplace's rule gives it the chance 1 / (seeds + 2), and a step taken
    with that chance has the variance (seeds + 1) / (seeds + 2)**2 steps squared.
    """
    return strata.heaviest_image**2 * (seeds + 1) / (seeds + 2) ** 2 / seeds


def step_of_one_image(d: Floats, strata: Strata) -> float:
    """Return by how much one more image on which the entrants part would move the difference.

    That is its weight times its size, the root mean square of the image differences among images
    on which the two ever part; one image of full size is counted in, for the case of none.
    """
    image_means = d.mean(axis=0)
    disagreeing = int((d != 0).any(axis=0).sum())
    size = (1 + float(image_means @ image_means)) / (1 + disagreeing)
    return strata.heaviest_image * math.sqrt(size)


def image_part_at(paired_image_part: float, step: float, observed: float, true: float) -> float:
    """Return the image part if the difference were `true`, having observed `observed`.

    A difference further from zero than the one observed needs images on which the entrants part
    that the test set happened not to hold: (|true| - |observed|) / step of them, each adding step
    squared. This is the idea of the score interval for paired proportions (Tango 1998, Stat. Med.
    17:891-908) carried over to many seeds. It matters where disagreements are few: without any,
    the 95 % interval becomes about +-3.8 / images in the place of a claim to know the difference.
    """
    return paired_image_part + step * max(abs(true) - abs(observed), 0.0)
