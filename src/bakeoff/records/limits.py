"""How large a trial and its numbers may be: readers keep to it, and whoever trains keeps it."""

from __future__ import annotations

from collections.abc import Mapping

from bakeoff.data.dataset import Dataset
from bakeoff.data.split import split_of
from bakeoff.errors import StudyError
from bakeoff.study.study import Study

MOST_CLASSES = 10_000
MOST_CLASSES_OF_A_MATRIX = 100
"""Above it records hold no confusion matrix, which grows with the square; predictions have it."""

LARGEST_NUMBER = 1e15
"""Of a loss, a time, a count, a weight. Beyond it nothing was measured, and no axis can show it."""
SMALLEST_NUMBER = 1e-100
"""That is not 0."""

LARGEST_RECORD = 8_000_000
"""Bytes. Ten thousand epochs take 2 MB, and the scores of ten thousand classes as much."""
LARGEST_ARRAYS = 2**30
"""Bytes of weights, and of predictions."""
_HEADERS = 1_000_000
"""Bytes that come on top: names, shapes and places of the arrays."""


def refuse_unreadable(
    study: Study, dataset: Dataset, weights: Mapping[str, int], where: str
) -> None:
    """Raise StudyError, before anything is trained, where a trial could not be read back.

    weights: bytes of each entrant's network.
    """
    classes = len(dataset.classes)
    if classes > MOST_CLASSES:
        raise StudyError(
            f"{where}: protocol.dataset: {dataset.name} has {classes:,} classes, at most "
            f"{MOST_CLASSES:,} can be recorded"
        )
    images = len(split_of(study, 0, dataset).validation) + len(dataset.test_images)
    predictions = predictions_bytes(images, classes)
    if predictions > LARGEST_ARRAYS - _HEADERS:
        raise StudyError(
            f"{where}: protocol.validation: the predictions of a trial on {images:,} "
            f"images of {classes:,} classes take {_size(predictions)}, at most "
            f"{_size(LARGEST_ARRAYS)} can be read back; take fewer"
        )
    for number, entrant in enumerate(study.entrants):
        if weights[entrant.name] > LARGEST_ARRAYS - _HEADERS:
            raise StudyError(
                f"{where}: entrants[{number}].architecture: weights of "
                f"{_size(weights[entrant.name])}, at most {_size(LARGEST_ARRAYS)} can be read back"
            )


def predictions_bytes(images: int, classes: int) -> int:
    """Return what the predictions of a trial take: float32 logits, an int64 label and index."""
    return images * (4 * classes + 16)


def _size(number: int) -> str:
    return f"{number / 1e6:,.0f} MB"
