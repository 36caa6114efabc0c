from __future__ import annotations

from pathlib import Path
from typing import Any

import numpy as np
import pytest

from bakeoff.data.catalogue import SOURCES, load_dataset
from bakeoff.data.dataset import Dataset
from bakeoff.errors import DataError, StudyError
from bakeoff.study.protocol import Protocol


def made(**keys: Any) -> Dataset:
    parts: dict[str, Any] = {
        "name": "d",
        "classes": ("a", "b"),
        "train_images": np.zeros((3, 1, 2, 2), np.uint8),
        "train_labels": np.array([0, 1, 1]),
        "test_images": np.zeros((2, 1, 2, 2), np.uint8),
        "test_labels": np.array([0, 1]),
    }
    return Dataset(**(parts | keys))


@pytest.mark.parametrize(
    ("keys", "message"),
    [
        (
            {"train_images": np.zeros((3, 1, 2, 2), np.float32)},
            "train: images must be uint8 [n, channels, height, width], not float32 [3, 1, 2, 2]",
        ),
        (
            {"test_images": np.zeros((2, 4), np.uint8)},
            "test: images must be uint8 [n, channels, height, width], not uint8 [2, 4]",
        ),
        (
            {"train_labels": np.zeros(3, np.int32)},
            "train: labels must be int64 [3], one per image, not int32 [3]",
        ),
        (
            {"test_labels": np.zeros(3, np.int64)},
            "test: labels must be int64 [2], one per image, not int64 [3]",
        ),
        ({"test_labels": np.array([0, 2])}, "test: labels must lie in 0 .. 1"),
        ({"train_labels": np.array([-1, 0, 1])}, "train: labels must lie in 0 .. 1"),
    ],
)
def test_arrays_that_do_not_fit_are_refused(keys: dict[str, Any], message: str) -> None:
    with pytest.raises(DataError) as caught:
        made(**keys)
    assert str(caught.value) == f"data set 'd', {message}"


@pytest.mark.parametrize("name", ["", "a" * 65, "a\x1b[31m", "\u202ea", "a\nb"])
def test_a_class_that_cannot_be_shown_is_refused(name: str) -> None:
    with pytest.raises(DataError) as caught:
        made(classes=("a", name))
    assert str(caught.value).endswith("a name has 1 to 64 characters, all of them visible")
    assert str(caught.value).isprintable()


def test_a_part_without_images_is_taken() -> None:
    empty = made(test_images=np.zeros((0, 1, 2, 2), np.uint8), test_labels=np.zeros(0, np.int64))
    assert len(empty.test_labels) == 0


def test_one_pixel_or_label_changes_the_hash_and_a_name_does_not() -> None:
    base = made().sha256
    pixel = np.zeros((3, 1, 2, 2), np.uint8)
    pixel[2, 0, 1, 1] = 1
    assert made(name="e").sha256 == base
    assert (
        len({base, made(train_images=pixel).sha256, made(test_labels=np.array([1, 1])).sha256}) == 3
    )


def test_the_shape_is_part_of_the_hash() -> None:
    assert made(test_images=np.zeros((2, 1, 4, 1), np.uint8)).sha256 != made().sha256


def test_the_hash_does_not_depend_on_how_the_array_lies_in_memory() -> None:
    images = np.arange(12, dtype=np.uint8).reshape(3, 1, 2, 2)
    assert made(train_images=np.asfortranarray(images)).sha256 == made(train_images=images).sha256


@pytest.mark.parametrize("name", SOURCES)
def test_a_data_set_is_what_was_known_of_it_before(name: str) -> None:
    source, loaded = SOURCES[name], load_dataset(Protocol(dataset=name), Path())
    assert loaded.name == source.name == name
    assert (loaded.classes, loaded.image_shape) == (source.classes, source.image_shape)
    assert (len(loaded.train_images), len(loaded.test_images)) == (
        source.train_images,
        source.test_images,
    )


def test_a_misspelt_data_set_gets_the_nearest_name() -> None:
    with pytest.raises(StudyError) as caught:
        load_dataset(Protocol(dataset="mnits"), Path())
    assert str(caught.value) == "unknown data set 'mnits'; did you mean 'mnist'?"


def test_digits_are_those_of_scikit_learn(digits: Dataset) -> None:
    assert digits.train_images.shape == (1297, 1, 8, 8)
    assert digits.test_images.shape == (500, 1, 8, 8)
    assert digits.train_labels[:10].tolist() == list(range(10))
    # The first image in the collection's own counts of 0 to 16, first row: 0 0 5 13 9 1 0 0.
    assert digits.train_images[0, 0, 0].tolist() == [0, 0, 80, 207, 143, 16, 0, 0]
    assert (digits.train_images.min(), digits.train_images.max()) == (0, 255)
