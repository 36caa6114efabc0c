"""Tables of shaded cells: scores of every class, and confusion matrices."""

from __future__ import annotations

import math
from collections.abc import Sequence

import numpy as np

from bakeoff.findings.confusion import Confusion
from bakeoff.report.charts import canvas
from bakeoff.report.charts.labels import CHARACTER, elided
from bakeoff.report.palette import HEAT, INK, MISS, MUTED
from bakeoff.report.sections.classes import ClassScore, ClassTable

TITLES: dict[ClassScore, str] = {
    "f1": "F1 of each class",
    "recall": "Recall of each class",
    "precision": "Precision of each class",
}

_DEEPEST = 0.52
"""Opacity of the deepest cell: ink stays readable on it, on light paper and on dark."""
_SIZE = canvas.TEXT - 0.5
_LONGEST_CLASS = 16
"""Characters of a class's name."""
_OTHERS = "others"
_NOTE = 18.0
"""Height of the line that says which classes are shown."""


def shown_of(shown: Sequence[int], classes: Sequence[str], which: str) -> str:
    """Return that only some classes are shown, or nothing where all are."""
    if len(shown) == len(classes):
        return ""
    return f"the {len(shown)} {which} of {len(classes)} classes"


def draw_class_table(found: ClassTable, classes: Sequence[str]) -> str:
    """Return the chart as SVG: the darker a cell, the further from a perfect score."""
    names = [elided(classes[place], _LONGEST_CLASS) for place in found.shown]
    width = canvas.WIDTH / max(len(names), 1)
    note = shown_of(found.shown, classes, "lowest")
    head = 26 + (_NOTE if note else 0) + _height_across(names, width)
    figure = canvas.sheet(head + 18 + 50 * len(found.rows))
    axes = canvas.bare(figure)
    canvas.heading(figure, TITLES[found.score])
    if note:
        _write(axes, 0, 32, note, MUTED, "left")
    _write_across(axes, names, 0, head, width)
    values = np.array([row.values for row in found.rows])[:, list(found.shown)]
    worst = math.log10(float((1 - values).max(initial=0)) or 1)
    for number, (row, scores) in enumerate(zip(found.rows, values.tolist(), strict=True)):
        top = head + 4 + 50 * number
        _write(axes, 0, top + 11, elided(row.entrant, 58), INK, "left")
        for place, value in enumerate(scores):
            # Depth counts powers of ten of the error: 0.9, 0.99 and 0.999 are evenly apart.
            depth = 1 - (worst - math.log10(max(1 - value, 1e-6))) / (worst + 3.3)
            depth = min(max(_DEEPEST * depth, 0.02), _DEEPEST)
            _cell(axes, (place * width, top + 20, width, 24), HEAT, depth, _three_places(value))
    return canvas.to_svg(figure)


def draw_confusion(found: Confusion, classes: Sequence[str]) -> str:
    """Return the chart as SVG: hits in a quiet tint, misses by the logarithm of their number.

    Where not all classes are shown, a last column counts what was taken for any of the others.
    """
    names = [elided(classes[place], _LONGEST_CLASS) for place in found.shown]
    note = shown_of(found.shown, classes, "most confused")
    across = [*names, _OTHERS] if note else names
    counts = found.counts[:, : len(across)]
    left = 16 + max(44.0, *map(_width, names))
    side = min(42.0, (canvas.WIDTH - left) / len(across))
    top = 42 + (_NOTE if note else 0) + _height_across(across, side)
    figure = canvas.sheet(top + side * len(names) + 4)
    axes = canvas.bare(figure)
    canvas.heading(figure, elided(found.entrant, 48))
    if note:
        _write(axes, 0, 32, note, MUTED, "left")
    _write(axes, left, 36 + (_NOTE if note else 0), "predicted", MUTED, "left")
    _write(axes, 0, top - 8, "true", MUTED, "left")
    _write_across(axes, across, left, top, side)
    misses = counts[~np.eye(*counts.shape, dtype=np.bool_)]
    most = math.log1p(int(misses.max(initial=0))) or 1.0
    for true, row in enumerate(counts.tolist()):
        _write(axes, left - 12, top + (true + 0.5) * side, names[true], MUTED, "right")
        for said, count in enumerate(row):
            box = (left + said * side, top + true * side, side, side)
            if true == said:
                _cell(axes, box, MUTED, 0.16, str(count))
            else:
                depth = _DEEPEST * math.log1p(count) / most if count else 0.025
                _cell(axes, box, MISS, depth, str(count) if count else "")
    return canvas.to_svg(figure)


def _width(text: str) -> float:
    """Return how wide a text may be, in units."""
    return CHARACTER * _SIZE * len(text)


def _height_across(names: Sequence[str], width: float) -> float:
    """Return the height of names over columns: one line, or the longest name where they turn."""
    widest = max(map(_width, names), default=0.0)
    return 20.0 if widest <= width else widest + 8


def _write_across(
    axes: canvas.Axes, names: Sequence[str], left: float, bottom: float, width: float
) -> None:
    """Write a name over each column; where one is wider than its column, all are turned."""
    turned = max(map(_width, names), default=0.0) > width
    for place, name in enumerate(names):
        centre = left + (place + 0.5) * width
        if turned:
            axes.text(centre, bottom - 3, name, color=MUTED, ha="center", va="bottom",
                      size=_SIZE, rotation=90)  # fmt: skip
        else:
            _write(axes, centre, bottom - 8, name, MUTED)


def _write(
    axes: canvas.Axes,
    x: float,
    y: float,
    text: str,
    colour: str,
    align: str = "center",
    size: float = _SIZE,
) -> None:
    axes.text(x, y, text, color=colour, ha=align, va="center", size=size)


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
        size = min(_SIZE, _SIZE * width / _width(text))
        _write(axes, left + width / 2, top + height / 2, text, INK, size=size)


def _three_places(value: float) -> str:
    """Return a proportion as .991, and 1 as 1.00, the way narrow tables print them."""
    text = f"{value:.3f}"
    return text[1:] if text.startswith("0") else "1.00"
