"""What predictions support, whoever made them: nothing is known of any training."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, field
from typing import Any

import numpy as np
from numpy.typing import NDArray

from bakeoff.comparison.compare import Comparison, compare
from bakeoff.comparison.entrant import EntrantComparison
from bakeoff.comparison.outcome import EntrantOutcome
from bakeoff.comparison.pairs import About
from bakeoff.comparison.requirement import Required, Requirement
from bakeoff.comparison.scale import LOSSES, METRICS, Metric, Scale
from bakeoff.comparison.statistics.entrants import Estimate
from bakeoff.comparison.verdict import Verdict
from bakeoff.errors import DataError, UsageError, look_up
from bakeoff.findings.answer import against
from bakeoff.records.predictions.predictions import Answers, Predictions

_MARGIN = 0.25
"""Percentage points within which a difference of right and wrong answers does not matter."""


@dataclass(frozen=True, eq=False)
class Judgement:
    """What predictions support, in numbers and in words."""

    predictions: Predictions = field(repr=False)
    comparison: Comparison
    """Of the entrants in the order of their scores on these items, the best first."""

    def __repr__(self) -> str:
        return f"{type(self).__name__}({self.answer})"

    @property
    def standings(self) -> tuple[EntrantComparison, ...]:
        """Each entrant by itself, the best on these items first."""
        return self.comparison.entrants

    @property
    def called(self) -> str:
        """What the score of the table is called."""
        metric = self.comparison.metric
        name = self.predictions.score if metric == "score" else metric
        return name.replace("_", " ")

    def score_of(self, row: EntrantComparison) -> Estimate | None:
        """Return the score of an entrant that verdicts are about, with its interval."""
        if not self.comparison.scale.proportion:
            return row.score
        return (
            row.balanced_accuracy if self.comparison.metric == "balanced_accuracy" else row.accuracy
        )

    @property
    def answer(self) -> str:
        """The finding in a sentence: how the baseline, or the first, fares against the others."""
        comparison = self.comparison
        name = comparison.baseline or self.standings[0].name
        if not comparison.tested:
            return f"There is no other entrant to compare {name} with."
        of_what = "Of these trained models, on new items,"
        if comparison.about == "architectures":
            of_what = "With new seeds, on new items,"
        return f"{of_what} {name} {against(name, comparison)}."

    @property
    def speaks_of(self) -> str:
        """What all verdicts are about, in words."""
        if self.comparison.about == "models":
            return "verdicts are about these trained models, and speak of new items alone:"
        return (
            "verdicts are about architectures, and speak of other seeds and new items; runs of one "
            "seed are pairs:"
        )

    @property
    def notes(self) -> tuple[str, ...]:
        """What is to be known beside the verdicts, a line each."""
        note = self.comparison.group_note
        return (*([note] if note else []), *self.predictions.left_out)

    @property
    def not_met(self) -> tuple[Required, ...]:
        """The requirements that are refuted or undecided."""
        return tuple(each for each in self.comparison.required if each.outcome != "met")

    def verdict(self, a: str, b: str) -> Verdict:
        """Return what can be said of two entrants; as text it is the sentence.

        Raises UsageError where there is no such pair.
        """
        return self.comparison.pair(a, b).verdict

    def to_dict(self) -> dict[str, Any]:
        """Return what `--json` prints."""
        found = self.predictions
        return {
            "understood": list(found.understood),
            "left_out": list(found.left_out),
            "items": len(found.items),
            "comparison": self.comparison.to_dict(),
        }


def judge_predictions(
    predictions: Predictions,
    *,
    metric: str | None = None,
    about: About | None = None,
    baseline: str | None = None,
    margin: float | None = None,
    confidence: float = 0.95,
    requirements: Sequence[str] = (),
) -> Judgement:
    """Return what predictions support.

    Args:
        predictions: of all entrants.
        metric: accuracy, balanced_accuracy, log_loss, brier or score; None: accuracy where answers
            are right or wrong, else the score that stands in the files.
        about: as in `compare`.
        baseline: as in `compare`.
        margin: within which a difference does not matter, in points for right and wrong answers,
            where it is 0.25 by default, else in the unit of the score.
        confidence: of the intervals.
        requirements: on two entrants, as "new >= old - 0.25".

    Raises:
        UsageError: an option that means nothing here.
        DataError: predictions without what the metric is about.

    """
    chosen = _metric(predictions, metric)
    if margin is not None and not margin > 0:
        raise UsageError(f"a margin of {margin:g}: give a number above 0")
    outcomes = sorted(
        (_outcome(each, predictions, chosen) for each in predictions.answers),
        key=lambda outcome: _mean(outcome, predictions),
        reverse=chosen not in LOSSES,
    )
    graded = any(each.scores is not None and each.scores.dtype != np.bool_ for each in outcomes)
    scale = Scale(chosen, proportion=not graded)
    if margin is None and not graded:
        margin = _MARGIN
    classes = len(predictions.classes) or None
    comparison = compare(
        outcomes,
        predictions.labels if classes else None,
        classes,
        metric=chosen,
        confidence=confidence,
        equivalence_margin=None if margin is None else margin * scale.per_unit,
        about=about,
        baseline=baseline,
        groups=predictions.groups,
        requirements=[Requirement.parse(text) for text in requirements],
        items="items",
    )
    return Judgement(predictions, comparison)


def _metric(predictions: Predictions, asked: str | None) -> Metric:
    """Return what verdicts are about: what was asked for, or what the predictions hold."""
    if asked is not None:
        return look_up(asked, {name: name for name in METRICS}, "unknown metric", UsageError)
    graded = any(each.scores is not None for each in predictions.answers)
    return "score" if graded else "accuracy"


def _outcome(answers: Answers, predictions: Predictions, metric: Metric) -> EntrantOutcome:
    """Return what is known of an entrant, with what the metric is about."""
    scores: NDArray[np.generic] | None = None
    predicted, right = answers.predicted, answers.correct
    if right is not None and predicted is not None:
        labels = predictions.labels
        # A judgement that stands in the files goes before comparing answers with labels.
        if labels is None or not np.array_equal(predicted == labels, right):
            predicted = None
    if metric in LOSSES:
        scores = _losses(answers, predictions, metric)
    elif metric == "score" and answers.scores is not None:
        scores = answers.scores
    elif metric == "score" or predicted is None:
        scores = right
    return EntrantOutcome(answers.name, predicted, answers.seeds, scores=scores)


def _losses(answers: Answers, predictions: Predictions, metric: Metric) -> NDArray[np.float64]:
    """Return the loss of each answer, [seeds, items].

    The log loss is -log of the probability of the label, in nats; the Brier score (Brier 1950, Mon.
    Weather Rev. 78:1-3) is the squared distance to the label, summed over all classes: 0 to 2.
    """
    given, labels = answers.probabilities, predictions.labels
    if given is None or labels is None:
        raise DataError(
            f"entrant {answers.name!r}: {metric} needs probabilities of classes and labels"
        )
    every = np.arange(len(labels))
    found = np.empty(given.shape[:2])
    for place, run in enumerate(given):  # One at a time: all of them may take gigabytes.
        of_label = run[every, labels].astype(np.float64)
        if metric == "brier":
            squares = np.einsum("ic,ic->i", run, run, dtype=np.float64)
            found[place] = squares - 2 * of_label + 1
            continue
        if not of_label.all():
            item = int(np.flatnonzero(of_label == 0)[0])
            raise DataError(
                f"entrant {answers.name!r}, run {answers.seeds[place]}, item "
                f"{predictions.items[item]}: its label has probability 0, so the log loss is "
                "infinite; take --metric brier"
            )
        found[place] = -np.log(of_label)
    return found


def _mean(outcome: EntrantOutcome, predictions: Predictions) -> float:
    """Return the score of an entrant on these items, over all of its runs."""
    scores = outcome.scores
    if scores is None:
        scores = outcome.correct(predictions.labels)
    return float(scores.mean()) if scores is not None and scores.size else 0.0
