"""The table of a study: one row per entrant, best on validation data first."""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from statistics import fmean, median

from bakeoff.records.record import Record, evaluations
from bakeoff.records.timing_file import NOTHING, Rounds, Timing
from bakeoff.study.study import Entrant, Study
from bakeoff.text import shortened, visible


@dataclass(frozen=True)
class Standing:
    """What the trials of one entrant come to.

    Means are over its complete trials.
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
    trained_parameters: int | None
    """Those of them that moved, where the study held others still."""
    epochs: float | None
    epoch_seconds: float | None
    """Clean seconds of an epoch: as the timing pass measured them, nothing else at work."""
    training_seconds: float | None
    """Clean seconds of training: of an epoch, times the epochs."""
    wall_seconds: float | None
    """Of training as it was, whatever else the machine did: other trials, other programs."""
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


def _standing(
    study: Study, entrant: Entrant, records: Sequence[Record], timing: Timing, examples: int
) -> Standing:
    by_seed = {record.seed: record for record in records if record.entrant == entrant.name}
    complete = [record for record in by_seed.values() if record.complete]
    found = evaluations(complete)
    costs = [each.cost for each in found]
    epochs = _mean(record.stopped.epoch for record in complete)
    per_example = _median(timing.seconds_per_example, entrant)
    per_epoch = None if per_example is None else per_example * examples
    return Standing(
        entrant=entrant.name,
        label=entrant.label,
        architecture=entrant.architecture,
        trials=len(complete),
        planned=study.seeds,
        missing=len(set(study.trial_seeds) - by_seed.keys()),
        troubles=tuple(_troubles(entrant, study.trial_seeds, by_seed)),
        parameters=next((record.parameters for record in by_seed.values()), None),
        trained_parameters=next((each.trained_parameters for each in by_seed.values()), None),
        epochs=epochs,
        epoch_seconds=per_epoch,
        training_seconds=None if per_epoch is None or epochs is None else per_epoch * epochs,
        wall_seconds=_mean(record.training_seconds for record in complete),
        validation_accuracy=_mean(each.validation.accuracy for each in found),
        validation_balanced_accuracy=_mean(each.validation.balanced_accuracy for each in found),
        test_accuracy=_mean(each.test.accuracy for each in found),
        test_balanced_accuracy=_mean(each.test.balanced_accuracy for each in found),
        multiply_adds_per_image=next((cost.multiply_adds_per_image for cost in costs), None),
        # Earlier versions measured milliseconds in each trial.
        milliseconds_per_image_batch_1=_median(timing.milliseconds_per_image_batch_1, entrant)
        or _mean(cost.milliseconds_per_image_batch_1 for cost in costs),
        milliseconds_per_image_batch_1000=_median(timing.milliseconds_per_image_batch_1000, entrant)
        or _mean(cost.milliseconds_per_image_batch_1000 for cost in costs),
    )


def _mean(values: Iterable[float | None]) -> float | None:
    known = [value for value in values if value is not None]
    return fmean(known) if known else None


def _median(rounds: Rounds, entrant: Entrant) -> float | None:
    return median(rounds[entrant.name]) if entrant.name in rounds else None


def standings(
    study: Study, records: Sequence[Record], timing: Timing = NOTHING, examples: int = 0
) -> tuple[Standing, ...]:
    """Return one row per entrant, the best by the selection metric on validation data first.

    timing: of the interleaved timing pass, where it was made.
    examples: how many train in an epoch.

    Entrants without a complete trial come last, in the order of the study.
    """
    rows = [_standing(study, entrant, records, timing, examples) for entrant in study.entrants]
    metric = study.protocol.selection_metric
    return tuple(
        sorted(rows, key=lambda row: (row.trials > 0, row.selected_by(metric) or 0), reverse=True)
    )
