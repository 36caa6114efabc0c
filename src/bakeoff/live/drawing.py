"""Any picture, brought into the form of the data: what the networks receive, step by step.

A drawing of digits comes as MNIST's digits did (LeCun et al., "Gradient-based learning applied to
document recognition", 1998, section III.A): fitted into a box of 20 pixels with its proportions
kept, and put where its centre of mass is in the middle of 28 x 28. How large the box is, and
whether strokes are lighter than their ground, is read off the training images. Pictures of anything
else are fitted as the protocol has it.
"""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from bakeoff.data.dataset import Dataset
from bakeoff.data.readers.decode import Target, averaged, decode, grey_and_opacity, look
from bakeoff.errors import UnreadableError
from bakeoff.study.protocol import Protocol

MOST_PIXELS = 25_000_000
"""Of a picture as it is sent; more takes a second and a hundred megabytes to unpack."""

NOTHING = "nothing is drawn"
_LOOKED_AT = 500
"""Training images, evenly among all, that tell the form."""
_EVEN = 0.95
"""The share of pixels at the border that are ground, from which images are strokes on a ground."""
_NEAR = 16
"""Grey levels, of 255, between two that count as the same."""
_FAINT = 0.1
"""The share of full contrast below which nothing is ink where the ground is uneven."""
_LARGEST_SIDE = 560
"""Pixels of a drawing that is looked at; a larger one is averaged first."""


@dataclass(frozen=True)
class Form:
    """What images of the data have in common."""

    shape: tuple[int, int, int]
    """(channels, height, width)."""
    fit: str
    """How pictures are fitted: crop, pad or stretch."""
    box: int | None
    """Pixels of the longer side of what is drawn; None where images are no strokes on a ground."""
    light: bool
    """Whether strokes are lighter than their ground."""


@dataclass(frozen=True, eq=False)
class Step:
    """What a picture was on its way."""

    name: str
    picture: NDArray[np.uint8]
    """[channels, height, width]."""


@dataclass(frozen=True, eq=False)
class Drawn:
    """A picture, as the networks receive it."""

    image: NDArray[np.uint8] | None
    """[channels, height, width]; None where nothing is drawn."""
    steps: tuple[Step, ...]
    """That led to it, in their order; the last is the image."""


