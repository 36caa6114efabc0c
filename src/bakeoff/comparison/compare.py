"""The whole comparison of a study's entrants."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, fields
from typing import Any, Literal

import numpy as np
from numpy.typing import ArrayLike

from bakeoff.comparison.outcome import EntrantOutcome, LeftOut, TargetTimes, check_outcomes
from bakeoff.comparison.pair import Metric, PairComparison
from bakeoff.comparison.pairs import Question, compare_pairs
from bakeoff.comparison.plain import plain
from bakeoff.comparison.statistics.checks import Bools, classes, proportion
from bakeoff.comparison.statistics.entrants import Estimate, entrant_scores, mean_accuracy
from bakeoff.comparison.statistics.survival import TimeToTarget, time_to_target
from bakeoff.errors import DataError

# A page has room for so many.
HARDEST_SHOWN = 50


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

    """

    name: str
    seeds: tuple[int, ...]
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


@dataclass(frozen=True)
class HardImage:
    """A test image and how many trials, of all entrants, get it wrong."""

    index: int
    label: int
    wrong: int
    known_wrong_label: bool


@dataclass(frozen=True)
class Comparison:
    """What all trials of a study together support.

    Attributes:
        metric: what the verdicts are about.
        confidence: of all intervals (and 1 - level of all tests).
        equivalence_margin: a proportion, or None.
        images: number of test images.
        trials: number of complete trials, over all entrants.
        known_wrong: indices of test images with labels known to be wrong.
        entrants, pairs: in the order of the entrants given.
        hardest_images: at most 50, most often wrong first, ties by index, none
            that all get right.
        notes: one line per planned trial that is not there.
        time_note: one line where seconds of trials are not known.
        reopened: how the rule of earlier looks differed from this one, or None.

    """

    metric: Metric
    confidence: float
    equivalence_margin: float | None
    images: int
    trials: int
    known_wrong: tuple[int, ...]
    entrants: tuple[EntrantComparison, ...]
    pairs: tuple[PairComparison, ...]
    hardest_images: tuple[HardImage, ...]
    notes: tuple[str, ...]
    time_note: str | None
    reopened: str | None

    def to_dict(self) -> dict[str, Any]:
        """Return it as JSON can hold it; proportions stay proportions, None is "cannot be told"."""
        found: dict[str, Any] = plain(
            {each.name: getattr(self, each.name) for each in fields(self)}
        )
        return found | {"pairs": [pair.to_dict() for pair in self.pairs]}


def compare(
    outcomes: Sequence[EntrantOutcome],
    labels: ArrayLike,
    number_of_classes: int,
    *,
    metric: Metric = "balanced_accuracy",
    confidence: float = 0.95,
    equivalence_margin: float | None = 0.0025,
    known_wrong: Sequence[int] = (),
    earlier: Sequence[Mapping[str, frozenset[int]]] = (),
    reopened: str | None = None,
) -> Comparison:
    """Return the comparison of all entrants.

    Args:
        outcomes: one per entrant, in the order in which they shall stand.
        labels: true classes of the test images, integer [images].
        number_of_classes: classes are 0 .. number_of_classes - 1.
        metric: what the verdicts on pairs are about.
        confidence: of the intervals; tests are at 1 - confidence.
        equivalence_margin: a difference too small to matter, a proportion; None not to ask.
        known_wrong: indices of test images with labels known to be wrong.
        earlier: of each look that was taken before, the oldest first, the seeds that each entrant
            had completed; verdicts pay for them.
        reopened: how the rule of those looks differed from this one, where it did; every verdict
            names it.

    Raises:
        DataError: arrays that do not fit together; the message names entrant and array.

    """
    truth = classes(labels, "labels", ("images",), number_of_classes)
    if metric not in ("accuracy", "balanced_accuracy"):
        raise DataError(f"metric is {metric!r}: give 'accuracy' or 'balanced_accuracy'")
    check_outcomes(outcomes, len(truth), number_of_classes)
    question = Question(
        labels=truth,
        known_right=_known_right(known_wrong, len(truth)),
        metric=metric,
        confidence=proportion(confidence, "confidence"),
        equivalence_margin=equivalence_margin,
        earlier=earlier,
        reopened=reopened,
    )
    return Comparison(
        metric=metric,
        confidence=confidence,
        equivalence_margin=equivalence_margin,
        images=len(truth),
        trials=sum(len(outcome.seeds) for outcome in outcomes),
        known_wrong=tuple(sorted({int(index) for index in known_wrong})),
        entrants=tuple(_entrant(each, question, number_of_classes) for each in outcomes),
        pairs=tuple(compare_pairs(outcomes, question)),
        hardest_images=_hardest(outcomes, question),
        notes=tuple(
            f"{outcome.name} seed {trial.seed} is not part of the comparison: {trial.reason}"
            for outcome in outcomes
            for trial in outcome.left_out
        ),
        time_note=_time_note(outcomes),
        reopened=reopened,
    )


def _time_note(outcomes: Sequence[EntrantOutcome]) -> str | None:
    """Return the line that says how many seconds are left out, or None."""
    unknown = sum(int(np.isnan(np.asarray(outcome.seconds)).sum()) for outcome in outcomes)
    trials = sum(len(outcome.seeds) for outcome in outcomes)
    if not unknown:
        return None
    return (
        f"{unknown} of {trials} trials have no clean seconds, and are left out of all that is said "
        "of time"
    )


def _known_right(known_wrong: Sequence[int], images: int) -> Bools:
    right = np.ones(images, dtype=np.bool_)
    for index in known_wrong:
        if not 0 <= index < images:
            raise DataError(
                f"known_wrong names test image {index}: there are images 0 to {images - 1}"
            )
        right[index] = False
    return right


def _entrant(
    outcome: EntrantOutcome, question: Question, number_of_classes: int
) -> EntrantComparison:
    scores, kept = None, None
    if outcome.seeds:
        scores = entrant_scores(
            outcome.predicted, question.labels, number_of_classes, question.confidence
        )
        right = question.known_right
        if right.any():
            correct = outcome.predicted[:, right] == question.labels[right]
            kept = mean_accuracy(correct, question.confidence)
    target = outcome.target if outcome.target and len(outcome.target.reached) else None
    return EntrantComparison(
        name=outcome.name,
        seeds=tuple(outcome.seeds),
        left_out=tuple(outcome.left_out),
        accuracy=scores.accuracy if scores else None,
        balanced_accuracy=scores.balanced_accuracy if scores else None,
        f1=scores.f1 if scores else (),
        accuracy_without_known_wrong=kept,
        mean_seconds=_mean_of_known(outcome.seconds),
        mean_epochs=float(np.mean(outcome.epochs)) if outcome.seeds else None,
        target=outcome.target.score if outcome.target else None,
        seconds_to_target=_to_target(target, "seconds", question.confidence),
        epochs_to_target=_to_target(target, "epochs", question.confidence),
    )


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


def _hardest(outcomes: Sequence[EntrantOutcome], question: Question) -> tuple[HardImage, ...]:
    """Return the images that some trial gets wrong; mislabelled images tend to lead them."""
    wrong = np.zeros(len(question.labels), dtype=np.int64)
    for outcome in outcomes:
        wrong += (outcome.predicted != question.labels).sum(axis=0)
    return tuple(
        HardImage(
            index=int(index),
            label=int(question.labels[index]),
            wrong=int(wrong[index]),
            known_wrong_label=not question.known_right[index],
        )
        for index in np.argsort(-wrong, kind="stable")[:HARDEST_SHOWN]
        if wrong[index]
    )
