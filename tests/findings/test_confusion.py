"""Which classes are shown of many, and that every image of theirs is counted."""

from __future__ import annotations

import numpy as np
from numpy.typing import NDArray

from bakeoff.data.dataset import Dataset
from bakeoff.findings.confusion import MOST_CLASSES_SHOWN, confusion_of
from bakeoff.findings.predicted import Predicted


def dataset(labels: NDArray[np.int64], classes: int) -> Dataset:
    images = np.zeros((len(labels), 1, 1, 1), np.uint8)
    return Dataset(
        name="tiny",
        classes=tuple(str(number) for number in range(classes)),
        train_images=images,
        train_labels=labels,
        test_images=images,
        test_labels=labels,
    )


def trial(*classes: int) -> Predicted:
    return Predicted(np.array(classes), np.ones(len(classes)))


def test_few_classes_are_all_counted_in_their_order_over_all_trials() -> None:
    labels = np.array([0, 0, 1, 2])
    found = confusion_of("a", [trial(0, 1, 1, 0), trial(0, 0, 1, 0)], dataset(labels, 3))
    assert found.shown == (0, 1, 2)
    # The last column, of classes that are not shown, is empty.
    assert found.counts.tolist() == [[3, 1, 0, 0], [0, 2, 0, 0], [2, 0, 0, 0]]


def test_of_ten_thousand_classes_the_most_confused_stand_side_by_side() -> None:
    #                        five times either way      once     right
    labels = np.array([9000, 9000, 17, 17, 17, 500, 40, 17, 3])
    said = trial(17, 17, 9000, 9000, 9000, 40, 500, 8000, 3)
    found = confusion_of("a", [said], dataset(labels, 10_000))
    # Five times, twice, once; then the first classes fill up.
    assert found.shown == (17, 9000, 40, 500, 8000, 0, 1, 2, 3, 4, 5, 6)
    assert found.counts.shape == (MOST_CLASSES_SHOWN, MOST_CLASSES_SHOWN + 1)
    assert found.counts.sum() == len(labels)
    assert found.counts[0, 1] == 3
    assert found.counts[1, 0] == 2


def test_what_is_taken_for_a_class_that_is_not_shown_counts_as_others() -> None:
    labels = np.repeat(np.arange(12), 3)
    said = (labels + 1) % 12
    labels, said = np.append(labels, 0), np.append(said, 19)
    found = confusion_of("a", [trial(*said)], dataset(labels, 20))
    assert found.shown == (0, 1, 11, *range(2, 11))
    assert found.counts[:, -1].tolist() == [1] + [0] * 11
