"""Gathers what the report shows: pictures and mistakes beside records and comparison."""

from __future__ import annotations

from collections import Counter
from collections.abc import Sequence
from dataclasses import replace

import numpy as np
from numpy.typing import NDArray

from bakeoff.data.dataset import Dataset
from bakeoff.findings.conclusion import Conclusion
from bakeoff.findings.findings import Findings, Flips, HardImage
from bakeoff.findings.look import Look, Mistake
from bakeoff.findings.mistakes import most_confident_mistakes
from bakeoff.findings.predicted import Predicted, PredictedBy
from bakeoff.findings.trained import look_at
from bakeoff.records.folder import RunFolder
from bakeoff.records.record import Record

SHOWN_IMAGE = 0
"""The test image whose feature maps the report shows."""
_MISTAKES = 24
_FLIPS = 8
_HARDEST = 24


def gather_findings(folder: RunFolder, conclusion: Conclusion, dataset: Dataset) -> Findings:
    """Return everything that the report shows of the finished trials of a run."""
    complete = [record for record in conclusion.records if record.complete]
    predicted = conclusion.predicted
    winner = conclusion.standings[0].entrant
    shown = _first_trial(complete, winner)
    return Findings(
        study=conclusion.study,
        records=conclusion.records,
        standings=conclusion.standings,
        comparison=conclusion.comparison,
        classes=dataset.classes,
        light_on_dark=dataset.light_on_dark,
        answer=conclusion.answer,
        look=look_at(folder, shown, dataset, SHOWN_IMAGE),
        looks_others=_weight_images(folder, complete, dataset, winner),
        mistakes=most_confident_mistakes(
            predicted[winner, shown.seed],
            dataset.test_labels,
            dataset.test_images,
            dataset.known_wrong_test_labels,
            _MISTAKES,
        ),
        flips=_flips_of_first_two(
            [row.entrant for row in conclusion.standings if row.trials], predicted, dataset
        ),
        hardest=_hardest(predicted, dataset),
    )


def _first_trial(complete: Sequence[Record], entrant: str) -> Record:
    return next(record for record in complete if record.entrant == entrant)


def _weight_images(
    folder: RunFolder, complete: Sequence[Record], dataset: Dataset, winner: str
) -> tuple[Look, ...]:
    """Return the looks into the other entrants whose weights are images of the classes."""
    finished = {record.entrant for record in complete}
    return tuple(
        look_at(folder, _first_trial(complete, entrant.name), dataset, SHOWN_IMAGE)
        for entrant in folder.study.entrants
        if entrant.architecture == "logistic-regression"
        if entrant.name in finished - {winner}
    )


def _flips_of_first_two(
    ranked: Sequence[str], predicted: PredictedBy, dataset: Dataset
) -> tuple[Flips, ...]:
    """Return where the two best entrants disagree, in the first seed that both completed."""
    if len(ranked) < 2:
        return ()
    a, b = ranked[:2]
    shared = sorted({s for e, s in predicted if e == a} & {s for e, s in predicted if e == b})
    if not shared:
        return ()
    said_by_a, said_by_b = predicted[a, shared[0]], predicted[b, shared[0]]
    right_a = said_by_a.classes == dataset.test_labels
    right_b = said_by_b.classes == dataset.test_labels
    only_a, only_b = np.flatnonzero(right_a & ~right_b), np.flatnonzero(right_b & ~right_a)
    return (
        Flips(
            a=a,
            b=b,
            seed=shared[0],
            only_a=_mistakes_at(only_a, said_by_b, dataset),
            only_b=_mistakes_at(only_b, said_by_a, dataset),
            count_only_a=len(only_a),
            count_only_b=len(only_b),
        ),
    )


def _mistakes_at(
    chosen: NDArray[np.int64], predicted: Predicted, dataset: Dataset
) -> tuple[Mistake, ...]:
    """Return the most confident mistakes among the images `chosen`."""
    known_wrong = np.flatnonzero(np.isin(chosen, dataset.known_wrong_test_labels))
    found = most_confident_mistakes(
        Predicted(predicted.classes[chosen], predicted.probabilities[chosen]),
        dataset.test_labels[chosen],
        dataset.test_images[chosen],
        known_wrong.tolist(),
        _FLIPS,
    )
    return tuple(replace(mistake, index=int(chosen[mistake.index])) for mistake in found)


def _hardest(predicted_by: PredictedBy, dataset: Dataset) -> tuple[HardImage, ...]:
    """Return the images that most trials get wrong; ties keep the order of the images."""
    predicted = np.stack([each.classes for each in predicted_by.values()])
    times_wrong = (predicted != dataset.test_labels).sum(axis=0)
    order = np.argsort(-times_wrong, kind="stable")[:_HARDEST]
    return tuple(
        HardImage(
            index=int(index),
            image=dataset.test_images[index],
            label=int(dataset.test_labels[index]),
            times_wrong=int(times_wrong[index]),
            trials=len(predicted),
            known_wrong_label=int(index) in dataset.known_wrong_test_labels,
            most_common_prediction=_commonest_mistake(
                predicted[:, index], int(dataset.test_labels[index])
            ),
        )
        for index in order
        if times_wrong[index]
    )


def _commonest_mistake(predicted: NDArray[np.int64], label: int) -> int:
    wrong = Counter(int(each) for each in predicted if each != label)
    return wrong.most_common(1)[0][0]
