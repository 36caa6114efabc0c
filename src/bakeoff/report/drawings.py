"""The pictures as files of their own."""

from __future__ import annotations

from bakeoff.findings.findings import Findings
from bakeoff.findings.look import Look
from bakeoff.report.charts.charts import charts
from bakeoff.report.palette import TONES
from bakeoff.report.pictures.look_sheet import WIDTH, lay_out
from bakeoff.report.pictures.looks import look_pictures
from bakeoff.report.templating import environment


def draw_figures(findings: Findings) -> dict[str, str]:
    """Return the charts of the page, and the look inside the winner, by file name without .svg."""
    found = {name: chart.standalone() for name, chart in charts(findings).items()}
    if findings.look is not None:
        found["inside"] = draw_look(findings.look)
    return found


def draw_look(look: Look) -> str:
    """Return one picture of what a network sees in one image, as an SVG file."""
    return (
        environment()
        .get_template("look.svg")
        .render(
            sheet=lay_out(look_pictures(look)),
            width=WIDTH,
            title=f"Inside {look.entrant}, seed {look.seed}, at test image {look.index}",
            tones=TONES,
        )
    )
