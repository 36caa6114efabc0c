"""From records and predictions to the plain arrays that a comparison is made of."""

from __future__ import annotations

import math
from collections.abc import Sequence

import numpy as np

from bakeoff.comparison.compare import Comparison, compare
from bakeoff.comparison.outcome import EntrantOutcome, LeftOut, TargetTimes
from bakeoff.data.dataset import Dataset
from bakeoff.findings.predicted import PredictedBy
from bakeoff.records.looks import Look, other_rule
from bakeoff.records.record import Record
from bakeoff.study.study import Entrant, Study
from bakeoff.text import counted


def outcome_of(
    study: Study,
    entrant: Entrant,
    records: Sequence[Record],
    predicted: PredictedBy,
    dataset: Dataset,
    *,
    epoch_seconds: float | None = None,
    seconds_per_example: Sequence[float] | None = None,
    beyond: Sequence[int] = (),
) -> EntrantOutcome:
    """Return what the trials of one entrant came to; those that take no part are named in it.

    epoch_seconds: clean seconds of an epoch, of which all seconds are made, where they are known.
    seconds_per_example: [rounds] of the interleaved timing pass, where it was made.
    beyond: seeds of trials that were trained, and that the study, with fewer seeds, leaves out.
    """
    mine = [record for record in records if record.entrant == entrant.name]
    complete = [record for record in mine if record.complete]
    answers = [predicted[entrant.name, record.seed].classes for record in complete]
    epochs = np.array([float(record.stopped.epoch) for record in complete])
    per_epoch = math.nan if epoch_seconds is None else epoch_seconds
    status = {record.seed: record.status for record in mine}
    failed = [
        LeftOut(seed, status.get(seed, "missing"))
        for seed in study.trial_seeds
        if status.get(seed) != "complete"
    ]
    why = f"beyond the {counted(study.seeds, 'seed')} asked for"
    return EntrantOutcome(
        name=entrant.name,
        predicted=np.array(answers, np.int64).reshape(-1, len(dataset.test_labels)),
        seeds=tuple(record.seed for record in complete),
        seconds=epochs * per_epoch,
        epochs=epochs,
        left_out=(*failed, *(LeftOut(seed, why) for seed in beyond)),
        target=_target_times(entrant, mine, per_epoch),
        seconds_per_example=None if seconds_per_example is None else np.array(seconds_per_example),
    )


def compare_outcomes(
    study: Study,
    outcomes: Sequence[EntrantOutcome],
    dataset: Dataset,
    looks: Sequence[Look] = (),
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
        earlier=[look.seeds() for look in looks],
        reopened=other_rule(looks, study),
        about=study.decision.about,
        baseline=study.decision.baseline,
        groups=dataset.test_groups,
    )


def _target_times(
    entrant: Entrant, records: Sequence[Record], per_epoch: float
) -> TargetTimes | None:
    """Return when each trial reached the target.

    One that diverged counts as if it had gone on in vain, for a full budget: left out, it would
    make its entrant look quick. One that ran out of memory tells nothing of how training goes.
    """
    recipe = entrant.recipe
    if recipe.target_validation_accuracy is None:
        return None
    told = [record for record in records if record.status != "out_of_memory"]
    epochs = [float(each.stopped.epoch if each.complete else recipe.epochs) for each in told]
    reached = [each.stopped.reason == "target reached" for each in told]
    took = np.array(epochs)
    return TargetTimes(
        took * per_epoch, took, np.array(reached, np.bool_), recipe.target_validation_accuracy
    )
