"""Arrays of Python as a data set: by the rules of files, with the names of parameters."""

from __future__ import annotations

from typing import Any

import numpy as np
import pytest

from bakeoff.data.dataset import Dataset
from bakeoff.errors import DataError

LABELS = np.arange(40) % 4
IMAGES = np.random.default_rng(0).integers(0, 256, (40, 5, 6), dtype=np.uint8)


def test_parts_stay_and_classes_are_named() -> None:
    found = Dataset.from_arrays(
        IMAGES[:30], LABELS[:30], IMAGES[30:], LABELS[30:], classes=["a", "b", "c", "d"]
    )
    assert (found.name, found.classes) == ("arrays", ("a", "b", "c", "d"))
    np.testing.assert_array_equal(found.train_images, IMAGES[:30, None])
    np.testing.assert_array_equal(found.test_labels, LABELS[30:])


def test_without_a_test_part_one_is_set_aside() -> None:
    assert len(Dataset.from_arrays(IMAGES, LABELS).test_labels) == 8
    assert len(Dataset.from_arrays(IMAGES, LABELS, test=0.5).test_labels) == 20
    assert len(Dataset.from_arrays(IMAGES, LABELS, test=4).test_labels) == 4


def test_colours_fractions_texts_and_lists_will_do() -> None:
    colours = np.stack([IMAGES / 255.0] * 3, axis=3)
    found = Dataset.from_arrays(colours, [f"class {each}" for each in LABELS])
    assert found.image_shape == (3, 5, 6)
    assert found.classes == ("class 0", "class 1", "class 2", "class 3")
    assert Dataset.from_arrays(IMAGES.tolist(), LABELS.tolist()).image_shape == (1, 5, 6)


@pytest.mark.parametrize(
    ("arrays", "beginning"),
    [
        (
            {"y_train": LABELS[:39]},
            "x_train: 40 images, and y_train: 39 labels; give one for each",
        ),
        ({"x_train": IMAGES.astype(object)}, "x_train: an array of Python objects; give numbers"),
        ({"x_train": -IMAGES.astype(float)}, "x_train[0]: -95 is no pixel; "),
        ({"classes": ["a"]}, ""),
        ({"x_test": IMAGES}, "y_test is missing; add it"),
        ({"test": 1.5}, "test: must be a number from 1 on, or a share between 0 and 1, not 1.5"),
        ({"test": 0}, "test: must be a number from 1 on, or a share between 0 and 1, not 0"),
    ],
    ids=lambda case: "",
)
def test_what_is_wrong_is_named_by_its_parameter(arrays: dict[str, Any], beginning: str) -> None:
    given: dict[str, Any] = {"x_train": IMAGES, "y_train": LABELS}
    with pytest.raises(DataError) as caught:
        Dataset.from_arrays(**(given | arrays))
    assert str(caught.value).startswith(beginning)
    assert "bakeoff-" not in str(caught.value)
    assert "\n" not in str(caught.value)
    assert ".npy" not in str(caught.value)


def test_nothing_is_left_behind(tmp_path: Any, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("tempfile.tempdir", str(tmp_path / "t"))
    (tmp_path / "t").mkdir()
    found = Dataset.from_arrays(IMAGES, LABELS)
    assert list((tmp_path / "t").iterdir()) == []
    assert found.train_images.sum() + found.test_images.sum() == IMAGES.sum()
