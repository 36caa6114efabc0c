"""How the results of a run look as text."""

from __future__ import annotations

from collections.abc import Sequence
from typing import TYPE_CHECKING

from rich.console import Console

from bakeoff.cli.rows import console_of_output, print_rows, say

if TYPE_CHECKING:  # A display is there before statistics are imported.
    from bakeoff.findings.conclusion import Conclusion
    from bakeoff.findings.standings import Standing


def results_text(conclusion: Conclusion, of_pairs: Sequence[str]) -> str:
    """Return the table of a run, its finding, and the lines `of_pairs`."""
    console = console_of_output()
    comparison = conclusion.comparison
    notes = [comparison.time_note, conclusion.mixed_hardware, conclusion.look_note]
    notes += conclusion.leaks
    with console.capture() as captured:
        print_standings(console, conclusion.standings, conclusion.study.protocol.selection_metric)
        for line in (*conclusion.troubles, *notes, conclusion.answer, *of_pairs):
            if line:
                say(console, line)
    written = f"report: {conclusion.report}" if conclusion.report.exists() else ""
    return captured.get() + written


def print_standings(console: Console, rows: Sequence[Standing], metric: str) -> None:
    """Print the table of a study, the best on validation data first."""
    chosen = "bal acc" if metric == "balanced_accuracy" else "acc"
    # Short enough for a terminal of 80 columns.
    headings = (
        "entrant", f"val\n{chosen}", "test\nacc", "test\nbal acc", "para-\nmeters", "epochs",
        "clean\nsec", "wall\nsec",
    )  # fmt: skip
    print_rows(
        console, headings, [_cells(row, metric) for row in rows], first_is_bold=bool(rows[0].trials)
    )


def _cells(row: Standing, metric: str) -> list[str]:
    trials = "" if row.trials == row.planned else f" ({row.trials} of {row.planned})"
    return [
        row.entrant + trials,
        _decimal(row.selected_by(metric), 4),
        _decimal(row.test_accuracy, 4),
        _decimal(row.test_balanced_accuracy, 4),
        parameters_text(row.parameters, row.trained_parameters),
        "-" if row.epochs is None else f"{row.epochs:g}",
        _seconds(row.training_seconds),
        _seconds(row.wall_seconds),
    ]


def parameters_text(parameters: int | None, trained: int | None) -> str:
    """Return how many there are, after how many of them training moves, where that is not all."""
    every = "-" if parameters is None else f"{parameters:,}"
    return every if trained is None else f"{trained:,}\nof {every}"


def _decimal(value: float | None, digits: int) -> str:
    return "-" if value is None else f"{value:,.{digits}f}"


def _seconds(value: float | None) -> str:
    return _decimal(value, 0 if value is not None and value >= 1000 else 1)
