"""Small pictures: arrays to PNG, one picture element per number, for crisp enlargement."""

from __future__ import annotations

import base64
import io

import numpy as np
from numpy.typing import NDArray
from PIL import Image

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


def enlarged(picture: Pixels, times: int) -> Pixels:
    """Return a picture with `times` x `times` picture elements for each of its own."""
    return picture.repeat(times, axis=0).repeat(times, axis=1)


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


def data_uri(pixels: Pixels) -> str:
    """Return the pixels as a PNG that stands inside the page."""
    buffer = io.BytesIO()
    Image.fromarray(pixels).save(buffer, format="PNG", optimize=True)
    return "data:image/png;base64," + base64.b64encode(buffer.getvalue()).decode("ascii")
