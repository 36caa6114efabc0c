"""Which test images are hard for all, and on which two entrants part."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
from numpy.typing import ArrayLike

from bakeoff.comparison.statistics.checks import Integers, booleans, same_shape


@dataclass(frozen=True)
class HardestImages:
    """Test images by how many trials get them wrong.

    Attributes:
        order: image indices, most wrong first, ties by index: int64 [images].
        wrong: how many trials get that image wrong, in the same order: int64 [images].
        trials: how many there are.

    """

    order: Integers
    wrong: Integers
    trials: int


@dataclass(frozen=True)
class Flips:
    """Images that change hands between two entrants: indices, int64, ascending."""

    only_a: Integers
    only_b: Integers


def hardest_images(correct: ArrayLike) -> HardestImages:
    """Return the ranking from boolean [trials, images]; mislabelled images tend to lead it."""
    right = booleans(correct, "correct", ("trials", "images"))
    wrong = (~right).sum(axis=0)
    order = np.argsort(-wrong, kind="stable").astype(np.int64)
    return HardestImages(order=order, wrong=wrong[order].astype(np.int64), trials=len(right))


def flips(correct_a: ArrayLike, correct_b: ArrayLike) -> Flips:
    """Return the images where, in more than half of the seeds, one is right and the other wrong.

    Args:
        correct_a: boolean [seeds, images], True where right.
        correct_b: the same, row by row from the same seeds.

    """
    a = booleans(correct_a, "correct_a", ("seeds", "images"))
    b = booleans(correct_b, "correct_b", ("seeds", "images"))
    same_shape(a, b, "correct_a and correct_b")
    most = len(a) / 2
    only_a = np.flatnonzero((a & ~b).sum(axis=0) > most)
    only_b = np.flatnonzero((b & ~a).sum(axis=0) > most)
    return Flips(only_a=only_a.astype(np.int64), only_b=only_b.astype(np.int64))
