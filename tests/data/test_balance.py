from __future__ import annotations

from collections import Counter

import numpy as np
import pytest

from bakeoff.data.balance import Counts, balance_findings, count_classes, share_out
from bakeoff.data.parts import arranged
from bakeoff.data.readers.stock import Stock
from bakeoff.errors import StudyError
from bakeoff.study.protocol import Protocol

from .drawn_stocks import stock

OWN = Protocol(dataset="./photos")
CLASSES = ("cat", "dog", "eel")


def labelled(*counts: tuple[str, str, int], groups: list[str] | None = None) -> Stock:
    """Return a stock with so many images of each (class, part)."""
    labels = [label for label, _, count in counts for _ in range(count)]
    parts = [part for _, part, count in counts for _ in range(count)]
    images = np.zeros((len(labels), 1, 1, 1), dtype=np.uint8)
    return stock(images, labels, parts, groups=groups)


def shared(of: Stock, protocol: Protocol) -> Counts:
    digests = np.stack([np.arange(len(of.labels), dtype=np.uint64)] * 2, axis=1)
    return share_out(arranged(of), digests, protocol)


def lines(of: Stock, protocol: Protocol | None = None) -> list[str]:
    return [each.line for each in balance_findings(shared(of, protocol or OWN))]


def test_every_class_and_part_is_counted() -> None:
    of = labelled(("dog", "train", 3), ("cat", "train", 2), ("cat", "test", 1))
    assert count_classes(of, ("cat", "dog")) == {
        "cat": {"train": 2, "test": 1},
        "dog": {"train": 3, "test": 0},
    }


def test_what_trains_validates_and_tests_is_what_a_trial_would_take() -> None:
    of = labelled(*((name, "", count) for name, count in zip(CLASSES, (100, 50, 10), strict=True)))
    shares = shared(of, Protocol(dataset="./photos", validation=0.25, test=0.2))
    assert shares == {
        "cat": {"train": 60, "validation": 20, "test": 20},
        "dog": {"train": 30, "validation": 10, "test": 10},
        "eel": {"train": 6, "validation": 2, "test": 2},
    }


def test_a_test_part_that_is_there_is_kept_and_a_validation_part_trains_and_validates() -> None:
    of = labelled(
        ("cat", "train", 30), ("cat", "validation", 10), ("cat", "test", 5), ("dog", "train", 40)
    )
    shares = shared(of, Protocol(dataset="./photos", validation=0.1))
    assert shares == {
        "cat": {"train": 36, "validation": 4, "test": 5},
        "dog": {"train": 36, "validation": 4, "test": 0},
    }


def test_a_number_of_validation_examples_is_drawn_whatever_their_class() -> None:
    of = labelled(("cat", "train", 30), ("dog", "train", 30), ("dog", "test", 1))
    shares = shared(of, Protocol(validation_examples=13))
    assert sum(of_class["validation"] for of_class in shares.values()) == 13


def test_groups_stay_whole() -> None:
    groups = [str(number // 10) for number in range(200)]
    of = labelled(("cat", "", 100), ("dog", "", 100), groups=groups)
    share = shared(of, Protocol(dataset="./photos", validation=0.2))["cat"]
    assert share == {"train": 60, "validation": 20, "test": 20}


def test_too_few_images_to_split_are_said() -> None:
    two = labelled(("cat", "train", 1), ("dog", "train", 1), ("cat", "test", 1))
    with pytest.raises(StudyError, match=r"^protocol\.validation_examples: 9 of 2 examples"):
        shared(two, Protocol(validation_examples=9))


def test_even_classes_are_nothing_to_speak_of() -> None:
    assert lines(labelled(("cat", "train", 40), ("cat", "test", 9), ("dog", "train", 40),
                          ("dog", "test", 9))) == []  # fmt: skip


def test_classes_that_are_small_are_named() -> None:
    of = labelled(
        ("cat", "train", 90), ("dog", "train", 4), ("fox", "train", 30), ("fox", "test", 9)
    )
    assert lines(of) == [
        "1 class of which no image is left to validate on: dog",
        "1 class with fewer than 10 images to train on: dog",
        "class cat has 20.2 times as many images to train on as dog: 81 and 4",
    ]


def test_of_many_classes_the_first_are_named() -> None:
    of = labelled(*((f"{number}", "train", 9) for number in range(30)), ("0", "test", 1))
    few = lines(of)[-1]
    assert few == "30 classes with fewer than 10 images to train on: 0, 1, 2 and 27 more"


def test_shares_add_up_to_all_images() -> None:
    labels = np.random.default_rng(0).choice(CLASSES, 500).tolist()
    of = stock(np.zeros((500, 1, 1, 1), dtype=np.uint8), labels)
    shares = shared(of, OWN)
    assert {name: sum(share.values()) for name, share in shares.items()} == Counter(labels)
