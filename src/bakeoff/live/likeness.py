"""How far an image lies from anything in training, and what lies nearest."""

from __future__ import annotations

from dataclasses import dataclass
from functools import cached_property

import numpy as np
from numpy.typing import NDArray

from bakeoff.data.dataset import Dataset

MOST_LOOKED_AT = 60_000
"""Training images that are compared, evenly among all."""
_SAMPLE = 300
"""Of these, whose own nearest neighbours tell what is usual."""
_UNUSUAL = 0.02
"""The share of training images that lie as far from their nearest neighbour."""
_AT_ONCE = 4096


@dataclass(frozen=True, eq=False)
class Near:
    """The training images that lie nearest to an image."""

    indices: NDArray[np.int64]
    """Into the training images, the nearest first."""
    distances: NDArray[np.float32]
    """Root mean square of the differences between pixels, of 255."""
    share: float
    """Of training images that lie farther from their own nearest neighbour, 0 to 1."""

    @property
    def unusual(self) -> bool:
        """Whether hardly any training image lies so far from all others."""
        return self.share < _UNUSUAL

    @property
    def sentence(self) -> str:
        """What that says of answers."""
        if self.unusual:
            return (
                f"Unlike anything in training: only {self.share:.1%} of the training images lie as "
                "far from all others. Answers to it are worth little."
            )
        return (
            f"Of the kind of the training images: {self.share:.0%} of them lie farther from their "
            "nearest neighbour than this image does from its own."
        )


class Neighbours:
    """Training images to which others are compared, pixel by pixel."""

    def __init__(self, dataset: Dataset) -> None:
        count = len(dataset.train_images)
        self._indices = np.unique(np.linspace(0, count - 1, min(count, MOST_LOOKED_AT)).astype(int))
        self._images = dataset.train_images
        self._pixels = int(np.prod(dataset.image_shape))

    def near(self, image: NDArray[np.uint8], count: int = 8) -> Near:
        """Return what lies nearest to an image [channels, height, width]."""
        squares = self._squares(image[None])[0]
        nearest = np.argsort(squares, kind="stable")[:count]
        share = float((self._usual > squares[nearest[0]]).mean())
        distances = np.sqrt(squares[nearest]).astype(np.float32)
        return Near(self._indices[nearest], distances, share)

    @cached_property
    def _usual(self) -> NDArray[np.float32]:
        """The squared distance of some training images to their nearest neighbour, [sample]."""
        places = np.unique(np.linspace(0, len(self._indices) - 1, _SAMPLE).astype(int))
        squares = self._squares(self._images[self._indices[places]])
        squares[np.arange(len(places)), places] = np.inf
        usual: NDArray[np.float32] = squares.min(axis=1)
        return usual

    def _squares(self, images: NDArray[np.uint8]) -> NDArray[np.float32]:
        """Return the mean squared difference to each image that is compared, [n, compared]."""
        given = _rows(images)
        found = np.empty((len(given), len(self._indices)), dtype=np.float32)
        for start in range(0, len(self._indices), _AT_ONCE):
            here = slice(start, start + _AT_ONCE)
            others = _rows(self._images[self._indices[here]])
            found[:, here] = np.einsum("nd,nd->n", others, others) - 2 * given @ others.T
        found += np.einsum("nd,nd->n", given, given)[:, None]
        mean: NDArray[np.float32] = (np.maximum(found, 0) / self._pixels).astype(np.float32)
        return mean


def _rows(images: NDArray[np.uint8]) -> NDArray[np.float32]:
    rows: NDArray[np.float32] = images.reshape(len(images), -1).astype(np.float32)
    return rows
