"""What the page shows of a judgement: its verdicts, and the items behind them."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from typing import Literal

import numpy as np
from numpy.typing import NDArray

from bakeoff.comparison.pair import PairComparison
from bakeoff.findings.judgement import Judgement
from bakeoff.findings.mistakes import (
    HARDEST,
    Confusion,
    Disagreement,
    Mistake,
    Pictured,
    confusion_of,
    disagreements,
    mistake_at,
    surest_mistakes,
)
from bakeoff.findings.predicted import Predicted
from bakeoff.records.predictions.predictions import Answers

ClassScore = Literal["f1", "recall", "precision"]


@dataclass(frozen=True, eq=False, kw_only=True)
class JudgedFindings(Judgement):
    """A judgement, with the items behind it."""

    confusions: tuple[Confusion, ...]
    """One per entrant whose answers are classes, in the order of `standings`."""
    disagreements: tuple[Disagreement, ...]
    """Of the first two entrants, or of the baseline and the best other one."""
    hardest: tuple[Mistake, ...]
    """The first of `comparison.hardest_images`."""
    scores: Mapping[str, Sequence[float]]
    """Balanced accuracy of each run, by entrant, where verdicts are about it, else accuracy; empty
    where answers are not right or wrong."""
    class_scores: Mapping[ClassScore, Mapping[str, NDArray[np.float64]]]
    """F1, recall and precision by name, then by entrant: [classes], means over its runs."""


@dataclass(frozen=True)
class Items:
    """The items that entrants answered, as `mistakes` asks of them."""

    classes: tuple[str, ...]
    test_labels: NDArray[np.int64]
    test_images: Pictured = field(repr=False)
    known_wrong_test_labels: tuple[int, ...] = ()


def judged_findings(judgement: Judgement, pictures: Pictured) -> JudgedFindings:
    """Return everything that the page shows of a judgement.

    pictures: of the items, by their place.
    """
    found, comparison = judgement.predictions, judgement.comparison
    by_name = {each.name: each for each in found.answers}
    answers = [by_name[row.name] for row in judgement.standings]
    said: dict[str, list[Predicted]] = {}
    labels = np.zeros(0, np.int64) if found.labels is None else found.labels
    items = Items(found.classes, labels, pictures)
    if found.labels is not None and found.classes:
        said = {each.name: _said(each) for each in answers if each.predicted is not None}
    # Of each item what classes say, if all of them do; else how many are wrong.
    told = [each for name in said for each in said[name]] if len(said) == len(answers) else []

    def wrong_about(
        _pair: PairComparison, name: str, indices: NDArray[np.int64], most: int
    ) -> tuple[Mistake, ...]:
        if name in said:
            return surest_mistakes(indices, said[name], items, most)
        some = indices[:most].tolist()
        return tuple(_wrong_at(index, [by_name[name]], items) for index in some)

    return JudgedFindings(
        predictions=found,
        comparison=comparison,
        confusions=tuple(confusion_of(name, runs, items) for name, runs in said.items()),
        disagreements=disagreements(comparison.tested, wrong_about),
        hardest=tuple(
            mistake_at(image.index, told, items) if told else _wrong_at(image.index, answers, items)
            for image in comparison.hardest_images[:HARDEST]
        ),
        scores={
            each.name: _balanced(each.correct, labels)
            if comparison.metric == "balanced_accuracy"
            else each.correct.mean(axis=1).tolist()
            for each in answers
            if each.correct is not None
        },
        class_scores=_class_scores(said, items),
    )


def _said(answers: Answers) -> list[Predicted]:
    predicted, shares = answers.predicted, answers.probabilities
    if predicted is None:
        return []
    every = np.arange(predicted.shape[1])
    return [
        Predicted(
            classes,
            None if shares is None else shares[run][every, classes],
        )
        for run, classes in enumerate(predicted)
    ]


def _balanced(correct: NDArray[np.bool_], labels: NDArray[np.int64]) -> list[float]:
    """Return of each run the mean over classes of the share that it gets right."""
    shares = [correct[:, labels == each].mean(axis=1) for each in np.unique(labels)]
    return [float(mean) for mean in np.mean(shares, axis=0)]


def _wrong_at(index: int, answers: Sequence[Answers], items: Items) -> Mistake:
    """Return how many runs are wrong about an item, where answers are not classes."""
    right = [each.correct[:, index] for each in answers if each.correct is not None]
    return Mistake(
        index=index,
        image=items.test_images[index],
        label=int(items.test_labels[index]) if items.classes and len(items.test_labels) else None,
        predicted=None,
        probability=None,
        wrong=int(sum((~each).sum() for each in right)),
        trials=sum(len(each) for each in right),
        known_wrong_label=False,
    )


def _class_scores(
    said: Mapping[str, Sequence[Predicted]], items: Items
) -> dict[ClassScore, dict[str, NDArray[np.float64]]]:
    """Return F1, recall and precision of each class; 0 where there is none."""
    found: dict[ClassScore, dict[str, NDArray[np.float64]]] = {
        "f1": {},
        "recall": {},
        "precision": {},
    }
    classes, truth = len(items.classes), items.test_labels
    there = np.bincount(truth, minlength=classes)
    for name, runs in said.items():
        scores = []
        for run in runs:
            hits = np.bincount(truth[run.classes == truth], minlength=classes)
            told = np.bincount(run.classes, minlength=classes)
            scores.append(
                (
                    2 * hits / np.maximum(there + told, 1),
                    hits / np.maximum(there, 1),
                    hits / np.maximum(told, 1),
                )
            )
        for score, mean in zip(found, np.mean(scores, axis=0), strict=True):
            found[score][name] = mean
    return found
