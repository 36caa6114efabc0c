from __future__ import annotations

from dataclasses import replace

import numpy as np
import pytest

from bakeoff.data.dataset import Dataset
from bakeoff.errors import StudyError
from bakeoff.records.limits import LARGEST_ARRAYS, predictions_bytes, refuse_unreadable

from ..factories import entrant, study

ASKED = study(entrant("a"), entrant("b"))


def of_classes(digits: Dataset, classes: int) -> Dataset:
    return replace(digits, classes=tuple(map(str, range(classes))))


def refusal(dataset: Dataset, weights: int, validation: int = 297) -> str:
    asked = study(*ASKED.entrants, validation=validation)
    with pytest.raises(StudyError) as caught:
        refuse_unreadable(asked, dataset, {"a": 1, "b": weights}, "mine.toml")
    return str(caught.value)


def test_what_ships_can_be_read_back(digits: Dataset) -> None:
    refuse_unreadable(ASKED, digits, {"a": 1, "b": 25_000_000}, "mine.toml")
    refuse_unreadable(ASKED, of_classes(digits, 10_000), {"a": 1, "b": 10**9}, "mine.toml")


def test_more_classes_than_a_record_holds_are_refused(digits: Dataset) -> None:
    assert refusal(of_classes(digits, 10_001), 1) == (
        "mine.toml: protocol.dataset: digits has 10,001 classes, at most 10,000 can be recorded"
    )


def test_more_predictions_than_are_read_are_refused(digits: Dataset) -> None:
    many = replace(
        of_classes(digits, 10_000),
        train_images=np.zeros((27_001, 1, 8, 8), dtype=np.uint8),
        train_labels=np.zeros(27_001, dtype=np.int64),
    )
    assert refusal(many, 1, validation=27_000) == (
        "mine.toml: protocol.validation: the predictions of a trial on 27,500 images of "
        "10,000 classes take 1,100 MB, at most 1,074 MB can be read back; take fewer"
    )


def test_more_weights_than_are_read_are_refused(digits: Dataset) -> None:
    assert refusal(digits, LARGEST_ARRAYS * 2) == (
        "mine.toml: entrants[1].architecture: weights of 2,147 MB, at most 1,074 MB can be read "
        "back"
    )


def test_predictions_are_logits_labels_and_an_index() -> None:
    assert predictions_bytes(images=3, classes=5) == 3 * (5 * 4 + 8 + 8)
