from __future__ import annotations

import numpy as np

from bakeoff.data.copies import copy_findings, leaks
from bakeoff.data.dataset import Dataset
from bakeoff.data.likeness import look_over
from bakeoff.data.readers.stock import Stock

from .drawn_stocks import Images, pictures, stock


def lines(of: Stock) -> list[str]:
    return [each.line for each in copy_findings(of, look_over(of))]


def nearly(images: Images) -> Images:
    """Return the images a little brighter."""
    return np.clip(images.astype(np.int64) + 12, 0, 255).astype(np.uint8)


PARTS = ["train"] * 6 + ["test"] * 3
LABELS = ["cat", "cat", "cat", "dog", "dog", "dog", "cat", "dog", "dog"]


def test_pictures_of_their_own_are_nothing_to_speak_of() -> None:
    assert lines(stock(pictures(9), LABELS, PARTS)) == []


def test_test_images_that_are_also_in_training_are_named_with_their_twins() -> None:
    images = pictures(9)
    images[7], images[8] = images[4], images[3]
    (found,) = copy_findings(leaky := stock(images, LABELS, PARTS), look_over(leaky))
    assert found.line == "2 test images are also in train: 8.png = 3.png, 7.png = 4.png"
    assert (found.kind, found.images, found.examples) == ("leak", 2, ((8, 3), (7, 4)))


def test_one_is_one_and_many_are_counted() -> None:
    images = pictures(9)
    images[7] = images[4]
    assert lines(stock(images, LABELS, PARTS)) == ["1 test image is also in train: 7.png = 4.png"]
    images[:] = images[0]
    first, *_ = lines(stock(images[:7], ["cat"] * 7, ["train"] + ["test"] * 6))
    assert first == (
        "6 test images are also in train: 1.png = 0.png, 2.png = 0.png, 3.png = 0.png and 3 more"
    )


def test_each_pair_of_parts_is_told_apart_the_test_part_first() -> None:
    images = pictures(4)
    images[2] = images[3] = images[1]
    parts = ["test", "train", "validation", "test"]
    assert lines(stock(images, ["cat"] * 4, parts)) == [
        "1 test image is also in train: 3.png = 1.png",
        "1 test image is also in validation: 3.png = 2.png",
        "1 validation image is also in train: 2.png = 1.png",
    ]


def test_equal_images_of_two_classes_contradict_each_other() -> None:
    images = pictures(6)
    images[5] = images[0]
    assert lines(stock(images, LABELS[:6])) == [
        "1 image is equal to one of another class: 0.png (cat) = 5.png (dog)",
        "1 image is a copy of another: 5.png = 0.png",
    ]


def test_copies_inside_a_part_are_counted_without_the_first() -> None:
    images = pictures(9)
    images[1] = images[2] = images[0]
    images[8] = images[7]
    assert lines(stock(images, LABELS, PARTS)) == [
        "2 train images are copies of others: 1.png = 0.png, 2.png = 0.png",
        "1 test image is a copy of another: 8.png = 7.png",
    ]


def test_nearly_equal_images_across_parts() -> None:
    images = pictures(9)
    images[8] = nearly(images[3:4])[0]
    assert lines(stock(images, LABELS, PARTS)) == [
        "1 test image is nearly equal to one in train: 8.png ~ 3.png"
    ]


def test_what_is_a_copy_is_not_also_nearly_equal() -> None:
    images = pictures(9)
    images[8] = images[3]
    images[4] = nearly(images[3:4])[0]
    assert lines(stock(images, LABELS, PARTS)) == ["1 test image is also in train: 8.png = 3.png"]


def test_nearly_equal_images_of_two_classes() -> None:
    images = pictures(9)
    images[5] = nearly(images[0:1])[0]
    assert lines(stock(images, LABELS, PARTS)) == [
        "1 pair of nearly equal images is of two classes: 0.png (cat) ~ 5.png (dog)"
    ]


def test_without_parts_nearly_equal_images_may_be_parted_unless_they_are_one_group() -> None:
    images = pictures(4)
    images[2:] = nearly(images[:2])
    labels = ["cat", "dog", "cat", "dog"]
    assert lines(stock(images, labels)) == [
        "2 images are nearly equal to others: 2.png ~ 0.png, 3.png ~ 1.png"
    ]
    assert lines(stock(images, labels, groups=["a", "b", "a", "c"])) == [
        "1 image is nearly equal to another: 3.png ~ 1.png"
    ]


def test_a_name_steers_no_terminal_and_fits_into_a_line() -> None:
    images = pictures(1).repeat(2, axis=0)
    names = ["\x1b[31m\n.png", "é" * 250]
    assert lines(stock(images, ["cat", "cat"], names=names)) == [
        f"1 image is a copy of another: {'é' * 59}… = \\x1b[31m\\n.png"
    ]


def a_dataset(train: Images, test: Images, labels: tuple[list[int], list[int]]) -> Dataset:
    return Dataset("own", ("cat", "dog"), train, np.array(labels[0]), test, np.array(labels[1]))


def test_leaks_of_a_data_set_are_a_line_and_else_none() -> None:
    images = pictures(9)
    train, test = images[:6], images[6:]
    labels = [0, 0, 0, 1, 1, 1], [0, 1, 1]
    assert leaks(a_dataset(train, test, labels)) == ()
    test[:] = train[[0, 1, 5]]
    assert leaks(a_dataset(train, test, labels)) == (
        "3 of 3 test images are also in training, 1 of them with another label: test image 0 = "
        "training image 0, test image 1 = training image 1, test image 2 = training image 5",
    )


def test_a_leak_is_told_by_the_first_of_several_training_images() -> None:
    images = pictures(3)
    images[1] = images[2] = images[0]
    assert leaks(a_dataset(images[:2], images[2:], ([0, 0], [0]))) == (
        "1 of 1 test image is also in training: test image 0 = training image 0",
    )


def test_what_ships_has_no_leaks(digits: Dataset, mnist: Dataset) -> None:
    assert leaks(digits) == leaks(mnist) == ()
