"""Stocks that no reader made, for tests to look at."""

from __future__ import annotations

from collections.abc import Iterator, Sequence

import numpy as np
from numpy.typing import NDArray

from bakeoff.data.readers.stock import Stock

Images = NDArray[np.uint8]


def stock(
    images: Images,
    labels: Sequence[str],
    parts: Sequence[str] | None = None,
    *,
    names: Sequence[str] | None = None,
    groups: Sequence[str] | None = None,
    kinds: Sequence[str] | None = None,
    notes: tuple[str, ...] = (),
    at_once: int = 7,
) -> Stock:
    """Return images [n, channels, height, width] as a stock, called `0.png`, `1.png`, ..."""

    def blocks(indices: Sequence[int]) -> Iterator[Images]:
        for start in range(0, len(indices), at_once):
            yield images[np.asarray(indices[start : start + at_once], dtype=np.int64)]

    count, channels, height, width = images.shape
    return Stock(
        where="photos",
        sha256="0" * 64,
        image_shape=(channels, height, width),
        parts=parts or [""] * count,
        labels=labels,
        names=names or [f"{number}.png" for number in range(count)],
        groups=groups,
        blocks=blocks,
        kinds=kinds or [f"PNG {height} x {width}"] * count,
        notes=notes,
    )


def pictures(count: int, seed: int = 0, side: int = 32, channels: int = 3) -> Images:
    """Return pictures with large and small forms, no two alike: [count, channels, side, side]."""
    rng = np.random.default_rng(seed)
    made = np.zeros((count, channels, side, side))
    for size in (4, 8, 16):
        coarse = rng.normal(0, 128 / size, (count, channels, size, size))
        made += coarse.repeat(side // size, axis=2).repeat(side // size, axis=3)
    return np.clip(128 + 2 * made, 0, 255).astype(np.uint8)
