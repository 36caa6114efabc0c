"""A data set in memory: images, labels, and what is known about them."""

from __future__ import annotations

import hashlib
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from functools import cached_property

import numpy as np
from numpy.typing import ArrayLike, NDArray

from bakeoff.errors import DataError
from bakeoff.text import visible

LONGEST_NAME = 64


@dataclass(frozen=True)
class Dataset:
    """Training and test images with their labels.

    Raises DataError where the arrays do not fit each other.
    """

    name: str
    classes: tuple[str, ...]
    """The name of each class; a label is an index into it."""
    train_images: NDArray[np.uint8]
    """[n, channels, height, width]."""
    train_labels: NDArray[np.int64]
    """[n]."""
    test_images: NDArray[np.uint8]
    """[m, channels, height, width]."""
    test_labels: NDArray[np.int64]
    """[m]."""
    train_groups: NDArray[np.int64] | None = None
    """[n], which images belong together, as those of one person; None where each stands alone."""
    test_groups: NDArray[np.int64] | None = None
    """[m]."""
    known_wrong_test_labels: tuple[int, ...] = ()
    """Indices of test images whose label human raters found wrong."""
    mapped: bool = False
    """Whether images stay where they are, mostly in a file, and batches are gathered from there."""
    light_on_dark: bool = False
    """Whether the images are light strokes on an empty, dark ground: shown as their negatives."""

    known_sha256: str = ""
    """Its SHA-256, where whoever keeps the arrays has computed it before."""

    def __post_init__(self) -> None:
        for name in self.classes:
            if not 0 < len(name) <= LONGEST_NAME or visible(name) != name:
                raise DataError(
                    f"data set {self.name!r}: class {name[:LONGEST_NAME]!r}: a name has 1 to "
                    f"{LONGEST_NAME} characters, all of them visible"
                )
        for part, images, labels in (
            ("train", self.train_images, self.train_labels),
            ("test", self.test_images, self.test_labels),
        ):
            where = f"data set {self.name!r}, {part}"
            if images.dtype != np.uint8 or images.ndim != 4:
                raise DataError(
                    f"{where}: images must be uint8 [n, channels, height, width], "
                    f"not {images.dtype} {list(images.shape)}"
                )
            if labels.dtype != np.int64 or labels.shape != images.shape[:1]:
                raise DataError(
                    f"{where}: labels must be int64 [{len(images)}], one per image, "
                    f"not {labels.dtype} {list(labels.shape)}"
                )
            if len(labels) and not 0 <= labels.min() <= labels.max() < len(self.classes):
                raise DataError(f"{where}: labels must lie in 0 .. {len(self.classes) - 1}")

    def __repr__(self) -> str:
        return (
            f"Dataset({self.name}: {len(self.train_labels):,} images to train on, "
            f"{len(self.test_labels):,} to test, {' x '.join(map(str, self.image_shape))}, "
            f"{len(self.classes):,} classes)"
        )

    @classmethod
    def from_arrays(
        cls,
        x_train: ArrayLike,
        y_train: ArrayLike,
        x_test: ArrayLike | None = None,
        y_test: ArrayLike | None = None,
        *,
        classes: Sequence[str] | None = None,
        test: float | None = None,
    ) -> Dataset:
        """Return arrays as a data set, by the rules of an npz: `docs/data.md`.

        Images: [n, height, width], [n, height, width, channels] or [n, channels, height, width], of
        bytes, of 16 bits, or of floats from 0 to 1 or to 255. Labels: numbers, texts or one-hot
        rows; classes: their names, by number. Without a test part `test` of the images, a share or
        a number, are set aside. Raises DataError, naming the array.
        """
        from bakeoff.data.catalogue import from_arrays

        # Without a test part they are what one is taken from.
        part = "" if x_test is None and y_test is None else "_train"
        arrays = {f"x{part}": x_train, f"y{part}": y_train, "x_test": x_test, "y_test": y_test}
        given = {name: np.asarray(each) for name, each in arrays.items() if each is not None}
        if classes is not None:
            given["classes"] = np.array(list(classes))
        return from_arrays(given, test)

    @property
    def image_shape(self) -> tuple[int, int, int]:
        """(channels, height, width)."""
        channels, height, width = self.train_images.shape[1:]
        return channels, height, width

    @cached_property
    def channels(self) -> tuple[NDArray[np.float64], NDArray[np.float64]]:
        """Mean and standard deviation of the bytes of each channel, [channels], in training images.

        Exact, since bytes are counted. A channel that is the same everywhere deviates by 1.
        """
        counts = np.zeros((self.image_shape[0], 256), dtype=np.int64)
        for part in np.array_split(self.train_images, -(-len(self.train_images) // 1000)):
            for channel in range(len(counts)):
                counts[channel] += np.bincount(part[:, channel].ravel(), minlength=256)
        values, total = np.arange(256), counts.sum(axis=1)
        mean = counts @ values / total
        deviation = np.sqrt((counts * (values - mean[:, None]) ** 2).sum(axis=1) / total)
        return mean, np.where(deviation == 0, 1.0, deviation)

    @cached_property
    def sha256(self) -> str:
        """SHA-256 of the four arrays and their shapes, for the provenance of a record."""
        if self.known_sha256:
            return self.known_sha256
        digest = hashlib.sha256()
        for array in (self.train_images, self.train_labels, self.test_images, self.test_labels):
            digest.update(repr((array.dtype.str, array.shape)).encode())
            digest.update(np.ascontiguousarray(array).data)
        return digest.hexdigest()


@dataclass(frozen=True)
class Source:
    """What is known of a data set before it is loaded."""

    name: str
    title: str
    classes: tuple[str, ...]
    """The name of each class; a label is an index into it."""
    image_shape: tuple[int, int, int]
    """(channels, height, width)."""
    train_images: int
    """How many there are to train and validate on."""
    test_images: int
    licence: str
    load: Callable[[], Dataset]
    """Bring the arrays, checked. Raises DataError where they are missing or damaged."""
