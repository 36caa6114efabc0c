"""Class by class: the scores of every class.

Where there are more classes than a chart can show, those of the lowest scores are shown.
"""

from __future__ import annotations

from dataclasses import dataclass
from statistics import fmean
from typing import Literal, NamedTuple

import numpy as np

from bakeoff.findings.confusion import MOST_CLASSES_SHOWN
from bakeoff.findings.findings import Findings
from bakeoff.records.record import evaluations

ClassScore = Literal["f1", "recall", "precision"]


@dataclass(frozen=True)
class ClassRow:
    """One entrant's scores per class on test data, means over its seeds."""

    entrant: str
    values: tuple[float, ...]
    """[classes], also those that are not shown."""


@dataclass(frozen=True)
class ClassTable:
    """One score of every entrant, best on validation data first, for every class."""

    score: ClassScore
    shown: tuple[int, ...]
    """All classes in their order, or those of the lowest scores, the lowest first."""
    rows: tuple[ClassRow, ...]


class ClassTables(NamedTuple):
    """The three scores of each class."""

    f1: ClassTable
    recall: ClassTable
    precision: ClassTable


def class_tables(findings: Findings) -> ClassTables:
    """Return the scores of each entrant that has any."""
    return ClassTables(
        _class_table(findings, "f1"),
        _class_table(findings, "recall"),
        _class_table(findings, "precision"),
    )


def _class_table(findings: Findings, score: ClassScore) -> ClassTable:
    found = []
    for row in findings.standings:
        tests = [each.test for each in evaluations(findings.trials(row.entrant))]
        if tests:
            columns = zip(*(getattr(test, score) for test in tests), strict=True)
            found.append(ClassRow(row.entrant, tuple(fmean(column) for column in columns)))
    return ClassTable(score, _lowest(found, len(findings.classes)), tuple(found))


def _lowest(rows: list[ClassRow], classes: int) -> tuple[int, ...]:
    if classes <= MOST_CLASSES_SHOWN or not rows:
        return tuple(range(classes))
    means = np.mean([row.values for row in rows], axis=0)
    return tuple(np.argsort(means, kind="stable")[:MOST_CLASSES_SHOWN].tolist())
