"""What simulate_verdicts measures, as tables; rates in per cent."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import dataclass


@dataclass(frozen=True)
class Row:
    """What was measured in a cell: shares of the repeats, and a ratio of mean widths."""

    accuracy: float
    seeds: int
    images: int
    seed_variance: str
    rejected: float
    rejected_hillis: float
    covered: float
    covered_hillis: float
    falsely_equivalent: float
    width_to_hillis: float


def table(rows: Sequence[Row]) -> str:
    """Return every cell."""
    lines = [
        "| accuracy | images | seeds | seed variance | rejected | (plain) | covered | (plain) "
        "| falsely equivalent | width |",
        "|---:|---:|---:|---|---:|---:|---:|---:|---:|---:|",
    ]
    lines += [
        f"| {row.accuracy} | {row.images:,} | {row.seeds} | {row.seed_variance} "
        f"| {100 * row.rejected:.1f} | {100 * row.rejected_hillis:.1f} "
        f"| {100 * row.covered:.1f} | {100 * row.covered_hillis:.1f} "
        f"| {100 * row.falsely_equivalent:.1f} | {row.width_to_hillis:.2f} |"
        for row in rows
    ]
    return "\n".join(lines) + "\n"


def ranges_table(rows: Sequence[Row]) -> str:
    """Return the lowest and highest of the cells of one accuracy and number of seeds."""
    lines = [
        "| accuracy | seeds | rejected | (plain) | covered | (plain) | falsely equivalent "
        "| width |",
        "|---:|---:|---|---|---|---|---|---|",
    ]
    for accuracy, seeds in dict.fromkeys((row.accuracy, row.seeds) for row in rows):
        cells = [row for row in rows if (row.accuracy, row.seeds) == (accuracy, seeds)]
        columns = [
            _range(cells, lambda row: f"{100 * row.rejected:.1f}"),
            _range(cells, lambda row: f"{100 * row.rejected_hillis:.1f}"),
            _range(cells, lambda row: f"{100 * row.covered:.1f}"),
            _range(cells, lambda row: f"{100 * row.covered_hillis:.1f}"),
            _range(cells, lambda row: f"{100 * row.falsely_equivalent:.1f}"),
            _range(cells, lambda row: f"{row.width_to_hillis:.2f}"),
        ]
        lines.append(f"| {accuracy} | {seeds} | {' | '.join(columns)} |")
    return "\n".join(lines) + "\n"


def _range(cells: Sequence[Row], shown: Callable[[Row], str]) -> str:
    values = sorted((shown(row) for row in cells), key=float)
    return values[0] if values[0] == values[-1] else f"{values[0]} to {values[-1]}"


def gaussian_table(rows: Sequence[dict[str, float]]) -> str:
    """Return the rows for effects that are exactly normal."""
    lines = [
        "| seeds | seeds' share | rejected at 5 % | (plain) | at 0.5 % | (plain) | width |",
        "|---:|---:|---:|---:|---:|---:|---:|",
    ]
    lines += [
        f"| {row['seeds']} | {row['share']} | {100 * row['rejected']:.1f} "
        f"| {100 * row['rejected_hillis']:.1f} | {100 * row['rejected_at_0.005']:.2f} "
        f"| {100 * row['rejected_hillis_at_0.005']:.2f} | {row['width_to_hillis']:.2f} |"
        for row in rows
    ]
    return "\n".join(lines) + "\n"
