"""What no trial can have left, though it has the form of a record: made up, or made by others."""

from __future__ import annotations

from collections.abc import Iterator
from typing import Any

from bakeoff.records.limits import (
    LARGEST_NUMBER,
    MOST_CLASSES,
    MOST_CLASSES_OF_A_MATRIX,
    SMALLEST_NUMBER,
)
from bakeoff.records.record import Record, Scores
from bakeoff.study.study import Entrant
from bakeoff.text import shortened


def contradiction_in(record: Record, entrant: Entrant) -> str | None:
    """Return in what a record contradicts itself or its entrant, where it does."""
    if (record.architecture, record.recipe) != (entrant.architecture, entrant.recipe):
        return "of another recipe than its study has"
    if record.complete and record.evaluation is None:
        return "complete, but without scores"
    if [epoch.epoch for epoch in record.epochs] != list(range(1, len(record.epochs) + 1)):
        return "epochs are not counted from 1"
    for value in _numbers(record.model_dump(exclude={"recipe", "provenance"})):
        if value != 0 and not SMALLEST_NUMBER <= value <= LARGEST_NUMBER:
            return f"{shortened(str(value), 20)} was not measured"
    for scores in (record.validation, record.test):
        if scores is not None and not _possible(scores):
            return "impossible scores"
    return None


def _numbers(value: Any) -> Iterator[float]:
    if isinstance(value, dict):
        value = list(value.values())
    if isinstance(value, list | tuple):
        for each in value:
            yield from _numbers(each)
    elif isinstance(value, int | float):
        yield value


def _possible(scores: Scores) -> bool:
    """Return whether scores are proportions, and as many for each class as there are classes."""
    classes = len(scores.precision)
    rows = classes if classes <= MOST_CLASSES_OF_A_MATRIX else 0
    per_class = (scores.precision, scores.recall, scores.f1)
    proportions = [
        scores.accuracy,
        scores.balanced_accuracy,
        *(v for each in per_class for v in each),
    ]
    return (
        max(proportions) <= 1
        and len(scores.confusion) == rows
        and (sum(map(sum, scores.confusion)) > 0 or not rows)
        and 0 < classes <= MOST_CLASSES
        and all(len(each) == classes for each in (*per_class, *scores.confusion))
    )
