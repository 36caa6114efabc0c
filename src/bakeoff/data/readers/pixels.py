"""Arrays of numbers as images: which axis is which, and what a number means."""

from __future__ import annotations

import math
from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass
from typing import Any, NoReturn

import numpy as np
from numpy.typing import NDArray

from bakeoff.data.readers.stored import Rows
from bakeoff.errors import DataError

_CHANNELS = (1, 3)
_WITH_OPACITY = 4
_LONGEST_SIDE = 4096
_BYTE = 255
_LARGEST = 65535
_GREY = np.array([19595, 38470, 7471], dtype=np.uint32)
"""Red, green and blue in 65536 parts of grey: ITU-R BT.601, rounded as Pillow does."""

_BYTES = ("uint8", "numbers")
"""Types that say nothing else."""

ToImages = Callable[[NDArray[Any]], NDArray[Any]]


@dataclass(frozen=True)
class Layout:
    """How the axes of an array are read."""

    axes: str
    """As `[n, height, width]`."""
    image_shape: tuple[int, int, int]
    """(channels, height, width), with a fourth channel still in it."""
    to_images: ToImages
    """[some, ...] -> [some, channels, height, width]."""


def layout_of(array: Rows, image_size: tuple[int, int] | None = None) -> Layout:
    """Return how an array [n, ...] is read as images.

    image_size: (height, width) that rows without axes are folded into; without it they are square.
    Raises DataError where more than one reading is possible, or none.
    """
    shape = array.shape
    if len(shape) == 2:
        layout = _folded(array, image_size)
    elif len(shape) == 3:
        layout = Layout("[n, height, width]", (1, *shape[1:]), lambda block: block[:, np.newaxis])
    elif len(shape) == 4:
        layout = _with_channels(array)
    else:
        raise DataError(
            f"{array.where}: {list(shape)} is no images; give [n, height, width], "
            "[n, height, width, channels] or [n, channels, height, width]"
        )
    _, height, width = layout.image_shape
    if not 0 < min(height, width) <= max(height, width) <= _LONGEST_SIDE:
        raise DataError(
            f"{array.where}: images of {height:,} x {width:,} pixels; sides of 1 to "
            f"{_LONGEST_SIDE:,} are read"
        )
    return layout


def _with_channels(array: Rows) -> Layout:
    _, *sizes = array.shape
    # An axis of four may be a short side, where another is of one or three channels.
    channels = _CHANNELS if {sizes[0], sizes[2]} & set(_CHANNELS) else (_WITH_OPACITY,)
    last, first = sizes[2] in channels, sizes[0] in channels
    if last and first:
        raise DataError(
            f"{array.where}: {list(array.shape)} may be [n, height, width, channels] or "
            "[n, channels, height, width]; give images without channels, or of other sides"
        )
    if last:
        height, width, count = sizes
        return Layout(
            "[n, height, width, channels]",
            (count, height, width),
            lambda block: block.transpose(0, 3, 1, 2),
        )
    if first:
        count, height, width = sizes
        return Layout("[n, channels, height, width]", (count, height, width), lambda block: block)
    raise DataError(
        f"{array.where}: {list(array.shape)} has no axis of 1, 3 or 4 channels; give grey or "
        "colour images"
    )


