"""Class by class: the scores of every class.

Where there are more classes than a chart can show, those of the lowest scores are shown.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Literal, get_args

import numpy as np
from numpy.typing import NDArray

from bakeoff.findings.findings import Findings
from bakeoff.findings.mistakes import MOST_CLASSES_SHOWN
from bakeoff.records.record import evaluations

ClassScore = Literal["f1", "recall", "precision"]


@dataclass(frozen=True, eq=False)
class ClassTable:
    """One score of every entrant that has any, for every class of the test data."""

    score: ClassScore
    shown: tuple[int, ...]
    """All classes in their order, or those of the lowest scores, the lowest first."""
    values: Mapping[str, NDArray[np.float64]]
    """By entrant, best on validation data first: [classes], means over its seeds."""


def class_tables(findings: Findings) -> dict[ClassScore, ClassTable]:
    """Return F1, recall and precision of each class."""
    return {
        score: class_table(score, _values(findings, score), len(findings.classes))
        for score in get_args(ClassScore)
    }


def _values(findings: Findings, score: ClassScore) -> dict[str, NDArray[np.float64]]:
    values = {}
    for row in findings.standings:
        tests = [each.test for each in evaluations(findings.trials(row.entrant))]
        if tests:
            values[row.entrant] = np.mean([getattr(test, score) for test in tests], axis=0)
    return values


def class_table(
    score: ClassScore, values: Mapping[str, NDArray[np.float64]], classes: int
) -> ClassTable:
    """Return the table of a score, from its [classes] by entrant."""
    shown = np.arange(classes)
    if values and len(shown) > MOST_CLASSES_SHOWN:
        means = np.mean(list(values.values()), axis=0)
        shown = np.argsort(means, kind="stable")[:MOST_CLASSES_SHOWN]
    return ClassTable(score, tuple(shown.tolist()), values)
