"""The test images that a network got wrong, the most confident mistakes first."""

from __future__ import annotations

from collections.abc import Collection

import numpy as np
from numpy.typing import NDArray

from bakeoff.findings.look import Mistake
from bakeoff.findings.predicted import Predicted


def most_confident_mistakes(
    predicted: Predicted,
    labels: NDArray[np.int64],
    images: NDArray[np.uint8],
    known_wrong: Collection[int],
    most: int,
) -> tuple[Mistake, ...]:
    """Return up to `most` mistakes, ordered by the probability of the wrong class.

    labels: [n]; images: uint8 [n, channels, height, width]; known_wrong: indices whose label is
    known to be wrong. Ties keep the order of the images.
    """
    wrong = np.flatnonzero(predicted.classes != labels)
    order = wrong[np.argsort(-predicted.probabilities[wrong], kind="stable")][:most]
    return tuple(
        Mistake(
            index=int(index),
            image=images[index],
            label=int(labels[index]),
            predicted=int(predicted.classes[index]),
            probability=float(predicted.probabilities[index]),
            known_wrong_label=int(index) in known_wrong,
        )
        for index in order
    )
