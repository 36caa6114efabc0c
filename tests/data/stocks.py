"""Stocks made by hand."""

from __future__ import annotations

import hashlib
from collections.abc import Iterator, Sequence

import numpy as np
from numpy.typing import NDArray

from bakeoff.data.readers.stock import Stock


def images_of(
    count: int, seed: int = 0, shape: tuple[int, int, int] = (1, 4, 5)
) -> NDArray[np.uint8]:
    """Return images [count, *shape] that all differ."""
    return np.random.default_rng(seed).integers(0, 256, (count, *shape), dtype=np.uint8)


def stock_of(
    images: NDArray[np.uint8],
    labels: Sequence[str],
    parts: Sequence[str] | None = None,
    groups: Sequence[str] | None = None,
    notes: tuple[str, ...] = (),
) -> Stock:
    """Return images [n, channels, height, width] as a stock, two of them in each block."""

    def blocks(indices: Sequence[int]) -> Iterator[NDArray[np.uint8]]:
        for at in range(0, len(indices), 2):
            yield images[list(indices[at : at + 2])]

    described = repr((images.tobytes(), labels, parts, groups)).encode()
    return Stock(
        where="photos",
        sha256=hashlib.sha256(described).hexdigest(),
        image_shape=images.shape[1:],
        parts=parts or [""] * len(labels),
        labels=labels,
        names=[f"{label}/{at}.png" for at, label in enumerate(labels)],
        groups=groups,
        blocks=blocks,
        kinds=["PNG"] * len(labels),
        notes=notes,
    )
