"""The difference between two entrants, item by item, before anything is said of others."""

from __future__ import annotations

import math
from dataclasses import dataclass

import numpy as np

from bakeoff.comparison.statistics.checks import Bools, Floats, Scores
from bakeoff.comparison.statistics.layout import Layout
from bakeoff.comparison.statistics.resolution import size_of_a_parting


@dataclass(frozen=True, eq=False)
class Difference:
    """Scores of a minus scores of b, item by item.

    Attributes:
        d: [seeds, items]: int8 of right and wrong answers, an eighth of the memory that all pairs
            of large comparisons go through; else float64.
        span: how far two scores can be apart: 1 for right and wrong.
        graded: whether they are scores of any size, not (means of) right and wrong answers.

    """

    d: Scores
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
            parting = int(self.d.any(axis=0).sum())
            return layout.step_and_extent(self.d.mean(axis=0), parting, part)
        if self.d.any():
            return 0.0, 0.0
        return self.span * layout.heaviest, 0.0


def of_answers(a: Bools, b: Bools) -> Difference:
    """Return the difference of right and wrong answers."""
    return Difference(a.view(np.int8) - b.view(np.int8), 1.0, graded=False)


def of_means(a: Floats, b: Floats) -> Difference:
    """Return the difference of means of right and wrong answers."""
    return Difference(a - b, 1.0, graded=False)


def of_scores(a: Floats, b: Floats) -> Difference:
    """Return the difference of scores; how far they can be apart is taken from those at hand."""
    span = float(max(a.max(), b.max()) - min(a.min(), b.min()))
    # Where all are one number, nothing says in which unit they are.
    return Difference(a - b, span or 1.0, graded=True)
