from __future__ import annotations

import math

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st
from numpy.typing import NDArray
from sklearn import metrics

from bakeoff.training.scores import cross_entropy, score


def logits_for(predicted: list[int], classes: int = 3) -> NDArray[np.float32]:
    return np.eye(classes, dtype=np.float32)[predicted]


def test_scores_are_those_worked_out_by_hand() -> None:
    #                     true 0 0 0 0 1 1 2 2 2 2
    labels = np.array([0, 0, 0, 0, 1, 1, 2, 2, 2, 2])
    found = score(logits_for([0, 0, 0, 1, 1, 2, 2, 2, 0, 1]), labels)
    assert found.confusion == ((3, 1, 0), (0, 1, 1), (1, 1, 2))
    assert found.accuracy == pytest.approx(6 / 10)
    assert found.recall == pytest.approx((3 / 4, 1 / 2, 1 / 2))
    assert found.balanced_accuracy == pytest.approx((3 / 4 + 1 / 2 + 1 / 2) / 3)
    assert found.precision == pytest.approx((3 / 4, 1 / 3, 2 / 3))
    assert found.f1 == pytest.approx((6 / 8, 2 / 5, 4 / 7))
    # Six right and four wrong of logits one and zero.
    assert found.loss == pytest.approx(math.log(math.e + 2) - 0.6)


def test_a_class_without_examples_does_not_count_in_the_balanced_accuracy() -> None:
    found = score(logits_for([0, 0, 1, 2]), np.array([0, 0, 1, 1]))
    assert found.balanced_accuracy == pytest.approx((1 + 0.5) / 2)
    assert found.recall == (1.0, 0.5, 0.0)
    assert found.precision == (1.0, 1.0, 0.0)
    assert found.f1 == pytest.approx((1.0, 2 / 3, 0.0))
    assert found.confusion == ((2, 0, 0), (0, 1, 1), (0, 0, 0))


def test_a_class_that_is_never_predicted_has_precision_zero() -> None:
    found = score(logits_for([0, 0, 1]), np.array([0, 2, 1]))
    assert found.precision == (0.5, 1.0, 0.0)
    assert found.recall == (1.0, 1.0, 0.0)
    assert found.f1[2] == 0.0
    assert found.balanced_accuracy == pytest.approx(2 / 3)


def test_a_class_neither_predicted_nor_present_still_has_its_place() -> None:
    found = score(logits_for([0, 1], classes=4), np.array([0, 1]))
    assert len(found.precision) == len(found.recall) == len(found.f1) == len(found.confusion) == 4
    assert found.accuracy == found.balanced_accuracy == 1.0


@pytest.mark.filterwarnings("ignore:y_pred contains classes not in y_true", "ignore:A single label")
@given(st.integers(2, 12), st.integers(1, 300), st.integers(0, 2**32 - 1), st.booleans())
def test_scores_are_those_of_scikit_learn_to_the_last_bit(
    classes: int, examples: int, seed: int, one: bool
) -> None:
    rng = np.random.default_rng(seed)
    logits = rng.normal(size=(examples, classes)).astype(np.float32)
    labels = rng.integers(0, 1 if one else classes, examples)
    found, predicted = score(logits, labels), logits.argmax(1)
    every = np.arange(classes)
    precision, recall, f1, _ = metrics.precision_recall_fscore_support(
        labels, predicted, labels=every, zero_division=0
    )
    confusion = metrics.confusion_matrix(labels, predicted, labels=every)
    assert (found.precision, found.recall, found.f1) == (tuple(precision), tuple(recall), tuple(f1))
    assert found.accuracy == metrics.accuracy_score(labels, predicted)
    assert found.balanced_accuracy == metrics.balanced_accuracy_score(labels, predicted)
    assert [list(row) for row in found.confusion] == confusion.tolist()


@pytest.mark.parametrize(("classes", "rows"), [(100, 100), (101, 0)])
def test_many_classes_have_scores_without_a_confusion_matrix(classes: int, rows: int) -> None:
    found = score(logits_for([0, 1, 1], classes), np.array([0, 1, 2]))
    assert len(found.confusion) == rows
    assert found.recall == (1.0, 1.0) + (0.0,) * (classes - 2)
    assert found.precision == (1.0, 0.5) + (0.0,) * (classes - 2)
    assert found.accuracy == pytest.approx(2 / 3)


def test_the_first_class_is_predicted_where_logits_tie() -> None:
    assert score(np.zeros((1, 3), np.float32), np.array([0])).accuracy == 1.0


def test_cross_entropy_is_minus_the_log_of_the_probability_of_the_label() -> None:
    logits = np.array([[0, math.log(3)], [math.log(4), 0]], np.float32)
    expected = (-math.log(1 / 4) - math.log(4 / 5)) / 2
    assert cross_entropy(logits, np.array([0, 0])) == pytest.approx(expected, rel=1e-6)


def test_equal_logits_cost_the_log_of_the_number_of_classes() -> None:
    logits = np.full((5, 10), 7.5, np.float32)
    assert cross_entropy(logits, np.arange(5)) == pytest.approx(math.log(10), rel=1e-12)


@pytest.mark.parametrize("size", [1e4, 1e30])
def test_extreme_logits_neither_overflow_nor_vanish(size: float) -> None:
    logits = np.array([[size, -size], [-size, size]], np.float32)
    assert cross_entropy(logits, np.array([0, 1])) == 0.0
    assert cross_entropy(logits, np.array([1, 0])) == pytest.approx(2 * size)
    assert score(logits, np.array([0, 1])).loss == 0.0


def test_a_loss_smaller_than_any_rounding_is_none() -> None:
    logits = np.array([[0, -740], [0, -740]], np.float32)
    assert cross_entropy(logits, np.array([0, 0])) == 0.0
    assert cross_entropy(logits, np.array([0, 1])) == 370


@pytest.mark.parametrize("wrong", [np.nan, np.inf, -np.inf])
def test_logits_that_are_not_finite_have_no_scores(wrong: float) -> None:
    logits = np.array([[0, 1, 2], [1, wrong, 0]], np.float32)
    with pytest.raises(FloatingPointError, match=r"^logits of image 1 were not finite$"):
        score(logits, np.array([2, 0]))


def test_a_loss_beyond_all_measure_has_no_scores() -> None:
    logits = np.array([[3e15, 0]], np.float32)
    assert score(logits, np.array([0])).loss == 0
    with pytest.raises(FloatingPointError, match=r"^loss was above 1e\+15$"):
        score(logits, np.array([1]))


def test_cross_entropy_is_summed_in_float64() -> None:
    # In float32, 1 + exp(-17) is 1, and the loss of a sure answer would be exactly 0.
    logits = np.tile(np.array([17, 0], np.float32), (1000, 1))
    expected = math.log1p(math.exp(-17))
    assert cross_entropy(logits, np.zeros(1000, np.int64)) == pytest.approx(expected, rel=1e-7)


def test_a_single_class_is_scored_without_a_warning() -> None:
    found = score(logits_for([1, 1]), np.array([1, 1]))
    assert (found.accuracy, found.balanced_accuracy, found.recall) == (1.0, 1.0, (0.0, 1.0, 0.0))
