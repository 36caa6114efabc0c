"""A look inside a network as a file of its own."""

from __future__ import annotations

from bakeoff.findings.look import Look
from bakeoff.report.palette import TONES
from bakeoff.report.pictures.look_sheet import WIDTH, lay_out
from bakeoff.report.pictures.looks import look_pictures
from bakeoff.report.templating import environment


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