def _folded(array: Rows, image_size: tuple[int, int] | None) -> Layout:
    """Return how rows of pixels are folded: into what was asked for, else a square, grey first."""
    pixels = array.shape[1]
    for channels in (1, 3):
        side = math.isqrt(pixels // channels)
        for height, width in (image_size or (side, side), (side, side)):
            if channels * height * width == pixels:
                return _folded_into(array, (channels, height, width))
    asked = f"{image_size[0]} x {image_size[1]}" if image_size else "a square"
    raise DataError(
        f"{array.where}: {pixels:,} pixels are not {asked}, neither grey nor in three colours; "
        "give protocol.image_size = [height, width]"
    )


def _folded_into(array: Rows, shape: tuple[int, int, int]) -> Layout:
    channels, height, width = shape
    if channels == 3 and _by_pixel(array, height, width):
        return Layout(
            f"[n, {array.shape[1]:,}]: {height} x {width}, red, green and blue of each pixel",
            shape,
            lambda block: block.reshape(len(block), height, width, 3).transpose(0, 3, 1, 2),
        )
    colours = "grey" if channels == 1 else "all red, then all green, then all blue"
    return Layout(
        f"[n, {array.shape[1]:,}]: {height} x {width}, {colours}",
        shape,
        lambda block: block.reshape(len(block), *shape),
    )


def _by_pixel(array: Rows, height: int, width: int) -> bool:
    """Return whether the colours of a pixel lie together, and not all of one colour first.

    In images a pixel resembles the one below it. Read in the wrong way, what is below is another
    place or another colour.
    """
    sample = np.linspace(0, array.shape[0] - 1, min(array.shape[0], 200)).astype(np.int64)
    rows = np.concatenate(list(array.blocks(np.unique(sample)))).astype(np.float64)
    together = np.abs(np.diff(rows.reshape(-1, height, width, 3), axis=1)).mean()
    apart = np.abs(np.diff(rows.reshape(-1, 3, height, width), axis=2)).mean()
    return bool(together < apart)


@dataclass(frozen=True)
class Scale:
    """What turns the numbers of arrays into bytes, the same for all of them."""

    factor: float
    note: str
    """What is done, or empty where they are bytes already."""

    def __call__(self, block: NDArray[Any]) -> NDArray[np.uint8]:
        """Return uint8 of the same shape."""
        if self.factor == 1 and block.dtype.kind in "bui":
            return block.astype(np.uint8)
        scaled = np.rint(block.astype(np.float64) * self.factor)
        return scaled.astype(np.uint8)


def scale_of(arrays: Sequence[Rows]) -> Scale:
    """Return how the numbers of all the arrays become bytes: one rule, from their joint range.

    Up to 1: times 255. Up to 255: as they are. Up to 65535: by the fewest bits that hold the
    largest, so that it does not turn white. Rounded to whole numbers. Raises DataError, naming the
    array, where they are no such numbers, or are of several kinds.
    """
    for array in arrays:
        if array.dtype.kind not in "buif":
            raise DataError(f"{array.where}: {array.dtype} is no pixels; give numbers")
    first = arrays[0]
    for other in arrays[1:]:
        if (other.dtype.kind == "f") != (first.dtype.kind == "f"):
            raise DataError(
                f"{other.where}: {other.dtype}, and {first.where}: {first.dtype}, so their pixels "
                "may differ in scale; save both as one type"
            )
    if all(array.dtype == np.uint8 and not _looks_binary(array) for array in arrays):
        return Scale(1, "")
    highest, whole = 0.0, True
    for array in arrays:
        high, row, all_whole = _range(array)
        if _BYTE < high <= 2 * _BYTE:
            # No camera has nine bits: this is a mistake, and would darken all others.
            _refuse(array, row, high)
        highest, whole = max(highest, high), whole and all_whole
    return _scale(first.type_name, highest, whole)


def _scale(type_name: str, highest: float, whole: bool) -> Scale:
    found = f"{type_name} from 0 to {highest:g}"
    if highest == 0 or 1 < highest <= _BYTE:
        as_bytes = "taken as bytes" if whole else "rounded to whole numbers"
        return Scale(1, "" if whole and type_name in _BYTES else f"{found}, {as_bytes}")
    if highest <= 1:
        return Scale(_BYTE, f"{found}, times 255, rounded to whole numbers")
    bits = math.ceil(math.log2(highest + 1))
    most = 2**bits - 1
    return Scale(_BYTE / most, f"{found}, {bits} bits, of which {most:,} become 255, rounded")


def _looks_binary(array: Rows) -> bool:
    """Return whether the first bytes are 0 and 1 alone, so that all must be looked at."""
    first = next(iter(array.blocks(range(min(array.shape[0], 100)))), np.zeros(0, np.uint8))
    return bool(first.size) and bool(first.max() <= 1)


def _range(array: Rows) -> tuple[float, int, bool]:
    """Return the largest number, the row that it is in, and whether all are whole."""
    highest, at, whole, done = -1.0, 0, True, 0
    for block in array.blocks(range(array.shape[0])):
        rows = block.reshape(len(block), -1)
        if rows.dtype == np.float16:  # Which does not reach to 65535.
            rows = rows.astype(np.float32)
        wrong = np.argwhere(~((rows >= 0) & (rows <= _LARGEST)))  # What is no number is neither.
        if len(wrong):
            row, column = wrong[0]
            _refuse(array, done + int(row), float(rows[row, column]))
        largest = int(rows.argmax())
        if rows.flat[largest] > highest:
            highest, at = float(rows.flat[largest]), done + largest // rows.shape[1]
        if whole and block.dtype.kind == "f":
            whole = bool((block == np.rint(block)).all())
        done += len(block)
    return highest, at, whole


def _refuse(array: Rows, row: int, value: float) -> NoReturn:
    raise DataError(
        f"{array.name(row)}: {value:g} is no pixel; give numbers from 0 to 1, 0 to 255 or 0 to "
        "65535, not yet normalised"
    )


def in_colour(images: NDArray[np.uint8], channels: int) -> NDArray[np.uint8]:
    """Return [n, 1 or 3 or 4, height, width] as [n, channels, height, width], 1 or 3 channels.

    A fourth channel is how opaque a pixel is: what shines through it is white.
    """
    if images.shape[1] == 4:
        opaque = images[:, 3:].astype(np.uint32)
        on_white = images[:, :3] * opaque + 255 * (255 - opaque)
        images = ((on_white + 127) // 255).astype(np.uint8)
    if images.shape[1] == channels:
        return images
    if channels == 3:
        return np.repeat(images, 3, axis=1)
    grey = np.tensordot(images.astype(np.uint32), _GREY, axes=(1, 0))
    return ((grey + 0x8000) >> 16).astype(np.uint8)[:, np.newaxis]


def images_of(
    array: Rows,
    rows: Sequence[int] | NDArray[np.int64],
    layout: Layout,
    scale: Scale,
    channels: int,
) -> Iterator[NDArray[np.uint8]]:
    """Yield these rows as uint8 [some, channels, height, width]."""
    for block in array.blocks(rows):
        yield in_colour(scale(layout.to_images(block)), channels)
