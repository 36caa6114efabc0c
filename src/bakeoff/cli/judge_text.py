"""How a judgement of predictions looks as text."""

from __future__ import annotations

from pathlib import Path
from typing import TYPE_CHECKING

from rich.console import Console

from bakeoff.cli.rows import console_of_output, print_rows, say

if TYPE_CHECKING:
    from bakeoff.findings.judgement import Judgement


def judgement_text(judged: Judgement, page: Path | None = None) -> str:
    """Return what was understood, the table of entrants, the verdicts, and what was required."""
    console = console_of_output()
    with console.capture() as captured:
        for line in judged.predictions.understood:
            say(console, line)
        console.print()
        _print_standings(console, judged)
        if judged.comparison.tested:
            say(console, judged.speaks_of)
        for pair in judged.comparison.tested:
            say(console, f"- {pair.verdict.sentence}")
        for line in (*judged.notes, *(each.sentence for each in judged.comparison.required)):
            say(console, line)
    return captured.get() + (f"report: {page}" if page else "")


def _print_standings(console: Console, judged: Judgement) -> None:
    """Print the table of entrants, the best on these items first."""
    rows = []
    for row in judged.standings:
        seen = judged.score_of(row)
        found = ["-", "-"]
        if seen is not None:
            found = [f"{seen.mean:.4f}", f"{seen.low:.4f} to {seen.high:.4f}"]
        rows.append([row.name, str(len(row.seeds)), *found])
    print_rows(console, ("entrant", "runs", judged.called, "interval"), rows)
