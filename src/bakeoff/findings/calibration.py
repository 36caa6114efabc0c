"""Whether trials are right as often as they are sure, and what their answers cost in nats."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from statistics import fmean

import numpy as np
from numpy.typing import NDArray

from bakeoff.findings.predicted import Predicted
from bakeoff.records.record import Evaluation

BINS = 15


@dataclass(frozen=True)
class Calibration:
    """How an entrant's probabilities fit its answers to test images; means over its trials."""

    entrant: str
    loss: float
    """Cross-entropy, in nats."""
    sure: float
    """The probability of the class that is said, in (0, 1]."""
    right: float
    """The share of right answers: well calibrated, it is as large as `sure`."""
    error: float
    """The expected calibration error, in [0, 1]."""


def calibration_of(
    entrant: str,
    trials: Sequence[Evaluation],
    asked: Sequence[Predicted],
    labels: NDArray[np.int64],
) -> Calibration:
    """Return the calibration of an entrant whose trials are these and say this of the images."""
    told = [(each.classes == labels, each.probabilities) for each in asked]
    sure = [(right, found) for right, found in told if found is not None]
    return Calibration(
        entrant=entrant,
        loss=fmean(each.test.loss for each in trials),
        sure=fmean(float(found.mean()) for _, found in sure),
        right=fmean(each.test.accuracy for each in trials),
        error=fmean(calibration_error(right, found) for right, found in sure),
    )


def calibration_error(right: NDArray[np.bool_], sure: NDArray[np.floating]) -> float:
    """Return the expected calibration error of answers [images] that are `sure`, in (0, 1].

    Images are sorted by `sure` into 15 bins of equal width, each with its upper end; the error is
    the mean over images of how far a bin's share of right answers is from how sure they are.
    Guo et al. 2017, On calibration of modern neural networks, equation 3.
    """
    bins = np.ceil(sure * BINS).astype(np.int64) - 1
    return float(np.abs(np.bincount(bins, right - sure)).sum() / len(sure))
