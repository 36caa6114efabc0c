"""The table of all entrants: what stands in each column, as text and as a number to sort by."""

from __future__ import annotations

from typing import NamedTuple

from bakeoff.findings.findings import Findings
from bakeoff.report import words


class Cell(NamedTuple):
    """A number as it is printed, and in full."""

    text: str
    value: float | None
    best: bool
    """Whether it is the best of what entrants are chosen by."""


class Column(NamedTuple):
    """A column of numbers."""

    title: str
    note: str
    """What is under the title: the data, the unit, the role."""
    better: str
    """`high` or `low`: which end is good, `none` where neither is."""
    cells: tuple[Cell, ...]
    """One per entrant, in the order of the standings."""


def columns(findings: Findings) -> list[Column]:
    """Return the numbers of the study's entrants, none left out.

    Parameters that move have a column where a study holds some still, blank where all move.
    """
    metric = findings.study.protocol.selection_metric
    chosen = "Balanced acc." if metric == "balanced_accuracy" else "Accuracy"
    found: list[Column] = []
    for title, note, better, write, field in (
        (chosen, "validation", "high", words.proportion, f"validation_{metric}"),
        ("Balanced acc.", "test", "high", words.proportion, "test_balanced_accuracy"),
        ("Accuracy", "test", "high", words.proportion, "test_accuracy"),
        ("Parameters", "", "low", words.whole, "parameters"),
        ("Parameters", "that move", "none", words.whole, "trained_parameters"),
        ("Epochs", "", "none", words.count, "epochs"),
        ("Training", "clean seconds", "low", words.duration, "training_seconds"),
        ("Training", "wall seconds", "none", words.duration, "wall_seconds"),
        ("Multiply-adds", "per image", "low", words.whole, "multiply_adds_per_image"),
        ("ms/image", "batch of 1", "low", words.duration, "milliseconds_per_image_batch_1"),
        ("ms/image", "batch of 1,000", "low", words.duration, "milliseconds_per_image_batch_1000"),
    ):
        values: list[float | None] = [getattr(row, field) for row in findings.standings]
        known = [value for value in values if value is not None]
        if field == "trained_parameters" and not known:
            continue
        best = None if found else max(known, default=None)
        cells = (Cell(write(each), each, best=each is not None and each == best) for each in values)
        found.append(Column(title, note, better, tuple(cells)))
    return found
