"""Test images worth asking about: at random, where entrants part, or where most are wrong."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import NamedTuple

import numpy as np
from numpy.typing import NDArray

from bakeoff.data.dataset import Dataset
from bakeoff.findings.predicted import PredictedBy


class Pick(NamedTuple):
    """A test image."""

    image: int
    """Its index."""
    entrants: int
    """That are wrong; for `disagree`, that say something else than most trials do."""


def random_picks(dataset: Dataset, predicted: PredictedBy, count: int) -> list[Pick]:
    """Return test images at random, others each time."""
    images = len(dataset.test_labels)
    chosen = np.random.default_rng().choice(images, min(count, images), replace=False)
    return _picks(chosen, _apart(predicted, dataset.test_labels))


def wrong_picks(dataset: Dataset, predicted: PredictedBy, count: int) -> list[Pick]:
    """Return those that most trials get wrong; one whose label is known to be wrong is none."""
    wrong = sum(
        (trial.classes != dataset.test_labels).astype(np.int64) for trial in predicted.values()
    )
    trials = np.asarray(wrong) + np.zeros(len(dataset.test_labels), np.int64)
    trials[list(dataset.known_wrong_test_labels)] = 0
    return _picks(_most(trials, count), _apart(predicted, dataset.test_labels))


def disagree_picks(dataset: Dataset, predicted: PredictedBy, count: int) -> list[Pick]:
    """Return those of which the fewest trials say what most of them say."""
    common, votes = _common(predicted, len(dataset.test_labels), len(dataset.classes))
    return _picks(_most(len(predicted) - votes, count), _apart(predicted, common))


def _most(number: NDArray[np.int64], count: int) -> NDArray[np.int64]:
    """Return the indices of the largest numbers above zero, the largest first."""
    order = np.argsort(-number, kind="stable")[:count]
    return order[number[order] > 0]


def _common(
    predicted: PredictedBy, images: int, classes: int
) -> tuple[NDArray[np.int64], NDArray[np.int64]]:
    """Return what most trials say of each image, the first of equal ones, and how many do."""
    common, most = np.zeros(images, np.int64), np.zeros(images, np.int64)
    for each in range(classes):  # One at a time: a thousand classes by a million images are many.
        votes = sum(
            ((t.classes == each).astype(np.int64) for t in predicted.values()), start=most * 0
        )
        common[votes > most] = each
        most = np.maximum(most, votes)
    return common, most


def _apart(predicted: PredictedBy, from_what: NDArray[np.int64]) -> NDArray[np.int64]:
    """Return how many entrants mostly say something else than this of each image, [images]."""
    by_entrant: Mapping[str, list[NDArray[np.bool_]]] = {name: [] for name, _ in predicted}
    for (name, _), trial in predicted.items():
        by_entrant[name].append(trial.classes != from_what)
    apart = np.zeros(len(from_what), np.int64)
    for trials in by_entrant.values():
        apart += np.mean(trials, axis=0) > 0.5
    return apart


def _picks(indices: Sequence[int] | NDArray[np.int64], entrants: NDArray[np.int64]) -> list[Pick]:
    return [Pick(int(index), int(entrants[index])) for index in indices]
