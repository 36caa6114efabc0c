"""Scores of logits against labels."""

from __future__ import annotations

import numpy as np
from numpy.typing import NDArray

from bakeoff.records.limits import LARGEST_NUMBER, MOST_CLASSES_OF_A_MATRIX, SMALLEST_NUMBER
from bakeoff.records.record import Scores


def cross_entropy(logits: NDArray[np.float32], labels: NDArray[np.int64]) -> float:
    """Return the mean over examples of -log softmax(logits)[label], in nats, in float64.

    What is smaller than any rounding of it is 0.
    """
    from scipy.special import logsumexp

    exact = logits.astype(np.float64)
    of_label = exact[np.arange(len(labels)), labels]
    mean = float(np.mean(logsumexp(exact, axis=1) - of_label))
    return mean if mean >= SMALLEST_NUMBER else 0.0


def score(logits: NDArray[np.float32], labels: NDArray[np.int64]) -> Scores:
    """Return all scores of logits [n, classes] against labels [n].

    A class that is never predicted has precision 0; one without examples has recall 0 and does
    not count in the balanced accuracy, which is the mean recall of the classes present. Many
    classes get no confusion matrix. Raises FloatingPointError where the logits are not finite, or
    the loss is one that no record holds. Scikit-learn says the same to the last bit, after a second
    in which it is imported.
    """
    wrong = np.flatnonzero(~np.isfinite(logits).all(axis=1))
    if len(wrong):
        others = f" and {len(wrong) - 1} more" if len(wrong) > 1 else ""
        raise FloatingPointError(f"logits of image {wrong[0]}{others} were not finite")
    loss = cross_entropy(logits, labels)
    if loss > LARGEST_NUMBER:
        raise FloatingPointError(f"loss was above {LARGEST_NUMBER:g}")
    classes = logits.shape[1]
    predicted = logits.argmax(axis=1)
    right = np.bincount(labels[predicted == labels], minlength=classes)
    of_class = np.bincount(labels, minlength=classes)
    taken_for = np.bincount(predicted, minlength=classes)
    recall = _share(right, of_class)
    confusion: list[list[int]] = []
    if classes <= MOST_CLASSES_OF_A_MATRIX:
        pairs = np.bincount(labels * classes + predicted, minlength=classes * classes)
        confusion = pairs.reshape(classes, classes).tolist()
    return Scores(
        loss=loss,
        accuracy=float(right.sum() / len(labels)),
        balanced_accuracy=float(np.mean(recall[of_class > 0])),
        precision=tuple(_share(right, taken_for).tolist()),
        recall=tuple(recall.tolist()),
        f1=tuple(_share(2 * right, of_class + taken_for).tolist()),
        confusion=tuple(tuple(row) for row in confusion),
    )


def _share(some: NDArray[np.int64], of: NDArray[np.int64]) -> NDArray[np.float64]:
    """Return the proportions; 0 of nothing is 0."""
    return np.divide(some, of, out=np.zeros(len(of)), where=of > 0)
