"""What a comparison is told of each entrant: answers, costs, and the trials that are not there."""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from typing import Any, Literal

import numpy as np
from numpy.typing import NDArray

from bakeoff.comparison.statistics.checks import Bools, Integers, booleans, finite
from bakeoff.errors import DataError


@dataclass(frozen=True)
class LeftOut:
    """A planned trial without answers, and why: "diverged", "missing", ..."""

    seed: int | str
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
        predicted: predicted classes, integer [seeds, images]; [0, images] if no trial completed;
            None where answers are not classes.
        seeds: the seed of each row of `predicted`, or what its run is called.
        seconds, epochs: number [seeds], training seconds and epochs of each trial; nan for seconds
            that are not known, or say nothing since others disturbed them; None where nothing is
            known of any training.
        left_out: planned trials without a row.
        target: times to the target score, or None if the study has no target.
        seconds_per_example: number [rounds] from the interleaved timing pass, or None.
        scores: what each answer is worth, [seeds, images], where that is not whether `predicted` is
            the label: boolean for right and wrong, else real numbers (losses for `log_loss` and
            `brier`). The metric is then about these.

    """

    name: str
    predicted: NDArray[np.integer[Any]] | None
    seeds: tuple[int | str, ...]
    seconds: NDArray[np.float64] | None = None
    epochs: NDArray[np.float64] | None = None
    left_out: tuple[LeftOut, ...] = ()
    target: TargetTimes | None = None
    seconds_per_example: NDArray[np.float64] | None = None
    scores: NDArray[np.generic] | None = None

    def correct(self, labels: Integers | None) -> Bools | None:
        """Return whether each answer is right, [seeds, images]; None where that is not known."""
        if self.scores is not None:
            right: Bools = self.scores.astype(np.bool_)
            return right if self.scores.dtype == np.bool_ else None
        if self.predicted is None or labels is None:
            return None
        return np.asarray(self.predicted == labels)


def common_seeds(a: EntrantOutcome, b: EntrantOutcome) -> tuple[int | str, ...]:
    """Return the seeds that both completed, in order."""
    return tuple(in_order(set(a.seeds) & set(b.seeds)))


def in_order(seeds: Iterable[int | str]) -> list[int | str]:
    """Return seeds in order: numbers, then names."""
    return sorted(seeds, key=lambda seed: (isinstance(seed, str), seed))


def check_outcomes(
    outcomes: Sequence[EntrantOutcome], images: int, number_of_classes: int | None
) -> None:
    """Raise DataError unless names, shapes and classes fit together."""
    names = [outcome.name for outcome in outcomes]
    for name in names:
        if names.count(name) > 1:
            raise DataError(f"two entrants are named {name!r}: give each its own name")
    for outcome in outcomes:
        _check_outcome(outcome, images, number_of_classes)


def _check_outcome(outcome: EntrantOutcome, images: int, number_of_classes: int | None) -> None:
    where, seeds = f"entrant {outcome.name!r}", len(outcome.seeds)
    if outcome.predicted is None and outcome.scores is None:
        raise DataError(f"{where}: neither predicted classes nor scores are given")
    for name, array in (("predicted", outcome.predicted), ("scores", outcome.scores)):
        if array is not None and np.shape(array) != (seeds, images):
            raise DataError(
                f"{where}: {name} has shape {list(np.shape(array))} for {seeds} seeds "
                f"and {images} test images: give one row per seed, one column per image"
            )
    if len(set(outcome.seeds)) < seeds:
        raise DataError(f"{where}: a seed occurs twice among {list(outcome.seeds)}")
    if outcome.predicted is not None:
        _check_predicted(outcome.predicted, where, number_of_classes)
    if outcome.scores is not None and outcome.scores.size and outcome.scores.dtype != np.bool_:
        finite(outcome.scores, f"{where}: scores", ("seeds", "images"))
    _check_costs(outcome, where)


def _check_costs(outcome: EntrantOutcome, where: str) -> None:
    """Check what is known of trials besides their answers."""
    for name, values in (("seconds", outcome.seconds), ("epochs", outcome.epochs)):
        if values is not None and np.shape(values) != (len(outcome.seeds),):
            raise DataError(
                f"{where}: {name} has shape {list(np.shape(values))}: give one per seed"
            )
    twice = in_order({trial.seed for trial in outcome.left_out} & set(outcome.seeds))
    if twice:
        raise DataError(f"{where}: seed {twice[0]} has predictions and is also named as left out")
    if outcome.target is not None and len(np.asarray(outcome.target.reached)):
        booleans(outcome.target.reached, f"{where}: reached", ("trials",))


def _check_predicted(
    answers: NDArray[np.integer[Any]], where: str, number_of_classes: int | None
) -> None:
    if not np.issubdtype(answers.dtype, np.integer):
        raise DataError(f"{where}: predicted has dtype {answers.dtype}: give class numbers")
    if number_of_classes is None:
        raise DataError(f"{where}: predicted are class numbers: give the number of classes")
    if answers.size and (answers.min() < 0 or answers.max() >= number_of_classes):
        raise DataError(
            f"{where}: predicted holds classes from {answers.min()} to {answers.max()}: "
            f"class numbers go from 0 to {number_of_classes - 1}"
        )
