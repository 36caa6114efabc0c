"""From a run folder to the plain arrays that a comparison is made of."""

from __future__ import annotations

import math
from collections.abc import Mapping, Sequence

import numpy as np
from numpy.typing import NDArray

from bakeoff.comparison import Comparison, EntrantOutcome, LeftOut, TargetTimes, compare
from bakeoff.data.dataset import Dataset
from bakeoff.errors import StoreError
from bakeoff.records.folder import RunFolder
from bakeoff.records.record import Record
from bakeoff.study.study import Entrant, Study
from bakeoff.training.trial import split_of


def compare_folder(
    folder: RunFolder,
    records: Sequence[Record],
    order: Sequence[str],
    dataset: Dataset,
    seconds_per_example: Mapping[str, Sequence[float]],
) -> Comparison:
    """Return the comparison of all entrants of a run; trials that are not there are named in it.

    order: the entrants, the best on validation data first, so that most differences are positive.
    seconds_per_example: entrant -> [rounds] of the interleaved timing pass; may lack entrants.
    """
    outcomes = [
        outcome_of(
            folder, folder.study.entrant(name), records, dataset, seconds_per_example.get(name)
        )
        for name in order
    ]
    return compare_outcomes(folder.study, outcomes, dataset)


def compare_outcomes(
    study: Study, outcomes: Sequence[EntrantOutcome], dataset: Dataset
) -> Comparison:
    """Return the comparison of these entrants by the study's rule of decision."""
    return compare(
        outcomes,
        dataset.test_labels,
        len(dataset.classes),
        metric=study.protocol.selection_metric,
        confidence=study.decision.confidence,
        equivalence_margin=study.decision.equivalence_margin / 100,
        known_wrong=dataset.known_wrong_test_labels,
    )


def outcome_of(
    folder: RunFolder,
    entrant: Entrant,
    records: Sequence[Record],
    dataset: Dataset,
    seconds_per_example: Sequence[float] | None,
) -> EntrantOutcome:
    """Return what the trials of one entrant came to; those that are not there are named in it."""
    by_seed = {record.seed: record for record in records if record.entrant == entrant.name}
    complete = [record for record in by_seed.values() if record.complete]
    predicted = np.empty((len(complete), len(dataset.test_labels)), dtype=np.int64)
    for row, record in enumerate(complete):
        predicted[row] = _predicted(folder, record, dataset)
    return EntrantOutcome(
        name=entrant.name,
        predicted=predicted,
        seeds=tuple(record.seed for record in complete),
        seconds=np.array([_seconds(record) for record in complete]),
        epochs=np.array([float(record.stopped.epoch) for record in complete]),
        left_out=tuple(
            LeftOut(seed, by_seed[seed].status if seed in by_seed else "missing")
            for seed in folder.study.trial_seeds
            if seed not in by_seed or not by_seed[seed].complete
        ),
        target=_target_times(entrant, list(by_seed.values())),
        seconds_per_example=None if seconds_per_example is None else np.array(seconds_per_example),
    )


def _seconds(record: Record) -> float:
    """Return how long a trial trained; nan where others took part of the machine meanwhile."""
    return math.nan if record.contended else record.training_seconds


def _predicted(folder: RunFolder, record: Record, dataset: Dataset) -> NDArray[np.int64]:
    """Return the classes that a trial predicts for the test images, int64 [images].

    Raises StoreError where it was tested on other images, or trained on another split, than the
    trials that it would be paired with.
    """
    found = folder.read_tested(record.entrant, record.seed, dataset)
    split = split_of(folder.study, record.seed, dataset)
    if not np.array_equal(found["validation_index"], split.validation):
        where = folder.trial(record.entrant, record.seed)
        raise StoreError(f"{where}: trained on another split than seed {record.seed} has here")
    predicted: NDArray[np.int64] = found["test_logits"].argmax(axis=1)
    return predicted


def _target_times(entrant: Entrant, records: Sequence[Record]) -> TargetTimes | None:
    """Return when each trial reached the target; a diverged one never did, in a full budget.

    One that ran out of memory tells nothing of how training goes, and is left out.
    """
    score = entrant.recipe.target_validation_accuracy
    if score is None:
        return None
    budget = entrant.recipe.epochs
    reached, epochs, seconds = [], [], []
    for record in records:
        if record.status == "out_of_memory":
            continue
        reached.append(record.stopped.reason == "target reached")
        if record.complete:
            epochs.append(float(record.stopped.epoch))
            seconds.append(_seconds(record))
        else:
            # Counted as if it had gone on in vain: left out, it would make its entrant look quick.
            done = max(len(record.epochs), 1)
            epochs.append(float(budget))
            seconds.append(_seconds(record) / done * budget)
    return TargetTimes(
        np.array(seconds), np.array(epochs), np.array(reached, dtype=np.bool_), score
    )
