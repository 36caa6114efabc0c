"""What a complete trial says of the test images: its logits, reduced to what is asked of them."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from bakeoff.data.dataset import Dataset
from bakeoff.errors import StoreError
from bakeoff.records.contradictions import misfit
from bakeoff.records.folder import RunFolder
from bakeoff.records.record import Record
from bakeoff.records.trial_files import RECORD

_AT_ONCE = 4096
"""Images whose logits are held in float64 at a time; a thousand classes take 33 MB then."""


@dataclass(frozen=True, eq=False)
class Predicted:
    """The class that a trial gives each test image, and how sure it is.

    The logits themselves are not kept: those of thirty trials on a thousand classes take gigabytes.
    """

    classes: NDArray[np.int64]
    """[images]."""
    probabilities: NDArray[np.floating] | None
    """[images], the softmax of the logits at that class, in (0, 1]; None where nobody told."""


PredictedBy = Mapping[tuple[str, int], Predicted]
"""(entrant, seed) -> what that trial says."""


def read_predicted(folder: RunFolder, records: Sequence[Record], dataset: Dataset) -> PredictedBy:
    """Return what each complete trial predicts; its file is read once, and checked.

    Raises StoreError where one was tested on other images, or trained on another split, than the
    trials that it would be paired with, and where its record has other scores than its predictions.
    """
    return {
        (record.entrant, record.seed): _predicted_by(folder, record, dataset)
        for record in records
        if record.complete
    }


def _predicted_by(folder: RunFolder, record: Record, dataset: Dataset) -> Predicted:
    found = folder.read_tested(record.entrant, record.seed, dataset)
    complaint = misfit(record, found)
    if complaint:
        trial = folder.trial(record.entrant, record.seed)
        raise StoreError(
            f"{trial / RECORD}: {complaint}; move {trial} away and run again to train it anew"
        )
    return predicted(found["test_logits"])


def predicted(logits: NDArray[np.float32]) -> Predicted:
    """Return what logits [images, classes] say. Of equal ones the first counts."""
    parts = np.array_split(logits, max(1, -(-len(logits) // _AT_ONCE)))
    return Predicted(
        classes=logits.argmax(axis=1),
        probabilities=np.concatenate([_largest_probability(part) for part in parts]),
    )


def _largest_probability(logits: NDArray[np.float32]) -> NDArray[np.float64]:
    """Return the largest softmax of each row, in float64: 1 / sum of exp(logit - largest)."""
    exact = logits.astype(np.float64)
    exact -= exact.max(axis=1, keepdims=True)
    largest: NDArray[np.float64] = 1 / np.exp(exact).sum(axis=1)
    return largest
