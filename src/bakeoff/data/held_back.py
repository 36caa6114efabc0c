"""The test part of a source that has none: chosen by the pixels, the same for all seeds."""

from __future__ import annotations

import hashlib
from collections.abc import Iterable

import numpy as np
from numpy.typing import NDArray

from bakeoff.data.split import class_quotas
from bakeoff.errors import StudyError

Digests = NDArray[np.uint64]
"""[n, 2]: equal for equal images, else as if drawn at random."""


def digests_of(images: NDArray[np.uint8]) -> Digests:
    """Return the digest of each image of [n, channels, height, width]."""
    joined = b"".join(
        hashlib.blake2b(np.ascontiguousarray(image).data, digest_size=16).digest()
        for image in images
    )
    return np.frombuffer(joined, ">u8").reshape(-1, 2).astype(np.uint64)


def drawn_test_part(
    labels: NDArray[np.int64],
    groups: NDArray[np.int64] | None,
    digests: Digests,
    test: float,
) -> NDArray[np.bool_]:
    """Return which of n images test: nearly the same share of each class.

    labels: int64 [n]; groups: int64 [n], or None; test: a share below 1, or a number. Equal images
    and those of a group stay together. They are gone through in the order of their digests, and
    taken where that brings the classes nearer to their shares: it matters nothing in which order
    the images lie, and one more image moves few others. Each class keeps something to train on.
    Raises StudyError where nothing is left to test on.
    """
    examples = test if test >= 1 else max(round(test * len(labels)), 1)
    if examples >= len(labels):
        raise StudyError(
            f"protocol.test: {test:,} of {len(labels):,} images; give a share, or a number from 1 "
            f"to {len(labels) - 1:,}"
        )
    counts = np.bincount(labels)
    missing = np.minimum(class_quotas(counts, examples), counts - 1)
    training = counts.copy()
    chosen: NDArray[np.bool_] = np.zeros(len(labels), dtype=np.bool_)
    for unit in _units(groups, digests):
        classes, sizes = (
            np.unique(labels[unit], return_counts=True)
            if len(unit) > 1
            else (labels[unit], np.ones(1, np.int64))
        )
        nearer = np.abs(missing[classes] - sizes).sum() < np.abs(missing[classes]).sum()
        if nearer and np.all(training[classes] > sizes):
            missing[classes] -= sizes
            training[classes] -= sizes
            chosen[unit] = True
    if not chosen.any():
        raise StudyError(
            f"protocol.test: {test:,} of {len(labels):,} images: each class keeps some to train "
            "on, equal ones and those of a group stay together, and so none is left to test on; "
            "give more images, or a test part"
        )
    return chosen


def _units(groups: NDArray[np.int64] | None, digests: Digests) -> Iterable[NDArray[np.int64]]:
    """Return the images that stay together, in the order of the smallest digest among them."""
    image = np.unique(digests, axis=0, return_inverse=True)[1].reshape(-1)
    unit = image
    while groups is not None:
        # The smallest number spreads through groups and equal images until nothing changes.
        spread = _smallest(image, _smallest(groups, unit))
        if np.array_equal(spread, unit):
            break
        unit = spread
    order = np.argsort(unit, kind="stable")
    return np.split(order, np.flatnonzero(np.diff(unit[order])) + 1)


def _smallest(keys: NDArray[np.int64], values: NDArray[np.int64]) -> NDArray[np.int64]:
    """Return for each entry the smallest value of all with its key. Keys count from 0."""
    least = np.full(keys.max() + 1, values.max())
    np.minimum.at(least, keys, values)
    return least[keys]
