"""Small pictures: arrays to PNG, one picture element per number, for crisp enlargement."""

from __future__ import annotations

import base64
import io
from collections.abc import Iterable
from functools import cache
from importlib.util import find_spec
from pathlib import Path
from typing import NamedTuple

import numpy as np
from numpy.typing import NDArray
from PIL import Image, ImageDraw, ImageFont
from PIL.PngImagePlugin import PngInfo

Pixels = NDArray[np.uint8]
"""[height, width, 3]: red, green, blue."""

_ANCHORS = np.array(
    [
        (8, 48, 107),
        (33, 102, 172),
        (103, 169, 207),
        (209, 229, 240),
        (250, 249, 246),
        (253, 219, 199),
        (239, 138, 98),
        (178, 70, 16),
        (103, 37, 0),
    ],
    dtype=np.float64,
)
"""Blue below zero, white at zero, orange above: told apart by colour-blind readers too."""

COLOURS = 3
"""Channels of an image in colour."""


def photograph(image: NDArray[np.uint8], *, light_on_dark: bool) -> Pixels:
    """Return an image [channels, height, width] as pixels: three channels in colour, else grey.

    One that is light on dark is shown as its negative, dark on light, as on paper.
    """
    if len(image) != COLOURS:
        image = np.repeat(image[:1], COLOURS, axis=0)
    shown = 255 - image if light_on_dark else image
    return np.ascontiguousarray(shown.transpose(1, 2, 0))


def coloured(values: NDArray[np.floating], limit: float) -> Pixels:
    """Return values [3, height, width] as the colours that they are, mid-grey at zero."""
    scaled = np.clip(np.asarray(values, dtype=np.float64) / (limit or 1.0), -1, 1)
    return np.rint((scaled + 1) / 2 * 255).astype(np.uint8).transpose(1, 2, 0)


def diverging(values: NDArray[np.floating], limit: float) -> Pixels:
    """Return values [height, width] as colours between -limit and limit, white at zero."""
    scaled = np.clip(np.asarray(values, dtype=np.float64) / (limit or 1.0), -1, 1)
    places = (scaled + 1) / 2 * (len(_ANCHORS) - 1)
    steps = np.arange(len(_ANCHORS))
    channels = [np.interp(places, steps, _ANCHORS[:, channel]) for channel in range(3)]
    return np.rint(np.stack(channels, axis=-1)).astype(np.uint8)


def shining_through(photo: Pixels, colours: Pixels) -> Pixels:
    """Return colours, darker where a photograph of the same size is dark."""
    grey = photo.mean(axis=2, keepdims=True) / 255
    darker: Pixels = np.rint(colours * (0.5 + 0.5 * grey)).astype(np.uint8)
    return darker


def enlarged(picture: Pixels, times: int) -> Pixels:
    """Return a picture with `times` x `times` picture elements for each of its own."""
    return picture.repeat(times, axis=0).repeat(times, axis=1)


def fitted(picture: Pixels, side: int) -> Pixels:
    """Return a picture as large as fits into a square of `side`.

    A small one gets whole squares for its elements, a large one is averaged.
    """
    height, width = picture.shape[:2]
    if max(height, width) <= side:
        return enlarged(picture, side // max(height, width))
    scale = side / max(height, width)
    size = max(1, round(width * scale)), max(1, round(height * scale))
    return np.asarray(Image.fromarray(picture).resize(size, Image.Resampling.BOX))


class Lettering(NamedTuple):
    """A line of text by the left end of its baseline, in picture elements."""

    text: str
    x: int
    y: int
    size: int
    colour: str
    widest: int
    """What is wider loses letters in its middle, where names of files differ least."""


def lettered(pixels: Pixels, lines: Iterable[Lettering]) -> Pixels:
    """Return a picture with lines of text on it."""
    image = Image.fromarray(pixels)
    pen = ImageDraw.Draw(image)
    for line in lines:
        font = _font(line.size)
        text = _narrowed(_drawable(line.text, font), font, line.widest)
        pen.text((line.x, line.y), text, fill=line.colour, font=font, anchor="ls")
    return np.asarray(image)


def _drawable(text: str, font: ImageFont.FreeTypeFont) -> str:
    r"""Return a text with the codes of letters that the font lacks: `猫` as `\u732b`."""
    lacking = bytes(font.getmask("\uffff"))
    return "".join(
        letter.encode("unicode_escape").decode()
        if bytes(font.getmask(letter)) == lacking
        else letter
        for letter in text
    )


def _narrowed(text: str, font: ImageFont.FreeTypeFont, widest: int) -> str:
    kept = text
    while len(kept) > 1 and font.getlength(kept) > widest:
        letters = len(kept) - 1 if kept is text else len(kept) - 2
        kept = f"{text[: letters // 2]}…{text[len(text) - (letters - letters // 2) :]}"
    return kept


@cache
def _font(size: int) -> ImageFont.FreeTypeFont:
    """Return the letters of the charts; to import matplotlib for them would take a second."""
    found = find_spec("matplotlib")
    origin = found.origin if found is not None else None
    folder = Path(origin or "").parent / "mpl-data" / "fonts" / "ttf"
    return ImageFont.truetype(folder / "DejaVuSans.ttf", size)


_GAP = (205, 203, 197)


def tiles(pictures: list[Pixels], columns: int, gap: int = 1) -> Pixels:
    """Return pictures of one size as a grid, with grey lines between them."""
    height, width = pictures[0].shape[:2]
    columns = min(columns, len(pictures))
    rows = -(-len(pictures) // columns)
    shape = (rows * (height + gap) - gap, columns * (width + gap) - gap, 3)
    grid = np.full(shape, _GAP, dtype=np.uint8)
    for place, picture in enumerate(pictures):
        top = place // columns * (height + gap)
        left = place % columns * (width + gap)
        grid[top : top + height, left : left + width] = picture
    return grid


def png(pixels: Pixels, software: str = "") -> bytes:
    """Return the pixels as a PNG, which names the software that made it where it is given."""
    buffer, texts = io.BytesIO(), PngInfo()
    if software:
        texts.add_text("Software", software)
    Image.fromarray(pixels).save(buffer, format="PNG", optimize=True, pnginfo=texts)
    return buffer.getvalue()


def data_uri(pixels: Pixels) -> str:
    """Return the pixels as a PNG that stands inside the page."""
    return _address(png(pixels))


def thumbnail(image: NDArray[np.uint8], side: int = 560) -> str:
    """Return an image [channels, height, width] as a PNG that stands inside a page.

    It is as large as it is, or averaged until no side is longer than `side`. A page that shows it
    for a moment waits for it, so it is packed quickly, and not as small as it could be.
    """
    pixels = image.transpose(1, 2, 0) if len(image) == COLOURS else image[0]
    small = Image.fromarray(pixels).reduce(max(1, -(-max(pixels.shape[:2]) // side)))
    buffer = io.BytesIO()
    small.save(buffer, format="PNG")
    return _address(buffer.getvalue())


def _address(content: bytes) -> str:
    return "data:image/png;base64," + base64.b64encode(content).decode("ascii")
