"""Which mistakes are shown, and what is said of them: numbers that can be seen from the logits."""

from __future__ import annotations

import numpy as np
import pytest
from numpy.typing import NDArray

from bakeoff.data.dataset import Dataset
from bakeoff.findings.mistakes import (
    MOST_CLASSES_SHOWN,
    Mistake,
    confusion_of,
    mistake_at,
    shown_image,
    surest_mistakes,
)
from bakeoff.findings.predicted import Predicted, predicted

LABELS = np.array([0, 0, 1, 1, 0, 0])
#          right   wrong   right   wrong   wrong   wrong
LOGITS = np.array([[1, 0], [0, 1], [0, 9], [5, 0], [0, 1], [0, 3]], np.float32)


def dataset(
    labels: NDArray[np.int64] = LABELS, known_wrong: tuple[int, ...] = (), classes: int = 3
) -> Dataset:
    images = np.arange(len(labels)).astype(np.uint8).reshape(-1, 1, 1, 1)
    return Dataset(
        name="tiny",
        classes=tuple(map(str, range(classes))),
        train_images=images,
        train_labels=labels,
        test_images=images,
        test_labels=labels,
        known_wrong_test_labels=known_wrong,
    )


def found(most: int = 9, known_wrong: tuple[int, ...] = ()) -> tuple[Mistake, ...]:
    trial = predicted(LOGITS)
    wrong = np.flatnonzero(trial.classes != LABELS)
    return surest_mistakes(wrong, [trial], dataset(known_wrong=known_wrong), most)


def test_the_most_confident_come_first_and_ties_in_the_order_of_the_images() -> None:
    assert [mistake.index for mistake in found()] == [3, 5, 1, 4]


def test_a_mistake_says_what_it_is() -> None:
    first, *_, last = found()
    assert (first.label, first.predicted, last.label, last.predicted) == (1, 0, 0, 1)
    assert first.probability == pytest.approx(1 / (1 + np.exp(-5)))
    assert last.probability == pytest.approx(1 / (1 + np.exp(-1)))
    assert first.image is not None
    assert first.image.tolist() == [[[3]]]
    assert (first.wrong, first.trials) == (1, 1)


def test_no_more_than_asked_for_are_returned() -> None:
    assert [mistake.index for mistake in found(most=2)] == [3, 5]
    assert found(most=0) == ()


def test_a_label_that_is_known_to_be_wrong_is_flagged() -> None:
    flagged = [m.index for m in found(known_wrong=(0, 1, 5)) if m.known_wrong_label]
    assert flagged == [5, 1]


def trial(classes: list[int], probabilities: list[float]) -> Predicted:
    return Predicted(np.array(classes), np.array(probabilities))


def test_of_several_trials_the_commonest_wrong_answer_counts_and_who_gives_it() -> None:
    asked = [
        trial([1, 1], [0.5, 0.6]),
        trial([2, 0], [0.9, 0.8]),
        trial([2, 0], [0.7, 0.8]),
        trial([0, 0], [1.0, 0.8]),
    ]
    both = dataset(np.array([0, 0]))
    first = mistake_at(0, asked, both)
    assert (first.predicted, first.wrong, first.trials) == (2, 3, 4)
    assert first.probability == pytest.approx(0.8)
    second = mistake_at(1, asked, both)
    assert (second.predicted, second.wrong, second.probability) == (1, 1, 0.6)


def test_what_most_trials_get_wrong_comes_before_what_one_is_sure_of() -> None:
    asked = [trial([1, 1], [1.0, 0.5]), trial([0, 1], [1.0, 0.5])]
    ranked = surest_mistakes(np.array([0, 1]), asked, dataset(np.array([0, 0])), 9)
    assert [mistake.index for mistake in ranked] == [1, 0]


# Which class is taken for which


def said_by(*classes: int) -> Predicted:
    return Predicted(np.array(classes), np.ones(len(classes)))


def test_few_classes_are_all_counted_in_their_order_over_all_trials() -> None:
    labels = np.array([0, 0, 1, 2])
    found = confusion_of("a", [said_by(0, 1, 1, 0), said_by(0, 0, 1, 0)], dataset(labels))
    assert found.shown == (0, 1, 2)
    # The last column, of classes that are not shown, is empty.
    assert found.counts.tolist() == [[3, 1, 0, 0], [0, 2, 0, 0], [2, 0, 0, 0]]


def test_of_ten_thousand_classes_the_most_confused_stand_side_by_side() -> None:
    #                        five times either way      once     right
    labels = np.array([9000, 9000, 17, 17, 17, 500, 40, 17, 3])
    said = said_by(17, 17, 9000, 9000, 9000, 40, 500, 8000, 3)
    found = confusion_of("a", [said], dataset(labels, classes=10_000))
    # Five times, twice, once; then the first classes fill up.
    assert found.shown == (17, 9000, 40, 500, 8000, 0, 1, 2, 3, 4)
    assert found.counts.shape == (MOST_CLASSES_SHOWN, MOST_CLASSES_SHOWN + 1)
    assert found.counts.sum() == len(labels)
    assert found.counts[0, 1] == 3
    assert found.counts[1, 0] == 2


def test_what_is_taken_for_a_class_that_is_not_shown_counts_as_others() -> None:
    labels = np.repeat(np.arange(10), 3)
    said = (labels + 1) % 10
    labels, said = np.append(labels, 0), np.append(said, 19)
    found = confusion_of("a", [said_by(*said)], dataset(labels, classes=20))
    assert found.shown == (0, 1, 9, *range(2, 9))
    assert found.counts[:, -1].tolist() == [1] + [0] * 9


def test_without_a_word_of_the_study_an_image_is_shown_that_most_others_get_wrong() -> None:
    data = dataset(np.array([0, 1, 2, 3, 4]), known_wrong=(4,), classes=10)
    said = {
        "first": np.array([9, 1, 2, 3, 4]),
        "second": np.array([9, 9, 9, 9, 9]),
        "third": np.array([9, 1, 9, 9, 9]),
    }
    # The first entrant is wrong about image 0; the label of image 4 is; 2 comes before 3.
    assert shown_image(None, said, "first", data) == 2
    assert shown_image(None, {"first": said["first"]}, "first", data) == 0
    assert shown_image(4, said, "first", data) == 4
