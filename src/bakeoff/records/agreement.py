"""Whether a record says what its own predictions say: whoever seals both can put in anything."""

from __future__ import annotations

import numpy as np
from numpy.typing import NDArray

from bakeoff.records.record import Scores

_ROUNDING = 1e-9
"""Proportions are quotients of whole numbers: what differs by more was not rounded but changed."""


def disagreement(
    scores: Scores, predicted: NDArray[np.int64], labels: NDArray[np.int64]
) -> str | None:
    """Return in what scores are not those of these predictions, with the largest difference.

    predicted, labels: classes, int64 [images]. The loss is not looked at; it needs all logits.
    """
    classes = len(scores.precision)
    told = 1 + max(int(labels.max()), int(predicted.max()))
    if told > classes:
        return f"scores are of {classes} classes, the predictions of {told} or more"
    right = np.bincount(labels[predicted == labels], minlength=classes)
    there, said = np.bincount(labels, minlength=classes), np.bincount(predicted, minlength=classes)
    recall = right / np.maximum(there, 1)
    recomputed = {
        "accuracy": right.sum() / len(labels),
        "balanced_accuracy": recall[there > 0].mean(),
        "precision": right / np.maximum(said, 1),
        "recall": recall,
        "f1": 2 * right / np.maximum(there + said, 1),
    }
    if scores.confusion:
        counts = np.bincount(labels * classes + predicted, minlength=classes**2)
        recomputed["confusion"] = counts.reshape(classes, classes)
    for name, values in recomputed.items():
        found, exact = np.ravel(getattr(scores, name)), np.ravel(values)
        worst = int(np.abs(found - exact).argmax())
        if abs(found[worst] - exact[worst]) > _ROUNDING:
            return f"{name} is {found[worst]:.6g}, by the predictions {exact[worst]:.6g}"
    return None
