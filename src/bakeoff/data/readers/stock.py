"""What a reader finds in somebody's files: which images there are, and a way to their pixels."""

from __future__ import annotations

from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from bakeoff.errors import DataError


class MixedSizesError(DataError):
    """Images of several sizes, where nothing says what size to bring them to."""


Blocks = Callable[[Sequence[int]], Iterator[NDArray[np.uint8]]]
"""Indices of images -> their pixels in that order, uint8 [some, channels, height, width] at a time:
never so many that they fill the memory. Raises DataError, naming it, where one cannot be read."""


@dataclass(frozen=True, eq=False)
class Stock:
    """Labelled images as they lie there, in the order in which they were found.

    Nothing but names, labels and sizes has been read of them. The columns are of one length.
    """

    where: str
    """What errors and lines call the source."""
    sha256: str
    """Of all that was found: bytes, names, labels, parts, groups."""
    image_shape: tuple[int, int, int]
    """(channels, height, width) that every image is brought to."""
    parts: Sequence[str]
    """`train`, `validation` or `test`; all empty where the source has no parts."""
    labels: Sequence[str]
    """The class of each as it is written, in NFC."""
    names: Sequence[str]
    """What a person finds it by: a path below the source, `x_train[3]`, `line 7`."""
    groups: Sequence[str] | None
    """What `protocol.group` says of each; None where it says nothing."""
    blocks: Blocks
    kinds: Sequence[str]
    """How each is stored: `JPEG RGB 640 x 480`, `uint8 28 x 28`."""
    notes: tuple[str, ...] = ()
    """What was passed over or converted, and how: one line each."""
