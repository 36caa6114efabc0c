"""How the results of a run look as text."""

from __future__ import annotations

from collections.abc import Sequence
from typing import TYPE_CHECKING

from rich import box
from rich.console import Console
from rich.table import Table

if TYPE_CHECKING:  # A display is there before statistics are imported.
    from bakeoff.comparison.pair import PairComparison
    from bakeoff.findings.standings import Standing

# Characters: a name has 64 at most.
_WIDEST_TABLE = 160


def results_console() -> Console:
    """Return where results are printed. A file or pipe is wide enough for every table."""
    console = Console()
    return console if console.is_terminal else Console(width=_WIDEST_TABLE)


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
            "-" if row.parameters is None else f"{row.parameters:,}",
            "-" if row.epochs is None else f"{row.epochs:g}",
            _seconds(row.training_seconds),
            _seconds(row.wall_seconds),
            style="bold" if place == 0 and row.trials else None,
        )
    return table


def pair_lines(pairs: Sequence[PairComparison], more_seeds: str) -> list[str]:
    """Return one line for each pair; what one seed is worth is said once.

    more_seeds: the command that trains more of them.
    """
    from bakeoff.comparison.verdict import of_trained_models

    lines = [f"- {pair.verdict.sentence}" for pair in pairs if pair.mcnemar is None]
    single = [(pair.a, pair.b, pair.mcnemar) for pair in pairs if pair.mcnemar is not None]
    if single:
        lines += [
            f"one seed cannot support a claim about architectures; more: {more_seeds}",
            "of the trained models alone:",
            *(f"- {of_trained_models(*each)}" for each in single),
        ]
    return lines


def _decimal(value: float | None, digits: int) -> str:
    return "-" if value is None else f"{value:,.{digits}f}"


def _seconds(value: float | None) -> str:
    return _decimal(value, 0 if value is not None and value >= 1000 else 1)
