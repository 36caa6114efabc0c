"""A data set in memory as a reader of files would give it, to be looked at in the same way."""

from __future__ import annotations

from collections.abc import Iterator, Sequence

import numpy as np
from numpy.typing import NDArray

from bakeoff.data.dataset import Dataset
from bakeoff.data.readers.stock import Stock

_AT_ONCE = 2**22
"""Bytes of a block."""


def stock_of(dataset: Dataset) -> Stock:
    """Return the images of a data set with their labels, called `train[0]`, `test[0]`."""
    parts = {"train": dataset.train_images, "test": dataset.test_images}
    labels = np.concatenate([dataset.train_labels, dataset.test_labels])
    channels, height, width = dataset.image_shape
    groups = None
    if dataset.train_groups is not None and dataset.test_groups is not None:
        groups = [*map(str, np.concatenate([dataset.train_groups, dataset.test_groups]).tolist())]
    return Stock(
        where=dataset.name,
        sha256=dataset.sha256,
        image_shape=dataset.image_shape,
        parts=[part for part, images in parts.items() for _ in images],
        labels=[dataset.classes[label] for label in labels.tolist()],
        names=[f"{part}[{at}]" for part, images in parts.items() for at in range(len(images))],
        groups=groups,
        blocks=lambda indices: _blocks(dataset, indices),
        kinds=[f"uint8 {height} x {width}" + f", {channels} channels" * (channels > 1)]
        * len(labels),
    )


def _blocks(dataset: Dataset, indices: Sequence[int]) -> Iterator[NDArray[np.uint8]]:
    train = len(dataset.train_images)
    few = max(1, _AT_ONCE // int(np.prod(dataset.image_shape)))
    for start in range(0, len(indices), few):
        asked = np.asarray(indices[start : start + few])
        tests = asked >= train
        block = np.empty((len(asked), *dataset.image_shape), dtype=np.uint8)
        block[~tests] = dataset.train_images[asked[~tests]]
        block[tests] = dataset.test_images[asked[tests] - train]
        yield block
