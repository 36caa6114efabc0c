"""Tables of shaded cells: scores of every class, and confusion matrices."""

from __future__ import annotations

import math
from collections.abc import Sequence
from dataclasses import dataclass
from statistics import fmean
from typing import Literal

from bakeoff.findings.findings import Findings
from bakeoff.report.charts import canvas
from bakeoff.report.charts.labels import shortened
from bakeoff.report.palette import HEAT, INK, MISS, MUTED

ClassScore = Literal["f1", "recall", "precision"]

TITLES: dict[ClassScore, str] = {
    "f1": "F1 of each class",
    "recall": "Recall of each class",
    "precision": "Precision of each class",
}

_DEEPEST = 0.52
"""Opacity of the deepest cell: ink stays readable on it, on light paper and on dark."""


@dataclass(frozen=True)
class ClassRow:
    """One entrant's scores per class on test data, means over its seeds."""

    entrant: str
    values: tuple[float, ...]


def class_rows(findings: Findings, score: ClassScore) -> tuple[ClassRow, ...]:
    """Return the entrants that have scores, best on validation data first."""
    found = []
    for row in findings.standings:
        tests = [record.test for record in findings.complete(row.entrant) if record.test]
        if tests:
            columns = zip(*(getattr(test, score) for test in tests), strict=True)
            found.append(ClassRow(row.entrant, tuple(fmean(column) for column in columns)))
    return tuple(found)


def draw_class_rows(rows: tuple[ClassRow, ...], classes: Sequence[str], score: ClassScore) -> str:
    """Return the chart as SVG: the darker a cell, the further from a perfect score."""
    figure = canvas.sheet(64 + 50 * len(rows))
    axes = canvas.bare(figure)
    canvas.heading(figure, TITLES[score])
    width = canvas.WIDTH / max(len(classes), 1)
    for place, name in enumerate(classes):
        _write(axes, (place + 0.5) * width, 38, shortened(name, 6), MUTED)
    worst = math.log10(max((1 - value for row in rows for value in row.values), default=1) or 1)
    for number, row in enumerate(rows):
        top = 50 + 50 * number
        _write(axes, 0, top + 11, shortened(row.entrant, 58), INK, align="left")
        for place, value in enumerate(row.values):
            # Depth counts powers of ten of the error: 0.9, 0.99 and 0.999 are evenly apart.
            depth = 1 - (worst - math.log10(max(1 - value, 1e-6))) / (worst + 3.3)
            depth = min(max(_DEEPEST * depth, 0.02), _DEEPEST)
            _cell(axes, (place * width, top + 20, width, 24), HEAT, depth, _three_places(value))
    return canvas.to_svg(figure)


@dataclass(frozen=True)
class Confusion:
    """Test images by true and predicted class, summed over an entrant's seeds."""

    entrant: str
    counts: tuple[tuple[int, ...], ...]
    """[true class][predicted class]."""
    seeds: int


def confusions(findings: Findings) -> tuple[Confusion, ...]:
    """Return the entrants that have scores, best on validation data first."""
    found = []
    for row in findings.standings:
        tests = [record.test for record in findings.complete(row.entrant) if record.test]
        if tests:
            size = range(len(tests[0].confusion))
            counts = tuple(
                tuple(sum(test.confusion[true][said] for test in tests) for said in size)
                for true in size
            )
            found.append(Confusion(row.entrant, counts, len(tests)))
    return tuple(found)


def draw_confusion(found: Confusion, classes: Sequence[str]) -> str:
    """Return the chart as SVG: hits in a quiet tint, misses by the logarithm of their number."""
    side, left, top = 42.0, 60.0, 62.0
    size = len(found.counts)
    side = min(side, (canvas.WIDTH - left) / max(size, 1))
    figure = canvas.sheet(top + side * size + 4)
    axes = canvas.bare(figure)
    canvas.heading(figure, shortened(found.entrant, 48))
    _write(axes, left, 36, "predicted", MUTED, align="left")
    _write(axes, 0, top - 8, "true", MUTED, align="left")
    for place, name in enumerate(classes):
        _write(axes, left + (place + 0.5) * side, top - 8, shortened(name, 5), MUTED)
        _write(axes, left - 12, top + (place + 0.5) * side, shortened(name, 6), MUTED, "right")
    misses = [n for true, row in enumerate(found.counts) for said, n in enumerate(row)
              if true != said]  # fmt: skip
    most = math.log1p(max(misses, default=0)) or 1.0
    for true, row in enumerate(found.counts):
        for said, count in enumerate(row):
            box = (left + said * side, top + true * side, side, side)
            if true == said:
                _cell(axes, box, MUTED, 0.16, str(count))
            else:
                depth = _DEEPEST * math.log1p(count) / most if count else 0.025
                _cell(axes, box, MISS, depth, str(count) if count else "")
    return canvas.to_svg(figure)


def _write(
    axes: canvas.Axes, x: float, y: float, text: str, colour: str, align: str = "center"
) -> None:
    axes.text(x, y, text, color=colour, ha=align, va="center", size=canvas.TEXT - 0.5)


def _cell(
    axes: canvas.Axes, box: tuple[float, float, float, float], colour: str, depth: float, text: str
) -> None:
    left, top, width, height = box
    axes.add_artist(
        canvas.Rectangle(
            (left + 0.75, top + 0.75), width - 1.5, height - 1.5,
            facecolor=colour, alpha=depth, linewidth=0,
            clip_on=False,
        )
    )  # fmt: skip
    if text:
        _write(axes, left + width / 2, top + height / 2, text, INK)


def _three_places(value: float) -> str:
    """Return a proportion as .991, and 1 as 1.00, the way narrow tables print them."""
    text = f"{value:.3f}"
    return text[1:] if text.startswith("0") else "1.00"
