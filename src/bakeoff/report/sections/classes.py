"""Class by class: scores of every class, and which class is taken for which.

Where there are more classes than a chart can show, it shows the worst, and says so.
"""

from __future__ import annotations

from dataclasses import dataclass
from statistics import fmean
from typing import Literal, NamedTuple

import numpy as np
from numpy.typing import NDArray

from bakeoff.findings.findings import Findings

ClassScore = Literal["f1", "recall", "precision"]
MOST_SHOWN = 12
"""So many classes stand side by side on a phone with their numbers legible."""


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


@dataclass(frozen=True, eq=False)
class Confusion:
    """Test images of one entrant by true and predicted class, summed over its seeds."""

    entrant: str
    counts: NDArray[np.int64]
    """[true class, predicted class]."""
    shown: tuple[int, ...]
    """All classes in their order, or those most confused, next to each other what is confused."""


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
        tests = [record.test for record in findings.complete(row.entrant) if record.test]
        if tests:
            columns = zip(*(getattr(test, score) for test in tests), strict=True)
            found.append(ClassRow(row.entrant, tuple(fmean(column) for column in columns)))
    return ClassTable(score, _lowest(found, len(findings.classes)), tuple(found))


def _lowest(rows: list[ClassRow], classes: int) -> tuple[int, ...]:
    if classes <= MOST_SHOWN or not rows:
        return tuple(range(classes))
    means = np.mean([row.values for row in rows], axis=0)
    return tuple(np.argsort(means, kind="stable")[:MOST_SHOWN].tolist())


def confusions(findings: Findings) -> tuple[Confusion, ...]:
    """Return the entrants whose records hold a matrix, best on validation data first."""
    found = []
    for row in findings.standings:
        tests = [record.test for record in findings.complete(row.entrant) if record.test]
        if tests and tests[0].confusion:
            counts = np.array([test.confusion for test in tests], dtype=np.int64).sum(axis=0)
            found.append(Confusion(row.entrant, counts, _most_confused(counts)))
    return tuple(found)


def _most_confused(counts: NDArray[np.int64]) -> tuple[int, ...]:
    """Return the classes of the pairs that are most often taken for each other, pair by pair."""
    classes = len(counts)
    if classes <= MOST_SHOWN:
        return tuple(range(classes))
    either_way = np.triu(counts + counts.T, k=1).ravel()
    found: dict[int, None] = {}
    for place in np.argsort(-either_way, kind="stable"):
        found |= dict.fromkeys(divmod(int(place), classes))
        if len(found) >= MOST_SHOWN:
            break
    return tuple(found)[:MOST_SHOWN]
