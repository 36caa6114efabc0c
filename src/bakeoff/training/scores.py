"""Scores of logits against labels, by scikit-learn."""

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
    the loss is one that no record holds.
    """
    if not np.isfinite(logits).all():
        raise FloatingPointError("logits were not all finite")
    loss = cross_entropy(logits, labels)
    if loss > LARGEST_NUMBER:
        raise FloatingPointError(f"loss was above {LARGEST_NUMBER:g}")
    # scikit-learn takes a second to import, and nothing is scored before a training has ended.
    from sklearn.metrics import accuracy_score, confusion_matrix, precision_recall_fscore_support

    classes = np.arange(logits.shape[1])
    matrix = len(classes) <= MOST_CLASSES_OF_A_MATRIX
    predicted = logits.argmax(axis=1)
    precision, recall, f1, examples = precision_recall_fscore_support(
        labels, predicted, labels=classes, zero_division=0
    )
    confusion = confusion_matrix(labels, predicted, labels=classes).tolist() if matrix else []
    return Scores(
        loss=loss,
        accuracy=float(accuracy_score(labels, predicted)),
        balanced_accuracy=float(recall[examples > 0].mean()),
        precision=tuple(precision.tolist()),
        recall=tuple(recall.tolist()),
        f1=tuple(f1.tolist()),
        confusion=tuple(tuple(row) for row in confusion),
    )
