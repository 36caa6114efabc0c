"""What a comparison is told of each entrant: answers, costs, and the trials that are not there."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any, Literal

import numpy as np
from numpy.typing import NDArray

from bakeoff.comparison.statistics.checks import Bools, Integers, booleans
from bakeoff.errors import DataError


@dataclass(frozen=True)
class LeftOut:
    """A planned trial without answers, and why: "diverged", "missing", ..."""

    seed: int
    reason: str


@dataclass(frozen=True)
class TargetTimes:
    """When each trial reached the target score, for every trial that was begun.

    A diverged trial belongs here too: it never reached the target. Give it the times at which a
    full trial ends, since censoring it at its crash would count it as one that might still arrive.

    Attributes:
        seconds, epochs: number [trials], until the target, or until the end where never reached;
            nan for seconds that say nothing.
        reached: boolean [trials].
        score: the target, a proportion.

    """

    seconds: NDArray[np.float64]
    epochs: NDArray[np.float64]
    reached: Bools
    score: float

    def told(self, unit: Literal["seconds", "epochs"]) -> tuple[NDArray[np.float64], Bools]:
        """Return the times, in `unit`, that are known, and whether each reached the target."""
        times = np.asarray(getattr(self, unit), dtype=np.float64)
        known = ~np.isnan(times)
        return times[known], np.asarray(self.reached)[known]


@dataclass(frozen=True)
class EntrantOutcome:
    """All that is known of one entrant's trials.

    Attributes:
        name: as it shall stand in sentences.
        predicted: predicted classes, integer [seeds, images]; [0, images] if no trial completed.
        seeds: the seed of each row of `predicted`.
        seconds, epochs: number [seeds], training seconds and epochs of each trial; nan for seconds
            that are not known, or say nothing since others disturbed them.
        left_out: planned trials without a row.
        target: times to the target score, or None if the study has no target.
        seconds_per_example: number [rounds] from the interleaved timing pass, or None.

    """

    name: str
    predicted: NDArray[np.integer[Any]]
    seeds: tuple[int, ...]
    seconds: NDArray[np.float64]
    epochs: NDArray[np.float64]
    left_out: tuple[LeftOut, ...] = ()
    target: TargetTimes | None = None
    seconds_per_example: NDArray[np.float64] | None = None

    def rows(self, seeds: Sequence[int]) -> Integers:
        """Return the predictions of these seeds, in their order: int64 [len(seeds), images]."""
        return self.predicted[[self.seeds.index(seed) for seed in seeds]].astype(np.int64)


def check_outcomes(outcomes: Sequence[EntrantOutcome], images: int, number_of_classes: int) -> None:
    """Raise DataError unless names, shapes and classes fit together."""
    names = [outcome.name for outcome in outcomes]
    for name in names:
        if names.count(name) > 1:
            raise DataError(f"two entrants are named {name!r}: give each its own name")
    for outcome in outcomes:
        _check_outcome(outcome, images, number_of_classes)


def _check_outcome(outcome: EntrantOutcome, images: int, number_of_classes: int) -> None:
    where, answers = f"entrant {outcome.name!r}", np.asarray(outcome.predicted)
    if not np.issubdtype(answers.dtype, np.integer):
        raise DataError(f"{where}: predicted has dtype {answers.dtype}: give class numbers")
    if answers.shape != (len(outcome.seeds), images):
        raise DataError(
            f"{where}: predicted has shape {list(answers.shape)} for {len(outcome.seeds)} seeds "
            f"and {images} test images: give one row per seed, one column per image"
        )
    if len(set(outcome.seeds)) < len(outcome.seeds):
        raise DataError(f"{where}: a seed occurs twice among {list(outcome.seeds)}")
    if answers.size and (answers.min() < 0 or answers.max() >= number_of_classes):
        raise DataError(
            f"{where}: predicted holds classes from {answers.min()} to {answers.max()}: "
            f"class numbers go from 0 to {number_of_classes - 1}"
        )
    for name, values in (("seconds", outcome.seconds), ("epochs", outcome.epochs)):
        if np.shape(values) != (len(outcome.seeds),):
            raise DataError(
                f"{where}: {name} has shape {list(np.shape(values))}: give one per seed"
            )
    twice = sorted({trial.seed for trial in outcome.left_out} & set(outcome.seeds))
    if twice:
        raise DataError(f"{where}: seed {twice[0]} has predictions and is also named as left out")
    if outcome.target is not None and len(np.asarray(outcome.target.reached)):
        booleans(outcome.target.reached, f"{where}: reached", ("trials",))
