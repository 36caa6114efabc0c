"""Tables of shaded cells: scores of every class, and confusion matrices."""

from __future__ import annotations

import math
from collections.abc import Sequence

import numpy as np

from bakeoff.findings.mistakes import Confusion
from bakeoff.report.charts.canvas import LABEL, WIDTH
from bakeoff.report.charts.cells import CellSheet
from bakeoff.report.charts.labels import elided, extent
from bakeoff.report.charts.svg import Chart, Numbers
from bakeoff.report.palette import HEAT, INK, MISS, MUTED
from bakeoff.report.sections.classes import ClassTable

_DEEPEST = 0.52
"""Opacity of the deepest cell: ink stays readable on it, on light paper and on dark."""
_LONGEST_CLASS = 16
"""Characters of a class's name above a column."""
_LONGEST_BESIDE = 12
"""And beside a row, where it takes room from the cells."""
_ROW = 21.0
"""Height of a row of cells."""
_ENTRANT = 39.0
"""Height of an entrant's name and its row of cells."""
_NOTE = 18.0
"""Height of the line that says which classes are shown."""


def draw_class_table(found: ClassTable, classes: Sequence[str]) -> Chart | None:
    """Return the chart: the darker a cell, the further from a perfect score."""
    if not found.values:
        return None
    names = [elided(classes[place], _LONGEST_CLASS) for place in found.shown]
    some = _shown_of(found.shown, classes, "lowest")
    width = WIDTH / len(names)
    head = 26 + (_NOTE if some else 0) + _height_across(names, width)
    title = found.score.replace("f1", "F1").capitalize()
    sheet = CellSheet(head + _ENTRANT * len(found.values), f"{title} of each class")
    sheet.write(0, 36, some, MUTED, align="start")
    _write_across(sheet, names, 0, head, width)
    values = np.array(list(found.values.values()))[:, list(found.shown)]
    worst = math.log10(float((1 - values).max(initial=0)) or 1)
    for number, (entrant, scores) in enumerate(zip(found.values, values.tolist(), strict=True)):
        top = head + _ENTRANT * number
        sheet.write(0, top + 13, elided(entrant, 50), INK, align="start")
        for place, value in enumerate(scores):
            # Depth counts powers of ten of the error: 0.9, 0.99 and 0.999 are evenly apart.
            depth = 1 - (worst - math.log10(max(1 - value, 1e-6))) / (worst + 3.3)
            depth = min(max(_DEEPEST * depth, 0.02), _DEEPEST)
            box = (place * width, top + 17, width, _ROW - 1)
            said = f"{entrant}, {classes[found.shown[place]]}: {found.score} {value:.4f}"
            sheet.cell(box, HEAT, depth, _three_places(value), said)
    text = f"Heat map: {found.score} of each entrant for {some or 'each class'}, on test data."
    numbers = Numbers(
        ("Class", *found.values),
        [
            (classes[place], *(f"{each:.4f}" for each in row))
            for place, row in zip(found.shown, values.T.tolist(), strict=True)
        ],
    )
    return Chart(f"classes-{found.score}", text, sheet.svg(), numbers)


def draw_confusion(found: Confusion, classes: Sequence[str]) -> Chart:
    """Return the chart: hits in a quiet tint, misses by the logarithm of their number.

    Where not all classes are shown, a last column counts what was taken for any of the others.
    """
    names = [elided(classes[place], _LONGEST_BESIDE) for place in found.shown]
    some = _shown_of(found.shown, classes, "most confused")
    across = [*names, "others"] if some else names
    counts = found.counts[:, : len(across)]
    left = 16 + max(44.0, *map(_width, names))
    side = min(42.0, (WIDTH - left) / len(across))
    tall = min(side, _ROW)
    top = 42 + (_NOTE if some else 0) + _height_across(across, side)
    sheet = CellSheet(
        top + tall * len(names) + 4, f"Classes that {elided(found.entrant, 30)} confuses"
    )
    sheet.write(0, 36, some, MUTED, align="start")
    sheet.write(left, 38 + (_NOTE if some else 0), "predicted", MUTED, align="start")
    sheet.write(0, top - 4, "true", MUTED, align="start")
    _write_across(sheet, across, left, top, side)
    misses = counts[~np.eye(*counts.shape, dtype=np.bool_)]
    most = math.log1p(int(misses.max(initial=0))) or 1.0
    for true, row in enumerate(counts.tolist()):
        sheet.write(left - 12, top + (true + 0.5) * tall + 4, names[true], MUTED, align="end")
        for said, count in enumerate(row):
            box = (left + said * side, top + true * tall, side, tall)
            told = f"{names[true]} taken for {across[said]}: {count:,}"
            if true == said:
                sheet.cell(box, MUTED, 0.16, _fitting(count, side), told)
            else:
                depth = _DEEPEST * math.log1p(count) / most if count else 0.025
                sheet.cell(box, MISS, depth, _fitting(count, side) if count else "", told)
    text = f"Confusion matrix of {found.entrant}, {some or 'true classes'} down, predicted across."
    numbers = Numbers(
        ("True class", *(f"called {name}" for name in across)),
        [
            (name, *(f"{count:,}" for count in row))
            for name, row in zip(names, counts.tolist(), strict=True)
        ],
    )
    return Chart(f"confusion-{found.entrant}", text, sheet.svg(), numbers)


def _shown_of(shown: Sequence[int], classes: Sequence[str], which: str) -> str:
    """Return that only some classes are shown, or nothing where all are."""
    some = len(shown) < len(classes)
    return f"the {len(shown)} {which} of {len(classes)} classes" if some else ""


def _width(text: str) -> float:
    return extent(text, LABEL)[0]


def _height_across(names: Sequence[str], width: float) -> float:
    """Return the height of names over columns: one line, or the longest name where they turn."""
    widest = max(map(_width, names))
    return 20.0 if widest <= width else widest + 8


def _write_across(
    sheet: CellSheet, names: Sequence[str], left: float, bottom: float, width: float
) -> None:
    """Write a name over each column; where one is wider than its column, all are turned."""
    turned = max(map(_width, names)) > width
    for place, name in enumerate(names):
        centre = left + (place + 0.5) * width
        if turned:
            sheet.write(centre + 4, bottom - 3, name, MUTED, align="start", turned=True)
        else:
            sheet.write(centre, bottom - 4, name, MUTED)


def _fitting(count: int, width: float) -> str:
    """Return a count, in thousands where it is wider than its cell."""
    text = str(count)
    return text if _width(text) <= width else f"{count / 1000:.0f}k"


def _three_places(value: float) -> str:
    """Return a proportion as .991, and 1 as 1.00, the way narrow tables print them."""
    text = f"{value:.3f}"
    return text[1:] if text.startswith("0") else "1.00"
