"""A stock from arrays of pixels, whatever file they lie in."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from bakeoff.data.readers.pixels import images_of, layout_of, scale_of
from bakeoff.data.readers.stock import Stock
from bakeoff.data.readers.stored import Rows
from bakeoff.errors import DataError
from bakeoff.study.protocol import Protocol


@dataclass(frozen=True, eq=False)
class ArrayPart:
    """Images with their labels. The columns are of one length."""

    part: str
    """`train`, `validation`, `test`, or empty."""
    images: Rows
    labels: Sequence[str]
    names: Sequence[str]
    """What each image is found by: `x_train[3]`."""
    groups: Sequence[str] | None = None


def stock_of_arrays(
    where: str, sha256: str, parts: Sequence[ArrayPart], protocol: Protocol, notes: Sequence[str]
) -> Stock:
    """Return the images of all parts, one after the other, as bytes of one shape.

    where: what errors call the source. Raises DataError where the arrays are no images, or do not
    fit each other or the protocol.
    """
    for each in parts:
        if not each.images.shape or each.images.shape[0] == 0:
            raise DataError(f"{each.images.where}: no images; give some")
    side = protocol.image_size
    wanted = (side, side) if isinstance(side, int) else side
    layouts = [layout_of(each.images, wanted) for each in parts]
    found, *size = layouts[0].image_shape
    for each, layout in zip(parts, layouts, strict=True):
        shape = layout.image_shape
        if shape != layouts[0].image_shape and (wanted is None or shape[0] != found):
            raise DataError(
                f"{each.images.where}: images of {_size(shape)}, and {parts[0].images.where}: of "
                f"{_size(layouts[0].image_shape)}; save them in one size"
            )
    height, width = wanted or size
    resized = any(layout.image_shape[1:] != (height, width) for layout in layouts)
    scale = scale_of([each.images for each in parts])
    channels = {"grey": 1, "rgb": 3, None: 1 if found == 1 else 3}[protocol.colour]
    starts = np.cumsum([0, *(len(each.labels) for each in parts)])

    def blocks(indices: Sequence[int]) -> Iterator[NDArray[np.uint8]]:
        wanted = np.asarray(indices, dtype=np.int64)
        part_of = np.searchsorted(starts, wanted, side="right") - 1
        for run in np.split(np.arange(len(wanted)), np.flatnonzero(np.diff(part_of)) + 1):
            if len(run):
                part = part_of[run[0]]
                rows = wanted[run] - starts[part]
                images = images_of(parts[part].images, rows, layouts[part], scale, channels)
                shape = (channels, height, width)
                yield from _resampled(images, shape, protocol.fit) if resized else images

    has_groups = parts[0].groups is not None
    return Stock(
        where=where,
        sha256=sha256,
        image_shape=(channels, height, width),
        parts=[each.part for each in parts for _ in each.labels],
        labels=[label for each in parts for label in each.labels],
        names=[name for each in parts for name in each.names],
        groups=[group for each in parts for group in each.groups or ()] if has_groups else None,
        blocks=blocks,
        kinds=[
            _kind(each.images, layout.image_shape)
            for each, layout in zip(parts, layouts, strict=True)
            for _ in each.labels
        ],
        notes=(
            *notes,
            *dict.fromkeys(f"images read as {layout.axes}" for layout in layouts),
            *([f"pixels: {scale.note}"] if scale.note else []),
            *([_COLOURS[found, channels]] if found != channels else []),
            *([f"images {_FITS[protocol.fit]} to {height} x {width}"] if resized else []),
        ),
    )


_FITS = {
    "crop": "resampled bicubically, what is too long cut,",
    "pad": "resampled bicubically, what is too short filled with black,",
    "stretch": "resampled bicubically, whatever their proportions,",
    None: "as they are",
}

_COLOURS = {
    (1, 3): "grey in all three colours",
    (3, 1): "colours as grey (ITU-R BT.601)",
    (4, 3): "transparent pixels laid on white",
    (4, 1): "transparent pixels laid on white, colours as grey (ITU-R BT.601)",
}


def _resampled(
    blocks: Iterator[NDArray[np.uint8]], shape: tuple[int, int, int], fit: str | None
) -> Iterator[NDArray[np.uint8]]:
    from bakeoff.data.readers.decode import Target, resampled  # Pillow takes a while.

    for block in blocks:
        yield resampled(block, Target(*shape, fit))


def _size(shape: tuple[int, int, int]) -> str:
    channels, height, width = shape
    return f"{height} x {width}" if channels == 1 else f"{channels} x {height} x {width}"


def _kind(array: Rows, shape: tuple[int, int, int]) -> str:
    return f"{array.type_name} {_size(shape)}"
