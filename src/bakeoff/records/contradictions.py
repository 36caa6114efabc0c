"""What no trial can have left, though it has the form of a record: made up, or made by others."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any

import numpy as np
from numpy.typing import NDArray

from bakeoff.records.limits import (
    LARGEST_NUMBER,
    MOST_CLASSES,
    MOST_CLASSES_OF_A_MATRIX,
    SMALLEST_NUMBER,
)
from bakeoff.records.record import Epoch, Record, Scores
from bakeoff.study.study import Entrant
from bakeoff.text import shortened

_ROUNDING = 1e-9
"""Proportions are quotients of whole numbers: what differs by more was not rounded but changed."""


def contradiction_in(record: Record, entrant: Entrant) -> str | None:
    """Return in what a record contradicts itself or its entrant, where it does."""
    if (record.architecture, record.recipe) != (entrant.architecture, entrant.recipe):
        return "of another recipe than its study has"
    if record.complete and record.evaluation is None:
        return "complete, but without scores"
    if complaint := impossible_history(record.epochs):
        return complaint
    if complaint := unmeasured(record.model_dump(exclude={"recipe", "provenance", "epochs"})):
        return complaint
    for scores in (record.validation, record.test):
        if scores is not None and not _possible(scores):
            return "impossible scores"
    return None


def impossible_history(epochs: Sequence[Epoch]) -> str | None:
    """Return why no training can have had these epochs."""
    if [epoch.epoch for epoch in epochs] != list(range(1, len(epochs) + 1)):
        return "epochs are not counted from 1"
    if any(max(epoch.validation_accuracy, epoch.others or 0) > 1 for epoch in epochs):
        return "impossible shares"
    return unmeasured([epoch.model_dump() for epoch in epochs])


def unmeasured(values: Any) -> str | None:
    """Return which number among the values, however nested, no clock and no network can give."""
    left = [values]
    while left:
        value = left.pop()
        if isinstance(value, dict):
            left.extend(reversed(value.values()))
        elif isinstance(value, list | tuple):
            left.extend(reversed(value))
        elif (
            isinstance(value, int | float)
            and value != 0
            and not SMALLEST_NUMBER <= value <= LARGEST_NUMBER
        ):
            return f"{shortened(str(value), 20)} was not measured"
    return None


def _possible(scores: Scores) -> bool:
    """Return whether scores are proportions, and as many for each class as there are classes."""
    classes = len(scores.precision)
    rows = classes if classes <= MOST_CLASSES_OF_A_MATRIX else 0
    per_class = (scores.precision, scores.recall, scores.f1)
    return (
        0 < classes <= MOST_CLASSES
        and len(scores.confusion) == rows
        and all(len(each) == classes for each in (*per_class, *scores.confusion))
        and max(scores.accuracy, scores.balanced_accuracy, *map(max, per_class)) <= 1
        and (sum(map(sum, scores.confusion)) > 0 or not rows)
    )


def misfit(record: Record, predictions: Mapping[str, NDArray[Any]]) -> str | None:
    """Return in what a complete record has other scores than its predictions, if it has."""
    if not predictions:
        return "missing, and the record is complete"
    for part, scores in (("validation", record.validation), ("test", record.test)):
        classes = predictions[f"{part}_logits"].argmax(axis=1)
        complaint = scores and disagreement(scores, classes, predictions[f"{part}_labels"])
        if complaint:
            return f"{part} {complaint}"
    return None


def disagreement(
    scores: Scores, predicted: NDArray[np.int64], labels: NDArray[np.int64]
) -> str | None:
    """Return in what scores are not those of these predictions, with the largest difference.

    Whoever seals both can put in anything. predicted, labels: classes, int64 [images]. The loss is
    not looked at; it needs all logits.
    """
    classes = len(scores.precision)
    told = 1 + max(int(labels.max()), int(predicted.max()))
    if told > classes:
        return f"scores are of {classes} classes, the predictions of {told} or more"
    right = np.bincount(labels[predicted == labels], minlength=classes)
    there, said = np.bincount(labels, minlength=classes), np.bincount(predicted, minlength=classes)
    recall = right / np.maximum(there, 1)
    recomputed = {
        "accuracy": right.sum() / len(labels),
        "balanced_accuracy": recall[there > 0].mean(),
        "precision": right / np.maximum(said, 1),
        "recall": recall,
        "f1": 2 * right / np.maximum(there + said, 1),
    }
    if scores.confusion:
        counts = np.bincount(labels * classes + predicted, minlength=classes**2)
        recomputed["confusion"] = counts.reshape(classes, classes)
    for name, values in recomputed.items():
        found, exact = np.ravel(getattr(scores, name)), np.ravel(values)
        worst = int(np.abs(found - exact).argmax())
        if abs(found[worst] - exact[worst]) > _ROUNDING:
            return f"{name} is {found[worst]:.6g}, by the predictions {exact[worst]:.6g}"
    return None