def form_of(dataset: Dataset, protocol: Protocol) -> Form:
    """Return the form of the images of a data set, as some training images show it."""
    channels, height, width = dataset.image_shape
    images = dataset.train_images[:: max(1, len(dataset.train_images) // _LOOKED_AT)]
    fit = protocol.fit or "crop"
    if channels > 1 or min(height, width) < 4:
        return Form(dataset.image_shape, fit, None, light=False)
    border = np.concatenate(
        [images[:, 0, [0, -1], :].reshape(-1), images[:, 0, :, [0, -1]].reshape(-1)]
    )
    ground = int(np.median(border))
    even = np.abs(border.astype(np.int16) - ground) <= _NEAR
    strokes = even.mean() >= _EVEN and not _NEAR < ground < 255 - _NEAR
    if not strokes and not dataset.light_on_dark:
        return Form(dataset.image_shape, fit, None, light=False)
    light = ground < 128
    boxes = [_box(image[0] if light else 255 - image[0]) for image in images]
    sides = [max(bottom - top, right - left) for top, bottom, left, right in boxes]
    return Form(dataset.image_shape, fit, max(1, round(float(np.median(sides)))), light)


def drawn(content: bytes, form: Form, *, centre: bool) -> Drawn:
    """Return an encoded picture in the form of the data.

    centre: whether a drawing is cropped, boxed and centred; else all of it is made as small.
    Raises UnreadableError, in one line, where it is none, or too large to be unpacked.
    """
    header = look(content)
    if header.height * header.width > MOST_PIXELS:
        raise UnreadableError(
            f"{header.width} x {header.height} pixels, at most {MOST_PIXELS:,} are unpacked; "
            "make it smaller"
        )
    channels, height, width = form.shape
    if form.box is None:
        image = decode(content, Target(channels, height, width, form.fit))
        steps = (Step(f"fitted into {width} x {height} ({form.fit})", image),)
        even = not bool((np.ptp(image, axis=(1, 2)) > 0).any())
        return Drawn(None if even else image, steps)
    return _strokes(grey_and_opacity(content), form, centre=centre)


def _strokes(canvas: NDArray[np.uint8], form: Form, *, centre: bool) -> Drawn:
    """Return strokes on a ground, [grey and opacity, height, width], in the form of the data."""
    down, across = (max(1, -(-side // _LARGEST_SIDE)) for side in canvas.shape[1:])
    by = max(down, across)
    if by > 1:
        canvas = np.stack([averaged(each, *_divided(each, by)) for each in canvas])
    grey = _seen(canvas)
    steps = [Step("as drawn", grey[None])]
    ink = _ink(grey)
    if ink is None:
        return Drawn(None, tuple(steps))
    if _is_in_form(grey, form):
        return Drawn(grey[None], (Step("in the form of the data already", grey[None]),))
    steps.append(Step("light on dark, full contrast", ink[None]))
    _, height, width = form.shape
    if centre:
        top, bottom, left, right = _box(ink)
        cropped = ink[top:bottom, left:right]
        boxed = _fitted(cropped, form.box or max(height, width))
        placed = _centred(boxed, height, width)
        steps += [
            Step("cropped", cropped[None]),
            Step(f"in a box of {form.box} pixels", boxed[None]),
            Step(f"its centre of mass in the middle of {width} x {height}", placed[None]),
        ]
    else:
        small = _fitted(ink, min(height, width))
        placed = _pasted(small, height, width, *_middle(small, height, width))
        steps.append(Step(f"all of it as {width} x {height}", placed[None]))
    if not form.light:
        placed = 255 - placed
        steps.append(Step("dark on light, as the data are", placed[None]))
    return Drawn(placed[None], tuple(steps))


def _is_in_form(grey: NDArray[np.uint8], form: Form) -> bool:
    """Return whether a picture is as the data are, as a test image that was kept in a file is."""
    if grey.shape != form.shape[1:]:
        return False
    ink = grey if form.light else 255 - grey
    top, bottom, left, right = _box(ink)
    row, column = _middle_of_mass(ink)
    return (
        abs(max(bottom - top, right - left) - (form.box or 0)) <= 1
        and abs(row - (len(ink) - 1) / 2) <= 1
        and abs(column - (len(ink[0]) - 1) / 2) <= 1
    )


def _divided(grey: NDArray[np.uint8], by: int) -> tuple[int, int]:
    height, width = grey.shape
    return max(1, height // by), max(1, width // by)


def _seen(canvas: NDArray[np.uint8]) -> NDArray[np.uint8]:
    """Return the grey values of a canvas, [height, width]; of ink on nothing its opacity."""
    grey: NDArray[np.uint8] = canvas[0]
    opacity: NDArray[np.uint8] = canvas[1]
    if opacity.min() == 255:
        return grey
    inked = grey[opacity > 127] if (opacity > 127).any() else grey[opacity > 0]
    if not inked.size or np.ptp(inked) <= 2 * _NEAR:
        return opacity  # One colour: all that is drawn is where it is.
    if inked.size > opacity.size / 2:
        paper = int(np.median(inked))  # A sheet, of which corners are missing.
    else:
        paper = 0 if inked.mean() > 127 else 255
    share = opacity / np.float32(255)
    mixed: NDArray[np.uint8] = np.rint(grey * share + paper * (1 - share)).astype(np.uint8)
    return mixed


def _ink(grey: NDArray[np.uint8]) -> NDArray[np.uint8] | None:
    """Return how much ink is at each pixel, 0 to 255, [height, width]; None where there is none.

    What most of the border, and of the whole, has is the ground.
    """
    counts, values = _counts(grey), np.arange(256)
    shown = np.flatnonzero(counts)
    if shown[-1] - shown[0] <= _NEAR:
        return None
    ring = max(1, min(grey.shape) // 20)
    border = counts - _counts(grey[ring:-ring, ring:-ring])
    between = _between(counts)
    light = [each[between + 1 :].sum() / each.sum() for each in (border, counts)]
    if sum(light) > 1:
        grey, counts, between = 255 - grey, counts[::-1], 254 - between
    ground, inked = counts[: between + 1], counts[between + 1 :]
    level = _quantile(values[: between + 1], ground, 0.5)
    apart = np.abs(values[: between + 1] - level)
    noise = 4 * 1.4826 * _quantile(apart, ground, 0.5)  # Four standard deviations.
    full = max(_quantile(values[between + 1 :], inked, 0.9) - level, 1)
    ink = np.clip((values - level) / full, 0, 1)
    if noise > 0:
        ink[ink <= max(_FAINT, noise / full)] = 0
    found: NDArray[np.uint8] = np.rint(ink * 255).astype(np.uint8)[grey]
    return found


def _counts(grey: NDArray[np.uint8]) -> NDArray[np.int64]:
    """Return how many pixels have each grey level, [256]."""
    return np.bincount(grey.ravel(), minlength=256)


def _quantile(values: NDArray[np.int64], counts: NDArray[np.int64], share: float) -> int:
    """Return the value that so large a share of all, each counted so often, lies at or below."""
    order = np.argsort(values, kind="stable")
    reached = counts[order].cumsum()
    return int(values[order[np.searchsorted(reached, share * reached[-1])]])


def _between(counts: NDArray[np.int64]) -> int:
    """Return the grey level that parts two kinds of pixels best, of their counts, [256].

    Otsu, "A threshold selection method from gray-level histograms", 1979: it has the largest
    variance between them. Pixels above it are of the lighter kind.
    """
    below, sums = counts.cumsum().astype(float), (counts * np.arange(256)).cumsum()
    above, mean = below[-1] - below, sums[-1] / below[-1]
    apart = (mean * below - sums) ** 2 / np.maximum(below * above, 1)
    return int(apart.argmax())


def _box(ink: NDArray[np.uint8]) -> tuple[int, int, int, int]:
    """Return top, bottom, left and right of what is inked; all of it where nothing is."""
    rows, columns = (np.flatnonzero(ink.any(axis=axis)) for axis in (1, 0))
    if not len(rows):
        return 0, ink.shape[0], 0, ink.shape[1]
    return int(rows[0]), int(rows[-1]) + 1, int(columns[0]), int(columns[-1]) + 1


def _fitted(ink: NDArray[np.uint8], side: int) -> NDArray[np.uint8]:
    """Return ink with its longer side of so many pixels, in full contrast."""
    scale = side / max(ink.shape)
    height, width = (max(1, round(length * scale)) for length in ink.shape)
    small = averaged(ink, height, width)
    full: NDArray[np.uint8] = np.rint(small * (255 / max(1, int(small.max())))).astype(np.uint8)
    return full


def _centred(ink: NDArray[np.uint8], height: int, width: int) -> NDArray[np.uint8]:
    """Return ink with its centre of mass in the middle; nothing of it is cut off."""
    row, column = _middle_of_mass(ink)
    top, left = round((height - 1) / 2 - row), round((width - 1) / 2 - column)
    return _pasted(ink, height, width, top, left)


def _middle_of_mass(ink: NDArray[np.uint8]) -> tuple[float, float]:
    """Return the row and column of the centre of mass, of ink of which there is some."""
    rows, columns = (ink.sum(axis=axis, dtype=np.float64) for axis in (1, 0))
    row, column = rows @ np.arange(len(rows)), columns @ np.arange(len(columns))
    return float(row / rows.sum()), float(column / rows.sum())


def _middle(ink: NDArray[np.uint8], height: int, width: int) -> tuple[int, int]:
    return (height - ink.shape[0]) // 2, (width - ink.shape[1]) // 2


def _pasted(
    ink: NDArray[np.uint8], height: int, width: int, top: int, left: int
) -> NDArray[np.uint8]:
    placed = np.zeros((height, width), dtype=np.uint8)
    top = min(max(top, 0), height - ink.shape[0])
    left = min(max(left, 0), width - ink.shape[1])
    placed[top : top + ink.shape[0], left : left + ink.shape[1]] = ink
    return placed
