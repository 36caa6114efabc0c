"""A judgement as a notebook shows it: its table and its verdicts, in the notebook's own colours."""

from __future__ import annotations

from bakeoff.findings.judgement import Judgement
from bakeoff.report.templating import environment


def draw_card(judgement: Judgement) -> str:
    """Return HTML that needs nothing outside itself and takes colours from around it."""
    rows = [(row, judgement.score_of(row)) for row in judgement.standings]
    return environment().get_template("card.html").render(judgement=judgement, rows=rows)
