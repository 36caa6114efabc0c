"""The table of all entrants: what stands in each column, as text and as a number to sort by."""

from __future__ import annotations

from dataclasses import dataclass

from bakeoff.findings.findings import Findings
from bakeoff.findings.standings import Standing
from bakeoff.report import words
from bakeoff.report.palette import styles


@dataclass(frozen=True)
class Column:
    """A column of numbers."""

    title: str
    note: str
    """What is under the title: the data, the unit, the role."""
    better: str
    """`high` or `low`: which end is good, `none` where neither is."""


@dataclass(frozen=True)
class Cell:
    """A number as it is printed, and in full."""

    text: str
    value: float | None
    best: bool = False


@dataclass(frozen=True)
class Row:
    """One entrant."""

    entrant: str
    title: str
    colour: str
    winner: bool
    troubles: tuple[str, ...]
    trials: str
    """Empty where all planned trials are complete."""
    cells: tuple[Cell, ...]


@dataclass(frozen=True)
class Table:
    """The table, rows as they stand on validation data."""

    columns: tuple[Column, ...]
    rows: tuple[Row, ...]
    troubles: tuple[str, ...]


def _columns(metric: str) -> tuple[Column, ...]:
    chosen = "Balanced acc." if metric == "balanced_accuracy" else "Accuracy"
    return (
        Column(chosen, "validation", "high"),
        Column("Balanced acc.", "test", "high"),
        Column("Accuracy", "test", "high"),
        Column("Parameters", "", "low"),
        Column("Epochs", "", "none"),
        Column("Training", "clean seconds", "low"),
        Column("Training", "wall seconds", "none"),
        Column("Multiply-adds", "per image", "low"),
        Column("ms/image", "batch of 1", "low"),
        Column("ms/image", "batch of 1,000", "low"),
    )


def _numbers(row: Standing, metric: str) -> list[tuple[str, float | None]]:
    selected = row.selected_by(metric)
    one, thousand = row.milliseconds_per_image_batch_1, row.milliseconds_per_image_batch_1000
    return [
        (words.proportion(selected), selected),
        (words.proportion(row.test_balanced_accuracy), row.test_balanced_accuracy),
        (words.proportion(row.test_accuracy), row.test_accuracy),
        (words.whole(row.parameters), row.parameters),
        (words.count(row.epochs), row.epochs),
        (words.duration(row.training_seconds), row.training_seconds),
        (words.duration(row.wall_seconds), row.wall_seconds),
        (words.whole(row.multiply_adds_per_image), row.multiply_adds_per_image),
        (words.duration(one), one),
        (words.duration(thousand), thousand),
    ]


def table(findings: Findings) -> Table:
    """Return the table of the study's entrants, none left out."""
    metric = findings.study.protocol.selection_metric
    columns = _columns(metric)
    found = findings.standings
    numbers = [_numbers(row, metric) for row in found]
    bests: list[float | None] = []
    for place, column in enumerate(columns):
        known = [value for row in numbers if (value := row[place][1]) is not None]
        pick = {"high": max, "low": min}.get(column.better)
        bests.append(pick(known) if pick and known else None)
    style = styles(tuple(entrant.name for entrant in findings.study.entrants))
    rows = tuple(
        Row(
            entrant=row.entrant,
            title=findings.study.entrant(row.entrant).title,
            colour=style[row.entrant].css,
            winner=row.entrant == findings.winner,
            troubles=row.troubles,
            trials="" if row.trials == row.planned else f"{row.trials} of {row.planned} trials",
            cells=tuple(
                Cell(text, value, best=value is not None and value == best)
                for (text, value), best in zip(cells, bests, strict=True)
            ),
        )
        for row, cells in zip(found, numbers, strict=True)
    )
    return Table(columns, rows, tuple(line for row in rows for line in row.troubles))
