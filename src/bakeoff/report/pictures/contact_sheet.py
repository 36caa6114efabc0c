"""A contact sheet: some images of each class and part, then those that stand out, as one PNG."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, field
from typing import NamedTuple

import numpy as np
from numpy.typing import NDArray

from bakeoff.report.palette import TONES
from bakeoff.report.pictures.raster import (
    Lettering,
    Pixels,
    fitted,
    lettered,
    photograph,
    png,
)
from bakeoff.text import visible

_SOFTWARE = "bakeoff contact sheet"
"""By which a sheet is known from any other picture."""

_SIDE = 64
"""Picture elements of an image, at most."""
_GAP = 4
_APART = 16
"""Between parts and between pairs."""
_MARGIN = 20
_NAMES = 196
"""What the names of rows take."""


class Shown(NamedTuple):
    """An image as it stands on the sheet, and what is written below it."""

    picture: Pixels
    caption: str = ""


@dataclass(frozen=True)
class Row:
    """One class, or one way to stand out."""

    title: str
    note: str
    groups: Sequence[Sequence[Shown]]
    """Some images of each part, or those of each pair."""


@dataclass(frozen=True)
class ContactSheet:
    """All that stands on the sheet."""

    title: str
    note: str
    parts: Sequence[tuple[str, int]]
    """What the groups of classes are called, and how many images wide each is."""
    classes: Sequence[Row]
    odd: Sequence[Row]


def small(image: NDArray[np.uint8]) -> Pixels:
    """Return an image [channels, height, width] as it fits onto the sheet."""
    return fitted(photograph(image, light_on_dark=False), _SIDE)


def draw_contact_sheet(sheet: ContactSheet) -> bytes:
    """Return the sheet as a PNG file."""
    drawing = _Drawing()
    drawing.line(sheet.title, 18, "ink", 26)
    drawing.line(sheet.note, 12, "muted", 20)
    widths = [width for _, width in sheet.parts]
    for (part, _), x in zip(sheet.parts, _starts(widths), strict=True):
        drawing.text(part, x, drawing.bottom + 22, 12, "muted")
    drawing.bottom += 28
    for row in sheet.classes:
        drawing.row(row, widths)
    if sheet.odd:
        drawing.bottom += 10
        drawing.line("What stands out", 15, "ink", 26)
        drawing.bottom += 6
    for row in sheet.odd:
        drawing.row(row, [len(group) for group in row.groups])
        drawing.bottom += 14
    return png(drawing.drawn(), _SOFTWARE)


def is_contact_sheet(content: bytes) -> bool:
    """Return whether a file is a sheet that was drawn here."""
    # A PNG begins with 8 bytes, then 25 that tell its size; 4 more tell the length of the text.
    text = b"tEXtSoftware\0" + _SOFTWARE.encode()
    return content.startswith(b"\x89PNG\r\n\x1a\n") and content[37:].startswith(text)


def _starts(widths: Sequence[int]) -> list[int]:
    """Return where groups of so many images begin."""
    starts = [_MARGIN + _NAMES]
    for width in widths:
        starts.append(starts[-1] + width * (_SIDE + _GAP) + _APART)
    return starts[: len(widths)]


@dataclass
class _Drawing:
    """What was placed so far, from the top."""

    pictures: list[tuple[Pixels, int, int]] = field(default_factory=list)
    """Each with its left and its upper end."""
    texts: list[Lettering] = field(default_factory=list)
    bottom: int = _MARGIN
    """Everything above it is taken."""
    right: int = 640

    def text(self, text: str, x: int, y: int, size: int, role: str, widest: int = 900) -> None:
        line = Lettering(visible(text), x, y, size, TONES[role].light, widest)
        self.texts.append(line)

    def line(self, text: str, size: int, role: str, step: int) -> None:
        """Write a line of its own."""
        self.bottom += step
        self.text(text, _MARGIN, self.bottom - 6, size, role, self.right - 2 * _MARGIN)

    def row(self, row: Row, widths: Sequence[int]) -> None:
        """Place the images of a row beside its name."""
        middle = self.bottom + _SIDE // 2
        self.text(row.title, _MARGIN, middle - 2, 13, "ink", _NAMES - 12)
        self.text(row.note, _MARGIN, middle + 14, 11, "muted", _NAMES - 12)
        for group, start in zip(row.groups, _starts(widths), strict=True):
            for place, shown in enumerate(group):
                self._image(shown, start + place * (_SIDE + _GAP))
        self.bottom += _SIDE + _GAP

    def _image(self, shown: Shown, x: int) -> None:
        height, width = shown.picture.shape[:2]
        left, top = x + (_SIDE - width) // 2, self.bottom + (_SIDE - height) // 2
        self.pictures.append((shown.picture, left, top))
        self.text(shown.caption, x, self.bottom + _SIDE + 11, 9, "muted", _SIDE)
        self.right = max(self.right, x + _SIDE + _MARGIN)

    def drawn(self) -> Pixels:
        """Return the whole sheet."""
        pixels = np.empty((self.bottom + _MARGIN, self.right, 3), dtype=np.uint8)
        pixels[:] = np.frombuffer(bytes.fromhex(TONES["paper"].light[1:]), dtype=np.uint8)
        for picture, left, top in self.pictures:
            height, width = picture.shape[:2]
            pixels[top : top + height, left : left + width] = picture
        return lettered(pixels, [each for each in self.texts if each.text])
