"""Test images that trials get wrong, with what they say instead."""

from __future__ import annotations

from collections import Counter
from collections.abc import Sequence
from dataclasses import dataclass
from statistics import fmean

import numpy as np
from numpy.typing import NDArray

from bakeoff.data.dataset import Dataset
from bakeoff.findings.predicted import Predicted


@dataclass(frozen=True)
class Mistake:
    """A test image that some of the trials that were asked get wrong."""

    index: int
    image: NDArray[np.uint8]
    """[channels, height, width]."""
    label: int
    predicted: int
    """The wrong class that most of them say."""
    probability: float
    """What those that say so give it, in the mean, in [0, 1]."""
    wrong: int
    """How many of `trials` are wrong."""
    trials: int
    known_wrong_label: bool
    """Whether this label is known to be wrong."""


def mistake_at(index: int, asked: Sequence[Predicted], dataset: Dataset) -> Mistake:
    """Return what the trials `asked`, of which at least one is wrong, say of a test image."""
    label = int(dataset.test_labels[index])
    said = [int(trial.classes[index]) for trial in asked]
    # Of equally frequent answers the first counts.
    ((predicted, _),) = Counter(each for each in said if each != label).most_common(1)
    return Mistake(
        index=index,
        image=dataset.test_images[index],
        label=label,
        predicted=predicted,
        probability=fmean(
            float(trial.probabilities[index])
            for trial, each in zip(asked, said, strict=True)
            if each == predicted
        ),
        wrong=sum(each != label for each in said),
        trials=len(asked),
        known_wrong_label=index in dataset.known_wrong_test_labels,
    )


def surest_mistakes(
    indices: NDArray[np.int64], asked: Sequence[Predicted], dataset: Dataset, most: int
) -> tuple[Mistake, ...]:
    """Return up to `most` of the images `indices`, each got wrong by a trial that was asked.

    First those that most trials get wrong, and of these the most confident. Ties keep the order of
    the images.
    """
    found = [mistake_at(index, asked, dataset) for index in indices.tolist()]
    found.sort(key=lambda mistake: (-mistake.wrong, -mistake.probability))
    return tuple(found[:most])
