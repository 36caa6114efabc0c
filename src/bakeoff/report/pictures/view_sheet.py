"""The view inside a network as a file of its own: one sheet of pictures and lines of text."""

from __future__ import annotations

import textwrap
from collections.abc import Sequence
from dataclasses import dataclass, field
from typing import NamedTuple

from bakeoff.report import words
from bakeoff.report.palette import TONES
from bakeoff.report.pictures.views import COLOUR_BAR, EVIDENCE, Picture, ViewPictures
from bakeoff.report.templating import environment
from bakeoff.text import shortened

WIDTH = 960.0
_MARGIN = 24.0
_GAP = 24.0
_WIDEST_DIGIT = 9.5
"""Units that a digit or sign of a note takes at most."""
_LETTER = 7.5
"""Units that a letter of a note takes, on average."""
_LINES = {"title": (26.0, 72), "head": (44.0, 96), "note": (22.0, 120)}
"""Kind of text -> how far below what stands above it, and how many letters a line holds."""


class PlacedPicture(NamedTuple):
    """A picture with its box, in units of the sheet."""

    picture: Picture
    x: float
    y: float
    width: float
    height: float


class PlacedText(NamedTuple):
    """A line of text by the left end of its baseline."""

    text: str
    x: float
    y: float
    kind: str
    """`title`, `head` or `note`."""


@dataclass
class Sheet:
    """A sheet that is filled from the top."""

    pictures: list[PlacedPicture] = field(default_factory=list)
    texts: list[PlacedText] = field(default_factory=list)
    bottom: float = _MARGIN
    """Everything above it is taken."""

    def line(self, text: str, kind: str) -> None:
        """Write a line of its own; what does not fit goes on below."""
        step, letters = _LINES[kind]
        for place, part in enumerate(textwrap.wrap(text, letters)):
            self.bottom += step if place == 0 else min(step, 26.0)
            self.texts.append(PlacedText(part, _MARGIN, self.bottom, kind))

    def row(self, pictures: Sequence[Picture], width: float) -> None:
        """Place pictures side by side, each `width` wide with its caption below it."""
        self.bottom += 14
        tallest = 0.0
        for place, picture in enumerate(pictures):
            x = _MARGIN + place * (width + _GAP)
            height = width * picture.height / picture.width
            self.pictures.append(PlacedPicture(picture, x, self.bottom, width, height))
            caption = shortened(picture.caption, int(width / _LETTER))
            self.texts.append(PlacedText(caption, x, self.bottom + height + 18, "note"))
            tallest = max(tallest, height)
        self.bottom += tallest + 18

    def scale(self, limit: float) -> None:
        """Place the colour scale of what stands above."""
        self.bottom += 16
        low, high = f"\N{MINUS SIGN}{limit:.2g}", f"{limit:.2g}"
        left = _MARGIN + _WIDEST_DIGIT * len(low) + 8
        self.texts.append(PlacedText(low, _MARGIN, self.bottom + 10, "note"))
        self.pictures.append(PlacedPicture(COLOUR_BAR, left, self.bottom, 160, 12))
        self.texts.append(PlacedText(high, left + 168, self.bottom + 10, "note"))
        self.bottom += 12


def _columns(count: int) -> float:
    """Return the width of one of `count` columns."""
    return (WIDTH - 2 * _MARGIN - (count - 1) * _GAP) / count


def lay_out(shown: ViewPictures, apart: Sequence[ViewPictures]) -> Sheet:
    """Return the sheet of one view; apart: those of entrants that say something else."""
    view, sheet = shown.view, Sheet()
    sheet.line(f"{view.entrant}, seed {view.seed}, test image {view.index}", "title")
    sure = words.percent(view.probability)
    said = f"Label {view.label_name}; the network says {view.predicted_name}, {sure} sure."
    sheet.line(said, "note")
    sheet.line(f"{shown.summary[:1].upper()}{shown.summary[1:]}.", "note")
    for other in (shown, *apart):
        told = f"{other.view.entrant} says {other.view.predicted_name}, and looks"
        sheet.line("Where it looks" if other is shown else told, "head")
        sheet.row([other.original, *other.evidence.pictures], _columns(4))
        sheet.scale(other.evidence.limit)
    sheet.line(f"{EVIDENCE} It takes {view.occlusion.passes} forward passes.", "note")
    if shown.attention is not None:
        sheet.line("What attention gathers from each patch", "head")
        sheet.row([shown.original, shown.attention], _columns(4))
    _add_filters(sheet, shown)
    for layer in shown.layers:
        sheet.line(f"{layer.title}, channel {layer.channel}", "head")
        sheet.row([shown.original, *layer.one.pictures], _columns(4))
        sheet.scale(layer.one.limit)
        sheet.line(f"{layer.title}, {layer.which}", "head")
        sheet.row(layer.all.pictures, _columns(2))
        sheet.scale(layer.all.limit)
        if layer.zeros:
            zeros = words.percent(layer.zeros)
            sheet.line(f"{layer.activation} sets {zeros} of these values to zero.", "note")
    if shown.weights is not None:
        sheet.line("The weight image of each class", "head")
        pictures = shown.weights.pictures
        for start in range(0, len(pictures), 5):
            sheet.row(pictures[start : start + 5], _columns(5))
        sheet.scale(shown.weights.limit)
    sheet.bottom += _MARGIN
    return sheet


def _add_filters(sheet: Sheet, shown: ViewPictures) -> None:
    filters, found = shown.filters, shown.view.filters
    if filters is None or found is None:
        return
    sheet.line(f"Filters of the first convolution, {filters.size}", "head")
    sheet.row(filters.large, _columns(6))
    sheet.row([filters.all], _columns(2))
    if filters.in_colour:
        sheet.line(f"Grey is zero; full colours are {filters.limit:.2g} away from it.", "note")
    else:
        sheet.scale(filters.limit)
    sheet.line(f"{found.told}.", "note")


def draw_view(shown: ViewPictures, apart: Sequence[ViewPictures] = ()) -> str:
    """Return what a network sees in one image, as an SVG file; apart: as of `lay_out`."""
    view = shown.view
    return (
        environment()
        .get_template("view.svg")
        .render(
            sheet=lay_out(shown, apart),
            width=WIDTH,
            title=f"Inside {view.entrant}, seed {view.seed}, at test image {view.index}",
            tones=TONES,
        )
    )
