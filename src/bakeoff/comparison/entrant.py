"""One entrant by itself: how good it is, and what its trials cost."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import MISSING, dataclass, fields
from typing import Any, Literal

import numpy as np
from numpy.typing import ArrayLike, NDArray

from bakeoff.comparison.judged import Judged
from bakeoff.comparison.outcome import LeftOut, TargetTimes
from bakeoff.comparison.pairs import Question
from bakeoff.comparison.plain import plain
from bakeoff.comparison.statistics.checks import Bools
from bakeoff.comparison.statistics.entrants import (
    Estimate,
    entrant_scores,
    mean_accuracy,
    mean_score,
)
from bakeoff.comparison.statistics.interval import Interval
from bakeoff.comparison.statistics.survival import TimeToTarget, time_to_target
from bakeoff.comparison.statistics.timing import mean_seconds_interval


@dataclass(frozen=True)
class EntrantComparison:
    """One entrant by itself; None for what its trials do not tell.

    Attributes:
        name: the entrant.
        seeds: of its complete trials.
        left_out: its planned trials without answers, and why.
        accuracy, balanced_accuracy: proportions with intervals.
        f1: one per class; None for a class that no test image has.
        accuracy_without_known_wrong: accuracy with the images of known wrong labels left out.
        mean_seconds, mean_epochs: of training, over the complete trials; seconds only over those
            that are known.
        target: the validation accuracy to be reached, a proportion, if there is one.
        seconds_to_target, epochs_to_target: how long that took.
        score: the mean of scores that are not right or wrong, in their unit; else None.
        seconds_interval: of `mean_seconds`, over new seeds; None where it cannot be told.

    """

    name: str
    seeds: tuple[int | str, ...]
    left_out: tuple[LeftOut, ...]
    accuracy: Estimate | None
    balanced_accuracy: Estimate | None
    f1: tuple[Estimate | None, ...]
    accuracy_without_known_wrong: Estimate | None
    mean_seconds: float | None
    mean_epochs: float | None
    target: float | None
    seconds_to_target: TimeToTarget | None
    epochs_to_target: TimeToTarget | None
    score: Estimate | None = None
    seconds_interval: Interval | None = None

    def to_dict(self) -> dict[str, Any]:
        """Return it as JSON can hold it; what was added later has a key only where it is known."""
        found: dict[str, Any] = plain(
            {
                each.name: getattr(self, each.name)
                for each in fields(self)
                if each.default is MISSING or getattr(self, each.name) is not None
            }
        )
        return found


def entrant_comparison(
    entrant: Judged, question: Question, number_of_classes: int | None
) -> EntrantComparison:
    """Return what an entrant's own trials tell of it."""
    outcome, correct, confidence = entrant.outcome, entrant.correct, question.confidence
    scores, accuracy, kept, score = None, None, None, None
    if outcome.seeds and correct is not None:
        if outcome.predicted is not None and question.labels is not None and number_of_classes:
            scores = entrant_scores(
                outcome.predicted,
                question.labels,
                number_of_classes,
                confidence,
                groups=question.groups,
            )
        accuracy = scores.accuracy if scores else _mean(mean_accuracy, correct, question)
        if question.known_right.any():
            kept = _mean(mean_accuracy, correct, question, question.known_right)
    if outcome.seeds and entrant.graded:
        score = _mean(mean_score, entrant.scores, question)
    target = outcome.target if outcome.target and len(outcome.target.reached) else None
    return EntrantComparison(
        name=outcome.name,
        seeds=tuple(outcome.seeds),
        left_out=tuple(outcome.left_out),
        accuracy=accuracy,
        balanced_accuracy=scores.balanced_accuracy if scores else None,
        f1=scores.f1 if scores else (),
        accuracy_without_known_wrong=kept,
        mean_seconds=None if outcome.seconds is None else _mean_of_known(outcome.seconds),
        mean_epochs=(
            float(np.mean(outcome.epochs)) if outcome.seeds and outcome.epochs is not None else None
        ),
        target=outcome.target.score if outcome.target else None,
        seconds_to_target=_to_target(target, "seconds", confidence),
        epochs_to_target=_to_target(target, "epochs", confidence),
        score=score,
        seconds_interval=(
            None
            if outcome.seconds is None or outcome.seconds_per_example is None
            else mean_seconds_interval(outcome.seconds, outcome.seconds_per_example, confidence)
        ),
    )


def _mean(
    estimate: Callable[..., Estimate],
    answers: NDArray[Any],
    question: Question,
    kept: Bools | slice = slice(None),
) -> Estimate:
    """Return the estimate of a mean; about models, over new items, of the mean of all runs."""
    answers = answers[:, kept]
    if question.about == "models":
        answers = answers.mean(axis=0, dtype=np.float64, keepdims=True)
    groups = None if question.groups is None else question.groups[kept]
    return estimate(answers, question.confidence, groups=groups)


def _to_target(
    target: TargetTimes | None, unit: Literal["seconds", "epochs"], confidence: float
) -> TimeToTarget | None:
    if target is None:
        return None
    times, reached = target.told(unit)
    return time_to_target(times, reached, confidence) if len(times) else None


def _mean_of_known(seconds: ArrayLike) -> float | None:
    known = np.asarray(seconds, dtype=np.float64)
    known = known[~np.isnan(known)]
    return float(known.mean()) if len(known) else None
