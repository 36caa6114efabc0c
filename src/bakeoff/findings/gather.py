"""Gathers what the report shows: pictures and mistakes beside records and comparison."""

from __future__ import annotations

import numpy as np

from bakeoff.comparison.compare import Comparison
from bakeoff.data.dataset import Dataset
from bakeoff.findings.conclusion import Conclusion
from bakeoff.findings.confusion import confusion_of
from bakeoff.findings.findings import Disagreement, Findings
from bakeoff.findings.mistakes import Mistake, mistake_at, surest_mistakes
from bakeoff.findings.predicted import Predicted, PredictedBy
from bakeoff.findings.trained import view_of
from bakeoff.findings.view import View
from bakeoff.records.folder import RunFolder
from bakeoff.records.record import Record

SHOWN_IMAGE = 0
"""The test image whose feature maps the report shows."""
_MISTAKES = 24
_OF_EACH_SIDE = 8
_HARDEST = 24


def gather_findings(folder: RunFolder, conclusion: Conclusion, dataset: Dataset) -> Findings:
    """Return everything that the report shows of the finished trials of a run."""
    predicted, comparison = conclusion.predicted, conclusion.comparison
    first_trials: dict[str, Record] = {}
    for record in conclusion.records:
        if record.complete:
            first_trials.setdefault(record.entrant, record)
    shown = first_trials.pop(conclusion.standings[0].entrant)
    by_winner = predicted[shown.entrant, shown.seed]
    return Findings(
        study=conclusion.study,
        records=conclusion.records,
        standings=conclusion.standings,
        comparison=comparison,
        classes=dataset.classes,
        light_on_dark=dataset.light_on_dark,
        answer=conclusion.answer,
        view=view_of(folder, shown, dataset, SHOWN_IMAGE),
        other_views=_weight_images(folder, first_trials, dataset),
        mistakes=surest_mistakes(
            np.flatnonzero(by_winner.classes != dataset.test_labels),
            [by_winner],
            dataset,
            _MISTAKES,
        ),
        confusions=tuple(
            confusion_of(row.entrant, _trials_of(row.entrant, predicted), dataset)
            for row in conclusion.standings
            if row.trials
        ),
        disagreement=_disagreement(comparison, predicted, dataset),
        hardest=_hardest(comparison, predicted, dataset),
    )


def _trials_of(entrant: str, predicted: PredictedBy) -> list[Predicted]:
    return [trial for (name, _), trial in predicted.items() if name == entrant]


def _weight_images(
    folder: RunFolder, trials: dict[str, Record], dataset: Dataset
) -> tuple[View, ...]:
    """Return the views of those trials whose weights are images of the classes."""
    views = [view_of(folder, trial, dataset, SHOWN_IMAGE) for trial in trials.values()]
    return tuple(view for view in views if view.class_weights is not None)


def _disagreement(
    comparison: Comparison, predicted: PredictedBy, dataset: Dataset
) -> Disagreement | None:
    """Return where the two best entrants part, over the seeds that both completed."""
    pair = comparison.pairs[0] if comparison.pairs else None
    if pair is None or pair.flips is None:
        return None
    of_a, of_b = ([predicted[name, seed] for seed in pair.seeds] for name in (pair.a, pair.b))
    return Disagreement(
        pair=pair,
        only_a=surest_mistakes(pair.flips.only_a, of_b, dataset, _OF_EACH_SIDE),
        only_b=surest_mistakes(pair.flips.only_b, of_a, dataset, _OF_EACH_SIDE),
    )


def _hardest(
    comparison: Comparison, predicted: PredictedBy, dataset: Dataset
) -> tuple[Mistake, ...]:
    """Return the images that most trials get wrong, in the order of the comparison."""
    trials = list(predicted.values())
    hardest = comparison.hardest_images[:_HARDEST]
    return tuple(mistake_at(image.index, trials, dataset) for image in hardest)
