from __future__ import annotations

import numpy as np
import pytest

from bakeoff.findings.look import Mistake
from bakeoff.findings.mistakes import most_confident_mistakes
from bakeoff.findings.predicted import predicted

IMAGES = np.arange(6, dtype=np.uint8).reshape(6, 1, 1, 1)
LABELS = np.array([0, 0, 1, 1, 0, 0])
#          right   wrong   right   wrong   wrong   wrong
LOGITS = np.array([[1, 0], [0, 1], [0, 9], [5, 0], [0, 1], [0, 3]], np.float32)


def found(most: int = 9, known_wrong: tuple[int, ...] = ()) -> tuple[Mistake, ...]:
    return most_confident_mistakes(predicted(LOGITS), LABELS, IMAGES, known_wrong, most)


def test_mistakes_come_most_confident_first_and_ties_in_the_order_of_the_images() -> None:
    assert [mistake.index for mistake in found()] == [3, 5, 1, 4]


def test_many_ties_keep_the_order_of_the_images() -> None:
    # Few numbers are sorted in a way that keeps ties anyway; a thousand are not.
    logits = np.tile(np.array([[0, 1], [0, 2]], np.float32), (500, 1))
    labels, images = np.zeros(1000, np.int64), np.zeros((1000, 1, 1, 1), np.uint8)
    mistakes = most_confident_mistakes(predicted(logits), labels, images, (), 1000)
    assert [m.index for m in mistakes] == [*range(1, 1000, 2), *range(0, 1000, 2)]


def test_a_mistake_says_what_it_is() -> None:
    first, *_, last = found()
    assert (first.label, first.predicted, last.label, last.predicted) == (1, 0, 0, 1)
    assert first.probability == pytest.approx(1 / (1 + np.exp(-5)))
    assert last.probability == pytest.approx(1 / (1 + np.exp(-1)))
    assert first.image.tolist() == [[[3]]]


def test_no_more_than_asked_for_are_returned() -> None:
    assert [mistake.index for mistake in found(most=2)] == [3, 5]
    assert found(most=0) == ()


def test_a_label_that_is_known_to_be_wrong_is_flagged() -> None:
    flagged = [m.index for m in found(known_wrong=(0, 1, 5)) if m.known_wrong_label]
    assert flagged == [5, 1]


def test_a_network_without_mistakes_has_none() -> None:
    right = np.eye(2, dtype=np.float32)[LABELS]
    assert most_confident_mistakes(predicted(right), LABELS, IMAGES, (), 5) == ()


def test_extreme_logits_give_probabilities_and_no_warning() -> None:
    logits = np.array([[1e30, -1e30]], np.float32)
    (mistake,) = most_confident_mistakes(predicted(logits), np.array([1]), IMAGES[:1], (), 5)
    assert mistake.probability == 1.0
