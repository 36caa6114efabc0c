"""The test images that a network got wrong, the most confident mistakes first."""

from __future__ import annotations

from collections.abc import Collection

import numpy as np
from numpy.typing import NDArray
from scipy.special import softmax

from bakeoff.findings.look import Mistake


def most_confident_mistakes(
    logits: NDArray[np.float32],
    labels: NDArray[np.int64],
    images: NDArray[np.uint8],
    known_wrong: Collection[int],
    most: int,
) -> tuple[Mistake, ...]:
    """Return up to `most` mistakes, ordered by the probability of the wrong class.

    logits: [n, classes]; labels: [n]; images: uint8 [n, channels, height, width]; known_wrong:
    indices whose label is known to be wrong. Ties keep the order of the images.
    """
    probabilities = softmax(logits.astype(np.float64), axis=1)
    predicted = logits.argmax(axis=1)
    wrong = np.flatnonzero(predicted != labels)
    confidence = probabilities[wrong, predicted[wrong]]
    order = wrong[np.argsort(-confidence, kind="stable")][:most]
    return tuple(
        Mistake(
            index=int(index),
            image=images[index],
            label=int(labels[index]),
            predicted=int(predicted[index]),
            probability=float(probabilities[index, predicted[index]]),
            known_wrong_label=int(index) in known_wrong,
        )
        for index in order
    )
