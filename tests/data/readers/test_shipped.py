from __future__ import annotations

import numpy as np
import pytest

from bakeoff.data.dataset import Dataset
from bakeoff.data.readers.shipped import stock_of


def test_the_digits_as_a_stock(digits: Dataset) -> None:
    stock = stock_of(digits)
    assert (stock.where, stock.sha256, stock.image_shape) == ("digits", digits.sha256, (1, 8, 8))
    assert (stock.names[0], stock.names[1297]) == ("train[0]", "test[0]")
    assert (stock.parts[1296], stock.parts[1297]) == ("train", "test")
    assert stock.labels[-1] == digits.classes[digits.test_labels[-1]]
    assert set(stock.kinds) == {"uint8 8 x 8"}
    assert stock.groups is None
    columns = (stock.parts, stock.labels, stock.names, stock.kinds)
    assert {len(column) for column in columns} == {1797}


@pytest.mark.parametrize("indices", [[], [3], [1297, 0, 1796, 0], range(1797)])
def test_blocks_are_the_images_asked_for(digits: Dataset, indices: list[int]) -> None:
    every = np.concatenate([digits.train_images, digits.test_images])
    blocks = [np.empty((0, 1, 8, 8), np.uint8), *stock_of(digits).blocks(indices)]
    np.testing.assert_array_equal(np.concatenate(blocks), every[np.asarray(indices, dtype=int)])


def test_a_large_set_comes_in_several_blocks(mnist: Dataset) -> None:
    blocks = [len(block) for block in stock_of(mnist).blocks(range(59_000, 65_001))]
    assert sum(blocks) == 6001
    assert len(blocks) == 2


def test_groups_and_colours_are_kept() -> None:
    images = np.zeros((2, 3, 4, 5), dtype=np.uint8)
    labels, groups = np.array([0, 1]), np.array([4, 9])
    stock = stock_of(
        Dataset("own", ("a", "b"), images, labels, images[:1], labels[:1], groups, groups[:1])
    )
    assert stock.groups == ["4", "9", "4"]
    assert stock.kinds[0] == "uint8 4 x 5, 3 channels"
