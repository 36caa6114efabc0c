"""The look inside a network on one sheet: where each picture and line of text stands."""

from __future__ import annotations

from dataclasses import dataclass, field

from bakeoff.report import words
from bakeoff.report.pictures.looks import Layer, LookPictures, Picture, colour_bar

WIDTH = 960.0
_MARGIN = 24.0
_INNER = WIDTH - 2 * _MARGIN
_GAP = 24.0
_WIDEST_DIGIT = 9.5
"""Units that a digit or sign of a note takes at most."""


@dataclass(frozen=True)
class PlacedPicture:
    """A picture with its box, in units of the sheet."""

    picture: Picture
    x: float
    y: float
    width: float
    height: float


@dataclass(frozen=True)
class PlacedText:
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
        """Write a line of its own."""
        self.bottom += {"title": 26.0, "head": 44.0, "note": 22.0}[kind]
        self.texts.append(PlacedText(text, _MARGIN, self.bottom, kind))

    def row(self, captioned: list[tuple[Picture, str]], width: float) -> None:
        """Place pictures side by side, each `width` wide with a caption below it."""
        self.bottom += 14
        tallest = 0.0
        for place, (picture, caption) in enumerate(captioned):
            x = _MARGIN + place * (width + _GAP)
            height = width * picture.height / picture.width
            self.pictures.append(PlacedPicture(picture, x, self.bottom, width, height))
            self.texts.append(PlacedText(caption, x, self.bottom + height + 18, "note"))
            tallest = max(tallest, height)
        self.bottom += tallest + 18

    def scale(self, limit: float) -> None:
        """Place the colour scale of what stands above."""
        self.bottom += 16
        low, high = f"\N{MINUS SIGN}{limit:.2g}", f"{limit:.2g}"
        left = _MARGIN + _WIDEST_DIGIT * len(low) + 8
        self.texts.append(PlacedText(low, _MARGIN, self.bottom + 10, "note"))
        self.pictures.append(PlacedPicture(colour_bar(), left, self.bottom, 160, 12))
        self.texts.append(PlacedText(high, left + 168, self.bottom + 10, "note"))
        self.bottom += 12


def _columns(count: int, gap: float = _GAP) -> float:
    """Return the width of one of `count` columns."""
    return (_INNER - (count - 1) * gap) / count


def _layer(sheet: Sheet, original: Picture, layer: Layer) -> None:
    sheet.line(f"{layer.title}, channel 0", "head")
    trio = [(original, "the image"), (layer.first.before, "before ReLU"),
            (layer.first.after, "after ReLU")]  # fmt: skip
    sheet.row(trio, _columns(4))
    sheet.scale(layer.first.limit)
    sheet.line(f"{layer.title}, all {layer.channels} channels", "head")
    cut = words.percent(layer.cut_off)
    sheet.row(
        [(layer.all.before, "before ReLU"), (layer.all.after, f"after ReLU, which cuts off {cut}")],
        _columns(2),
    )
    sheet.scale(layer.all.limit)


def lay_out(shown: LookPictures) -> Sheet:
    """Return the sheet of one look."""
    look, sheet = shown.look, Sheet()
    sheet.line(f"{look.entrant}, seed {look.seed}, test image {look.index}", "title")
    sure = words.percent(float(look.probabilities.max()))
    sheet.line(f"Label {look.label}; the network says {look.predicted}, {sure} sure.", "note")
    sheet.line(f"{shown.summary[:1].upper()}{shown.summary[1:]}.", "note")
    if shown.filters is not None:
        filters = shown.filters
        sheet.line(f"Filters of the first convolution, {filters.size}", "head")
        sheet.row([(picture, picture.alt) for picture in filters.large], _columns(6))
        sheet.row([(filters.all, f"all {filters.count} filters")], _columns(2))
        sheet.scale(filters.limit)
    for layer in shown.layers:
        _layer(sheet, shown.original, layer)
    if shown.weights is not None:
        sheet.line("The weight image of each class", "head")
        pictures = [(picture, picture.alt) for picture in shown.weights.pictures]
        for start in range(0, len(pictures), 5):
            sheet.row(pictures[start : start + 5], _columns(5))
        sheet.scale(shown.weights.limit)
    if not shown.layers and shown.weights is None:
        sheet.row([(shown.original, "the image")], _columns(4))
    sheet.bottom += _MARGIN
    return sheet
