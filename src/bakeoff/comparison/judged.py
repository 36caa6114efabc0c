"""Each entrant's answers, judged once for all its pairs."""

from __future__ import annotations

import functools
from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any

import numpy as np
from numpy.typing import NDArray

from bakeoff.comparison.outcome import EntrantOutcome
from bakeoff.comparison.scale import LOSSES, Metric
from bakeoff.comparison.statistics.checks import Bools, Floats, Integers
from bakeoff.comparison.statistics.difference import Difference, of_answers, of_means, of_scores
from bakeoff.errors import DataError


@dataclass(frozen=True, eq=False)
class Judged:
    """An entrant, and what each of its answers is worth.

    Attributes:
        outcome: all that is known of it.
        correct: boolean [seeds, items]; None where answers are not right or wrong.
        scores: what the metric is about, [seeds, items]: `correct`, or float64.

    """

    outcome: EntrantOutcome
    correct: Bools | None
    scores: NDArray[Any]

    @property
    def graded(self) -> bool:
        """Whether answers have scores of any size, not right and wrong."""
        return self.scores.dtype != np.bool_

    def of_seeds(self, seeds: Sequence[int | str]) -> NDArray[Any]:
        """Return the scores of these seeds, in their order."""
        if tuple(seeds) == tuple(self.outcome.seeds):
            return self.scores
        return self.scores[[self.outcome.seeds.index(seed) for seed in seeds]]

    @functools.cached_property
    def mean(self) -> Floats:
        """The mean over all runs: float64 [1, items]."""
        found: Floats = self.scores.mean(axis=0, dtype=np.float64, keepdims=True)
        return found


def judge(
    outcomes: Sequence[EntrantOutcome], labels: Integers | None, metric: Metric
) -> list[Judged]:
    """Return each entrant with what its answers are worth by this metric.

    Raises:
        DataError: an entrant without what the metric is about.

    """
    given = [outcome.scores for outcome in outcomes if outcome.scores is not None]
    graded = metric in LOSSES or any(scores.dtype != np.bool_ for scores in given)
    found = []
    for outcome in outcomes:
        correct = outcome.correct(labels)
        if metric in ("accuracy", "balanced_accuracy"):
            if correct is None:
                raise DataError(
                    f"entrant {outcome.name!r}: {metric} needs predicted classes and labels, or "
                    "for each answer whether it is right"
                )
            found.append(Judged(outcome, correct, correct))
        elif outcome.scores is None:
            raise DataError(f"entrant {outcome.name!r}: {metric} needs scores")
        else:
            kind = np.float64 if graded else np.bool_
            found.append(Judged(outcome, correct, outcome.scores.astype(kind)))
    return found


def difference_with(a: Judged, b: Judged, seeds: Sequence[int | str]) -> Difference:
    """Return a minus b on each item with each of these seeds."""
    scores = a.of_seeds(seeds), b.of_seeds(seeds)
    return of_scores(*scores) if a.graded else of_answers(*scores)


def difference_of_models(a: Judged, b: Judged) -> Difference:
    """Return a minus b on each item, of the means over all runs of each: [1, items]."""
    means = a.mean, b.mean
    return of_scores(*means) if a.graded else of_means(*means)
