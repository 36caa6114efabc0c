from __future__ import annotations

import json
from collections.abc import Iterator, Sequence

import numpy as np
import pytest

from bakeoff.data.survey import Survey, survey
from bakeoff.errors import DataError
from bakeoff.study.protocol import Protocol

from .drawn_stocks import Images, pictures, stock

OWN = Protocol(dataset="./photos")


def photos() -> Survey:
    """Forty images of three classes, one of them in two parts, one black, one small."""
    images = pictures(40)
    images[39], images[4] = images[0], 0
    labels = [f"class {number % 3 * 5}" for number in range(40)]
    kinds = ["JPEG RGB 640 x 480"] * 38 + ["PNG L 20 x 30"] * 2
    parts = ["train"] * 30 + ["test"] * 10
    return survey(stock(images, labels, parts, kinds=kinds, notes=("2 files passed over",)), OWN)


def test_what_there_is() -> None:
    found = photos()
    assert found.classes == ("class 0", "class 5", "class 10")
    assert found.parts == ("train", "test")
    assert found.counts["class 0"] == {"train": 10, "test": 4}
    assert found.shares["class 0"] == {"train": 9, "validation": 1, "test": 4}
    assert found.kinds == {"JPEG RGB 640 x 480": 38, "PNG L 20 x 30": 2}
    assert [each.line for each in found.findings] == [
        "1 test image is also in train: 39.png = 0.png",
        "1 image has one value throughout: 4.png",
        "3 classes with fewer than 10 images to train on: class 0, class 5, class 10",
    ]


def test_what_stands_out_is_kept_for_the_contact_sheet() -> None:
    odd = dict(photos().odd)
    assert odd["equal, in two parts"] == ((39, 0),)
    assert odd["of one value throughout"] == ((4,),)
    assert odd["darkest"][0] == (4,)
    assert odd["smallest"][:2] == ((38,), (39,))
    assert [*odd][-3:] == ["darkest", "brightest", "smallest"]


def test_the_document_is_json_with_every_name() -> None:
    document = photos().to_dict()
    assert json.loads(json.dumps(document)) == document
    assert document["parts"] == {"train": 30, "test": 10}
    assert document["image_shape"] == [3, 32, 32]
    assert document["notes"] == ["2 files passed over"]
    assert document["findings"][0] == {
        "kind": "leak",
        "line": "1 test image is also in train: 39.png = 0.png",
        "images": 1,
        "examples": [["39.png", "0.png"]],
    }
    assert document["classes"][2] == {
        "name": "class 10",
        "images": {"train": 10, "test": 3},
        "used_to": {"train": 9, "validation": 1, "test": 3},
    }


def test_a_source_without_parts_is_one() -> None:
    found = survey(stock(pictures(30), ["a", "b"] * 15), OWN)
    assert found.parts == ("",)
    assert found.to_dict()["parts"] == {"all": 30}
    assert found.shares["a"] == {"train": 11, "validation": 1, "test": 3}


def test_what_cannot_be_split_is_a_finding_and_no_error() -> None:
    two = stock(pictures(3), ["a", "b", "b"], ["train", "train", "test"])
    found = survey(two, Protocol(dataset="./photos", validation_examples=9))
    assert found.shares == {}
    assert [each.line for each in found.findings] == [
        "protocol.validation_examples: 9 of 2 examples; give a number from 1 to 1"
    ]
    assert found.to_dict()["classes"][0]["used_to"] is None


@pytest.mark.parametrize("order", [1, -1])
def test_each_pixel_is_read_once_and_in_order(order: int) -> None:
    asked: list[int] = []
    of = stock(pictures(20)[::order], ["a", "b"] * 10)
    inner = of.blocks

    def counting(indices: Sequence[int]) -> Iterator[Images]:
        asked.extend(indices)
        return inner(indices)

    object.__setattr__(of, "blocks", counting)
    survey(of, OWN)
    assert asked == list(range(20))


def test_kinds_of_one_size_have_no_smallest() -> None:
    images: Images = np.concatenate([pictures(10), pictures(10, seed=1)])
    assert "smallest" not in dict(survey(stock(images, ["a", "b"] * 10), OWN).odd)


def test_what_becomes_of_parts_is_noted_and_wrong_classes_are_refused() -> None:
    labels, parts = ["a", "b", "a"], ["train", "train", "test"]
    found = survey(stock(pictures(3), labels, parts, notes=("2 files passed over",)), OWN)
    assert found.notes == (
        "2 files passed over",
        "class b has no test images; balanced accuracy is the mean over the others",
    )
    with pytest.raises(DataError, match=r"^photos: one class \(a\) only, at least two are needed"):
        survey(stock(pictures(3), ["a"] * 3, parts), OWN)
