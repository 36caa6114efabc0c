"""Test images that trials get wrong, and which class they take for which.

From predictions: a matrix of classes grows with their square, so records of many hold none.
"""

from __future__ import annotations

from collections import Counter
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from statistics import fmean
from typing import Protocol

import numpy as np
from numpy.typing import NDArray

from bakeoff.comparison.pair import PairComparison
from bakeoff.findings.predicted import Predicted

OF_EACH_SIDE = 8
"""Images that only one of the first two entrants gets right."""
OF_OTHERS = 4
"""Images that only one of any other two gets right."""
PAIRS_PICTURED = 30
"""Pairs whose images are shown: a page of hundreds of pairs must still open."""
HARDEST = 24
MOST_CLASSES_SHOWN = 10
"""So many stand side by side on a phone with their numbers legible."""


class Pictured(Protocol):
    """Images [channels, height, width] by index, or None where there is none."""

    def __getitem__(self, index: int, /) -> NDArray[np.uint8] | None:
        """Return the image at `index`."""


class Tested(Protocol):
    """What trials were tested on: a `Dataset`, or items that others predicted."""

    @property
    def classes(self) -> tuple[str, ...]:
        """Their names."""

    @property
    def test_images(self) -> Pictured:
        """By index."""

    @property
    def test_labels(self) -> NDArray[np.int64]:
        """True classes, [images]."""

    @property
    def known_wrong_test_labels(self) -> tuple[int, ...]:
        """Indices of images whose label is known to be wrong."""


@dataclass(frozen=True)
class Mistake:
    """A test image that some of the trials that were asked get wrong."""

    index: int
    image: NDArray[np.uint8] | None
    """[channels, height, width]."""
    label: int | None
    predicted: int | None
    """The wrong class that most of them say; None where answers are not classes."""
    probability: float | None
    """What those that say so give it, in the mean, in [0, 1]; None where nobody told."""
    wrong: int
    """How many of `trials` are wrong."""
    trials: int
    known_wrong_label: bool
    """Whether this label is known to be wrong."""


def mistake_at(index: int, asked: Sequence[Predicted], dataset: Tested) -> Mistake:
    """Return what the trials `asked`, of which at least one is wrong, say of a test image."""
    label = int(dataset.test_labels[index])
    said = [int(trial.classes[index]) for trial in asked]
    # Of equally frequent answers the first counts.
    ((predicted, _),) = Counter(each for each in said if each != label).most_common(1)
    told = [
        float(trial.probabilities[index])
        for trial, each in zip(asked, said, strict=True)
        if each == predicted and trial.probabilities is not None
    ]
    return Mistake(
        index=index,
        image=dataset.test_images[index],
        label=label,
        predicted=predicted,
        probability=fmean(told) if told else None,
        wrong=sum(each != label for each in said),
        trials=len(asked),
        known_wrong_label=index in dataset.known_wrong_test_labels,
    )


def surest_mistakes(
    indices: NDArray[np.int64], asked: Sequence[Predicted], dataset: Tested, most: int
) -> tuple[Mistake, ...]:
    """Return up to `most` of the images `indices`, each got wrong by a trial that was asked.

    First those that most trials get wrong, and of these the most confident. Ties keep the order of
    the images.
    """
    wrong = sum(trial.classes[indices] != dataset.test_labels[indices] for trial in asked)
    if len(indices) > most:
        # What fewer trials get wrong than the last one shown is not looked at more closely.
        indices = indices[wrong >= np.sort(wrong)[-most]]
    found = [mistake_at(index, asked, dataset) for index in indices.tolist()]
    found.sort(key=lambda mistake: (-mistake.wrong, -(mistake.probability or 0)))
    return tuple(found[:most])


def shown_image(
    asked: int | None, said: Mapping[str, NDArray[np.int64]], winner: str, dataset: Tested
) -> int:
    """Return the test image `asked` for, or else one that `winner` gets right and most do not.

    said: the class that a trial of each entrant gives each test image. Of equal ones it is the
    first; one whose label is known to be wrong does not count.
    """
    if asked is not None:
        return asked
    wrong = {name: classes != dataset.test_labels for name, classes in said.items()}
    others = np.sum([each for name, each in wrong.items() if name != winner], axis=0)
    apart = np.where(wrong[winner], 0, others)
    apart[list(dataset.known_wrong_test_labels)] = 0
    return int(apart.argmax())


@dataclass(frozen=True)
class Disagreement:
    """The test images on which two entrants part, as `pair.flips` has them; a selection."""

    pair: PairComparison
    only_a: tuple[Mistake, ...]
    """Images that a gets right and b wrong, with what b says; the surest first."""
    only_b: tuple[Mistake, ...]


def disagreements(
    pairs: Sequence[PairComparison],
    wrong_about: Callable[[PairComparison, str, NDArray[np.int64], int], tuple[Mistake, ...]],
) -> tuple[Disagreement, ...]:
    """Return where the entrants of each pair part, over all seeds, most images for the first pair.

    wrong_about: some of the images of a pair that an entrant gets wrong: up to so many of these.
    """
    found = []
    for place, pair in enumerate(pairs[:PAIRS_PICTURED]):
        if pair.flips is None:
            continue
        most = OF_OTHERS if place else OF_EACH_SIDE
        only_a = wrong_about(pair, pair.b, pair.flips.only_a, most)
        only_b = wrong_about(pair, pair.a, pair.flips.only_b, most)
        found.append(Disagreement(pair, only_a, only_b))
    return tuple(found)


@dataclass(frozen=True, eq=False)
class Confusion:
    """Test images of one entrant by true and predicted class, summed over its trials."""

    entrant: str
    shown: tuple[int, ...]
    """All classes in their order, or those most confused, next to each other what is confused."""
    counts: NDArray[np.int64]
    """[true class, predicted class], of those shown; a last column counts all other classes."""


def confusion_of(entrant: str, asked: Sequence[Predicted], dataset: Tested) -> Confusion:
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
