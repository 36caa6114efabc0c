"""How the results of a run look as text."""

from __future__ import annotations

from collections.abc import Sequence
from typing import TYPE_CHECKING

from rich import box
from rich.console import Console
from rich.table import Table

if TYPE_CHECKING:  # A display is there before statistics are imported.
    from bakeoff.findings.conclusion import Conclusion
    from bakeoff.findings.standings import Standing

# Characters: a name has 64 at most.
WIDEST_TABLE = 160


def results_text(conclusion: Conclusion, of_pairs: Sequence[str]) -> str:
    """Return the table of a run, its finding, and the lines `of_pairs`."""
    console = Console()
    if not console.is_terminal:  # A file or pipe is wide enough for every table.
        console = Console(width=WIDEST_TABLE)
    notes = [conclusion.comparison.time_note, conclusion.look_note, *conclusion.leaks]
    metric = conclusion.study.protocol.selection_metric
    with console.capture() as captured:
        console.print(results_table(conclusion.standings, metric))
        for line in (*conclusion.troubles, *notes, conclusion.answer, *of_pairs):
            if line:
                say(console, line)
    written = f"report: {conclusion.report}" if conclusion.report.exists() else ""
    return captured.get() + written


def say(console: Console, text: str) -> None:
    """Print one line. A terminal breaks it between words; elsewhere it stays whole."""
    console.print(text, highlight=False, markup=False, soft_wrap=not console.is_terminal)


def results_table(rows: Sequence[Standing], metric: str) -> Table:
    """Return the table of a study, the best on validation data first."""
    table = Table(box=box.SIMPLE_HEAD, pad_edge=False, show_edge=False, padding=(0, 1, 0, 0))
    # Where it is narrow a name may break, a number never.
    table.add_column("\nentrant", overflow="fold")
    chosen = "bal acc" if metric == "balanced_accuracy" else "acc"
    # Short enough for a terminal of 80 columns.
    for heading in (
        f"val\n{chosen}",
        "test\nacc",
        "test\nbal acc",
        "para-\nmeters",
        "\nepochs",
        "clean\nsec",
        "wall\nsec",
    ):
        table.add_column(heading, justify="right", no_wrap=True)
    for place, row in enumerate(rows):
        trials = "" if row.trials == row.planned else f" ({row.trials} of {row.planned})"
        table.add_row(
            row.entrant + trials,
            _decimal(row.selected_by(metric), 4),
            _decimal(row.test_accuracy, 4),
            _decimal(row.test_balanced_accuracy, 4),
            parameters_text(row.parameters, row.trained_parameters),
            "-" if row.epochs is None else f"{row.epochs:g}",
            _seconds(row.training_seconds),
            _seconds(row.wall_seconds),
            style="bold" if place == 0 and row.trials else None,
        )
    return table


def parameters_text(parameters: int | None, trained: int | None) -> str:
    """Return how many there are, after how many of them training moves, where that is not all."""
    every = "-" if parameters is None else f"{parameters:,}"
    return every if trained is None else f"{trained:,}\nof {every}"


def _decimal(value: float | None, digits: int) -> str:
    return "-" if value is None else f"{value:,.{digits}f}"


def _seconds(value: float | None) -> str:
    return _decimal(value, 0 if value is not None and value >= 1000 else 1)
