"""Which class is taken for which.

From predictions: a matrix grows with the square of the classes, so records of many hold none.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from bakeoff.data.dataset import Dataset
from bakeoff.findings.predicted import Predicted

MOST_CLASSES_SHOWN = 12
"""So many stand side by side on a phone with their numbers legible."""


@dataclass(frozen=True, eq=False)
class Confusion:
    """Test images of one entrant by true and predicted class, summed over its trials."""

    entrant: str
    shown: tuple[int, ...]
    """All classes in their order, or those most confused, next to each other what is confused."""
    counts: NDArray[np.int64]
    """[true class, predicted class], of those shown; a last column counts all other classes."""


def confusion_of(entrant: str, asked: Sequence[Predicted], dataset: Dataset) -> Confusion:
    """Return what the trials `asked` of an entrant take for what."""
    classes = len(dataset.classes)
    true = np.tile(dataset.test_labels, len(asked))
    said = np.concatenate([trial.classes for trial in asked])
    shown = _most_confused(true, said, classes)
    places = np.full(classes, len(shown))
    places[list(shown)] = np.arange(len(shown))
    counts = np.zeros((len(shown) + 1, len(shown) + 1), dtype=np.int64)
    np.add.at(counts, (places[true], places[said]), 1)
    return Confusion(entrant, shown, counts[:-1])


def _most_confused(
    true: NDArray[np.int64], said: NDArray[np.int64], classes: int
) -> tuple[int, ...]:
    """Return the classes of the pairs that are most often taken for each other, pair by pair."""
    if classes <= MOST_CLASSES_SHOWN:
        return tuple(range(classes))
    wrong = true != said
    first, second = np.minimum(true, said)[wrong], np.maximum(true, said)[wrong]
    pairs, times = np.unique(first * classes + second, return_counts=True)
    found: dict[int, None] = {}
    for pair in pairs[np.argsort(-times, kind="stable")].tolist():
        found |= dict.fromkeys(divmod(pair, classes))
        if len(found) >= MOST_CLASSES_SHOWN:
            break
    # Where hardly any are confused, the first classes fill up.
    found |= dict.fromkeys(range(MOST_CLASSES_SHOWN))
    return tuple(found)[:MOST_CLASSES_SHOWN]
