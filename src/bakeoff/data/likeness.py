"""Which images are equal, and which nearly so: told from what one pass over the pixels leaves.

Equal images have the same hash of their pixels. Nearly equal ones are found by a perceptual hash
and confirmed by their thumbnails: differences between neighbouring elements must correlate, for
strokes and skies are much alike where only light and dark are compared, while edges seldom fall on
the same places by chance. `tests/data/test_likeness.py` measures what is found and what is not.
"""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from bakeoff.data.held_back import Digests, digests_of
from bakeoff.data.readers.stock import Stock
from bakeoff.errors import DataError

ALIKE = 0.99
"""The correlation of two thumbnails' differences from which images count as nearly equal.

Of 10,000 test images of MNIST 2 are so near to one of the 60,000 for training, both of them ones
that one cannot tell apart; of the digits none is.
"""
_FAR = 32.0
"""Root mean square of brightness, of 255, above which images are not nearly equal: a picture and
the same one at night."""
_FLAT = 2.0
"""Root mean square of the differences in a thumbnail below which it shows nothing to compare."""
_SIDE = 16
_BITS = 64
_FEW_BITS = 14
"""Of 64 that may differ. Thumbnails that correlate by 0.99 differ in 3 on average, others in 32."""
_WINDOW = 4
"""How many of those that follow in the order of hashes each is compared with."""
_AT_ONCE = 1024


@dataclass(frozen=True, eq=False)
class Looks:
    """What one pass over the pixels leaves of n images."""

    digests: Digests
    """[n, 2], of the pixels."""
    thumbnails: NDArray[np.uint8]
    """[n, channels, height, width], at most 16 x 16."""
    brightness: NDArray[np.float32]
    """[n], the mean of the pixels, 0 to 255."""
    constant: NDArray[np.bool_]
    """[n], whether each channel has one value throughout."""


def look_over(stock: Stock) -> Looks:
    """Return what the images of a stock look like, read once, in their order.

    Raises DataError, naming it, where one cannot be read.
    """
    channels, height, width = stock.image_shape
    count = len(stock.labels)
    down, across = _averages(height), _averages(width)
    looks = Looks(
        digests=np.empty((count, 2), dtype=np.uint64),
        thumbnails=np.empty((count, channels, len(down), len(across)), dtype=np.uint8),
        brightness=np.empty(count, dtype=np.float32),
        constant=np.empty(count, dtype=np.bool_),
    )
    start = 0
    for block in stock.blocks(range(count)):
        for images in _pieces(block):
            here = slice(start, start + len(images))
            small = down @ images.astype(np.float32) @ across.T
            looks.digests[here] = digests_of(images)
            looks.thumbnails[here] = np.rint(small)
            looks.brightness[here] = small.mean(axis=(1, 2, 3))
            looks.constant[here] = (images == images[:, :, :1, :1]).all(axis=(1, 2, 3))
            start += len(images)
    if start != count:
        raise DataError(
            f"{stock.where}: {start:,} images came of {count:,}; it changed while it was read"
        )
    return looks


def near_pairs(looks: Looks, among: NDArray[np.int64]) -> NDArray[np.int64]:
    """Return the pairs of nearly equal images, int64 [pairs, 2], the lower index first.

    among: indices, int64 [m]. Images of one digest are pairs too. Images are sorted by their hash,
    begun at one bit after the other, and compared with the few that follow: the work grows with
    their number, not with its square, also where all are alike.
    """
    hashes, shows_something = _hashes(looks.thumbnails, among)
    among, hashes = among[shows_something], hashes[:, shows_something]
    count = len(looks.digests)
    candidates = [among[a] * count + among[b] for each in hashes for a, b in _neighbours(each)]
    pairs = np.stack(np.divmod(np.unique(np.concatenate(candidates)), max(count, 1)), axis=1)
    return pairs[_alike(looks.thumbnails, pairs)]


