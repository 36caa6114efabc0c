"""The table of a study: one row per entrant, best on validation data first."""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from statistics import fmean

from bakeoff.records.record import Record, evaluations
from bakeoff.study.study import Entrant, Study
from bakeoff.text import shortened, visible


@dataclass(frozen=True)
class Standing:
    """What the trials of one entrant come to.

    Means are over its complete trials; those of times leave out trials that ran beside others.
    """

    entrant: str
    label: str
    architecture: str
    trials: int
    """Complete trials, of `planned`."""
    planned: int
    missing: int
    """Planned trials that were never trained."""
    troubles: tuple[str, ...]
    """One line for each trial that is missing or did not complete."""
    parameters: int | None
    epochs: float | None
    training_seconds: float | None
    validation_accuracy: float | None
    validation_balanced_accuracy: float | None
    test_accuracy: float | None
    test_balanced_accuracy: float | None
    multiply_adds_per_image: int | None
    milliseconds_per_image_batch_1: float | None
    milliseconds_per_image_batch_1000: float | None

    def selected_by(self, metric: str) -> float | None:
        """Return the mean validation value of the study's selection metric."""
        if metric == "accuracy":
            return self.validation_accuracy
        return self.validation_balanced_accuracy


def _troubles(entrant: Entrant, seeds: Sequence[int], by_seed: dict[int, Record]) -> list[str]:
    lines = []
    for seed in seeds:
        record = by_seed.get(seed)
        if record is None:
            lines.append(f"{entrant.name} seed {seed} is missing: not trained yet")
        elif not record.complete:
            trouble = shortened(visible(record.trouble or "it does not say why"), 300)
            lines.append(f"{entrant.name} seed {seed} {record.status}: {trouble}")
    return lines


def _standing(study: Study, entrant: Entrant, records: Sequence[Record]) -> Standing:
    by_seed = {record.seed: record for record in records if record.entrant == entrant.name}
    complete = [record for record in by_seed.values() if record.complete]
    timed = [record for record in complete if not record.contended]
    found = evaluations(complete)
    multiply_adds = _mean(each.cost.multiply_adds_per_image for each in found)
    costs = [each.cost for each in evaluations(timed)]
    return Standing(
        entrant=entrant.name,
        label=entrant.label,
        architecture=entrant.architecture,
        trials=len(complete),
        planned=study.seeds,
        missing=len(set(study.trial_seeds) - by_seed.keys()),
        troubles=tuple(_troubles(entrant, study.trial_seeds, by_seed)),
        parameters=next((record.parameters for record in by_seed.values()), None),
        epochs=_mean(record.stopped.epoch for record in complete),
        training_seconds=_mean(record.training_seconds for record in timed),
        validation_accuracy=_mean(each.validation.accuracy for each in found),
        validation_balanced_accuracy=_mean(each.validation.balanced_accuracy for each in found),
        test_accuracy=_mean(each.test.accuracy for each in found),
        test_balanced_accuracy=_mean(each.test.balanced_accuracy for each in found),
        multiply_adds_per_image=None if multiply_adds is None else round(multiply_adds),
        milliseconds_per_image_batch_1=_mean(c.milliseconds_per_image_batch_1 for c in costs),
        milliseconds_per_image_batch_1000=_mean(c.milliseconds_per_image_batch_1000 for c in costs),
    )


def _mean(values: Iterable[float]) -> float | None:
    known = list(values)
    return fmean(known) if known else None


def standings(study: Study, records: Sequence[Record]) -> tuple[Standing, ...]:
    """Return one row per entrant, the best by the selection metric on validation data first.

    Entrants without a complete trial come last, in the order of the study.
    """
    rows = [_standing(study, entrant, records) for entrant in study.entrants]
    metric = study.protocol.selection_metric

    def selected(row: Standing) -> float:
        value = row.selected_by(metric)
        return -1.0 if value is None else value

    return tuple(sorted(rows, key=selected, reverse=True))
