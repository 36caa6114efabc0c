"""How a judgement of predictions looks as text."""

from __future__ import annotations

from pathlib import Path
from typing import TYPE_CHECKING

from rich import box
from rich.console import Console
from rich.table import Table

from bakeoff.cli.tables import WIDEST_TABLE, say

if TYPE_CHECKING:
    from bakeoff.findings.judgement import Judgement


def judgement_text(judged: Judgement, page: Path | None = None) -> str:
    """Return what was understood, the table of entrants, the verdicts, and what was required."""
    console = Console()
    if not console.is_terminal:
        console = Console(width=WIDEST_TABLE)
    with console.capture() as captured:
        for line in judged.predictions.understood:
            say(console, line)
        console.print()
        console.print(_table(judged))
        if judged.comparison.tested:
            say(console, judged.speaks_of)
        for pair in judged.comparison.tested:
            say(console, f"- {pair.verdict.sentence}")
        for line in (*judged.notes, *(each.sentence for each in judged.comparison.required)):
            say(console, line)
    return captured.get() + (f"report: {page}" if page else "")


def _table(judged: Judgement) -> Table:
    """Return the table of entrants, the best on these items first."""
    table = Table(box=box.SIMPLE_HEAD, pad_edge=False, show_edge=False, padding=(0, 1, 0, 0))
    table.add_column("entrant", overflow="fold")
    for heading in ("runs", judged.called, "interval"):
        table.add_column(heading, justify="right", no_wrap=True)
    for row in judged.standings:
        seen = judged.score_of(row)
        found = ["-", "-"]
        if seen is not None:
            found = [f"{seen.mean:.4f}", f"{seen.low:.4f} to {seen.high:.4f}"]
        table.add_row(row.name, str(len(row.seeds)), *found)
    return table
