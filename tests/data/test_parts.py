"""Classes and parts, before a pixel is read."""

from __future__ import annotations

import numpy as np
import pytest

from bakeoff.data.parts import Arranged, arranged, natural_order
from bakeoff.errors import DataError
from tests.data.stocks import images_of, stock_of


def arrange(labels: str, parts: str = "", groups: str | None = None) -> Arranged:
    """Take one letter for each image: its label, its part (t, v, s for test), its group."""
    names = {"t": "train", "v": "validation", "s": "test"}
    return arranged(
        stock_of(
            images_of(len(labels)),
            list(labels),
            [names[part] for part in parts] or None,
            list(groups) if groups else None,
        )
    )


def refused(labels: str, parts: str = "") -> str:
    with pytest.raises(DataError) as caught:
        arrange(labels, parts)
    return str(caught.value)


@pytest.mark.parametrize(
    "names",
    [
        ["0", "1", "2", "10", "11"],
        ["-2", "-1", "0", "1", "10"],
        ["a2", "a10", "b1"],
        ["2 owls", "10 cats", "cat", "dog"],
        ["Cat", "cat", "Dog"],
        ["x", "x1", "x1y", "x2"],
    ],
)
def test_names_are_ordered_as_a_person_orders_them(names: list[str]) -> None:
    assert natural_order(set(names)) == names


def test_labels_are_numbered_by_name_whatever_their_place() -> None:
    plan = arrange("bab" + "cab", "ttt" + "tss")
    assert plan.classes == ("a", "b", "c")
    assert plan.labels.tolist() == [1, 0, 1, 2, 0, 1]
    assert plan.tests is not None
    assert plan.tests.tolist() == [False] * 4 + [True] * 2
    assert plan.notes == (
        "class c has no test images; balanced accuracy is the mean over the others",
    )


def test_without_parts_none_test_yet() -> None:
    plan = arrange("abab")
    assert plan.tests is None
    assert plan.notes == ()


def test_validation_images_join_the_training_images() -> None:
    plan = arrange("abab" + "ab", "ttvv" + "ss")
    assert plan.tests is not None
    assert plan.tests.tolist() == [False] * 4 + [True] * 2
    assert plan.notes == (
        "2 validation images joined the training images, from which each seed draws its own "
        "validation part",
    )


def test_validation_images_test_where_nothing_else_does() -> None:
    plan = arrange("abab", "ttvv")
    assert plan.tests is not None
    assert plan.tests.tolist() == [False, False, True, True]
    assert plan.notes == (
        "without a test part, the 2 validation images are it; each seed draws its own validation "
        "part from the training images",
    )


@pytest.mark.parametrize(
    ("labels", "parts", "complaint"),
    [
        ("aaa", "", "photos: one class (a) only, at least two are needed; add another class"),
        ("aab", "tts", "photos: b/2.png: class b has test images and no training images (there "
         "are a); add some, or leave it out"),
        ("aabb", "ttss", "photos: b/2.png: class b has test images and no training images (there "
         "are a); add some, or leave it out"),
        ("abab", "tttt", "photos: images to test on are missing, there is train alone; add a test "
         "part, or give the images without parts, so that one is taken from them"),
        ("abab", "ssss", "photos: images to train on are missing; add a training part"),
    ],
)  # fmt: skip
def test_what_cannot_be_learnt_or_tested_is_refused(
    labels: str, parts: str, complaint: str
) -> None:
    assert refused(labels, parts) == complaint


def test_a_name_that_cannot_be_shown_is_refused() -> None:
    with pytest.raises(DataError) as caught:
        arranged(stock_of(images_of(2), ["a" * 65, "b"]))
    assert "class 'aaaa" in str(caught.value)
    assert "a name has 1 to 64 characters, all of them visible; rename it" in str(caught.value)


def test_groups_are_numbered_and_divided_ones_are_said() -> None:
    plan = arrange("ababab", "ttttss", "xyxyxz")
    assert plan.groups is not None
    assert plan.groups.dtype == np.int64
    assert plan.groups.tolist() == [0, 1, 0, 1, 0, 2]
    assert plan.notes == ("1 group with images both in training and in test (first: x)",)