def _neighbours(
    hashes: NDArray[np.uint64],
) -> Iterator[tuple[NDArray[np.int64], NDArray[np.int64]]]:
    """Yield places a < b whose hashes have nearly the same bits and, somewhere, the same ones."""
    for turn in range(0, _BITS, 8):
        turned = hashes << np.uint64(turn) | hashes >> np.uint64(-turn % _BITS)
        order = np.argsort(turned, kind="stable")
        for step in range(1, _WINDOW + 1):
            a, b = order[:-step], order[step:]
            close = np.bitwise_count(hashes[a] ^ hashes[b]) <= _FEW_BITS
            yield np.minimum(a, b)[close], np.maximum(a, b)[close]


def _pieces(block: NDArray[np.uint8]) -> Iterator[NDArray[np.uint8]]:
    """Yield a few images at a time: their numbers take four times the memory of the pixels."""
    few = max(1, 2**22 // max(block[:1].size, 1))
    for start in range(0, len(block), few):
        yield block[start : start + few]


def _averages(pixels: int) -> NDArray[np.float32]:
    """Return the weights [side, pixels] by which a row of pixels becomes a shorter one."""
    side = min(_SIDE, pixels)
    edges = np.linspace(0, pixels, side + 1)[:, np.newaxis]
    places = np.arange(pixels)
    upper, lower = np.minimum(edges[1:], places + 1), np.maximum(edges[:-1], places)
    weights: NDArray[np.float32] = (np.clip(upper - lower, 0, 1) * side / pixels).astype(np.float32)
    return weights


def _differences(thumbnails: NDArray[np.uint8]) -> tuple[NDArray[np.float32], NDArray[np.float32]]:
    """Return neighbours' differences across and down, of length 1, and what the length was."""
    values = thumbnails.astype(np.float32)
    down, across = np.diff(values, axis=2), np.diff(values, axis=3)
    rows = [each.reshape(len(each), int(np.prod(each.shape[1:]))) for each in (down, across)]
    both = np.concatenate(rows, axis=1)
    lengths: NDArray[np.float32] = np.sqrt(np.einsum("nd,nd->n", both, both))
    both /= np.maximum(lengths, np.float32(1e-6))[:, np.newaxis]
    return both, lengths


def _hashes(
    thumbnails: NDArray[np.uint8], among: NDArray[np.int64]
) -> tuple[NDArray[np.uint64], NDArray[np.bool_]]:
    """Return two hashes of each thumbnail, uint64 [2, m], and whether it shows anything, bool [m].

    Each bit is the side of a random plane on which the differences lie, so that two thumbnails part
    in as many of them as the angle between them is wide (M. Charikar, "Similarity estimation
    techniques from rounding algorithms", 2002). Planes through the mean of all tell images apart
    that have much in common, as faces; those through zero find images that have all in common.
    """
    sample = _differences(thumbnails[among[:: max(1, len(among) // 4096)]])[0]
    mean = sample.sum(axis=0) / max(len(sample), 1)
    planes = np.random.default_rng(0).standard_normal((len(mean), _BITS)).astype(np.float32)
    hashes: NDArray[np.uint64] = np.empty((2, len(among)), dtype=np.uint64)
    shows_something: NDArray[np.bool_] = np.empty(len(among), dtype=np.bool_)
    for start in range(0, len(among), _AT_ONCE):
        here = slice(start, start + _AT_ONCE)
        differences, lengths = _differences(thumbnails[among[here]])
        heights = differences @ planes
        for bits, zero in zip(hashes, (mean @ planes, 0.0), strict=True):
            bits[here] = np.packbits(heights > zero, axis=1).view(np.uint64)[:, 0]
        shows_something[here] = lengths > _FLAT * np.sqrt(len(mean))
    return hashes, shows_something


def _alike(thumbnails: NDArray[np.uint8], pairs: NDArray[np.int64]) -> NDArray[np.bool_]:
    """Return which pairs of thumbnails are nearly equal, bool [pairs]."""
    alike: NDArray[np.bool_] = np.empty(len(pairs), dtype=np.bool_)
    for start in range(0, len(pairs), _AT_ONCE):
        here = slice(start, start + _AT_ONCE)
        a, b = (thumbnails[side] for side in pairs[here].T)
        correlation = np.einsum("nd,nd->n", _differences(a)[0], _differences(b)[0])
        squares = (a.astype(np.float32) - b) ** 2
        near = np.sqrt(squares.mean(axis=(1, 2, 3))) <= _FAR
        alike[here] = near & (correlation >= ALIKE)
    return alike
