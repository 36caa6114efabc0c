"""What a report is made from: a conclusion, with pictures and mistakes gathered beside it."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from bakeoff.comparison.pair import PairComparison
from bakeoff.data.catalogue import SOURCES
from bakeoff.data.dataset import Dataset
from bakeoff.data.split import split_of
from bakeoff.findings.calibration import Calibration, calibration_of
from bakeoff.findings.conclusion import Conclusion
from bakeoff.findings.mistakes import (
    HARDEST,
    Confusion,
    Disagreement,
    Mistake,
    confusion_of,
    disagreements,
    mistake_at,
    shown_image,
    surest_mistakes,
)
from bakeoff.findings.view import View
from bakeoff.records.record import Record, evaluations

_MISTAKES = 24


@dataclass(frozen=True)
class Images:
    """What entrants were trained and tested on."""

    title: str
    licence: str | None
    """And whose data they are; None for a user's own files."""
    training: int
    validation: int
    test: int


@dataclass(frozen=True, eq=False, kw_only=True)
class Findings(Conclusion):
    """Everything that the page shows: a conclusion, with pictures and mistakes beside it.

    Two findings are the same only if they are one object: arrays have no plain equality.
    """

    images: Images
    classes: tuple[str, ...]
    light_on_dark: bool
    """Whether images are shown as their negatives, as `Dataset.light_on_dark` says."""
    view: View | None
    """Inside the winner, or None where nobody can look."""
    unseen: str | None
    """Why, in one line."""
    other_views: tuple[View, ...]
    """Of the same image, inside each of the others that can be seen."""
    mistakes: tuple[Mistake, ...]
    """Of the winner, the most confident first."""
    confusions: tuple[Confusion, ...]
    """One per entrant with a complete trial, in the order of `standings`."""
    calibrations: tuple[Calibration, ...]
    """As `confusions`."""
    disagreements: tuple[Disagreement, ...]
    """Of each pair, the first two entrants first."""
    hardest: tuple[Mistake, ...]
    """The first of `comparison.hardest_images`."""

    @property
    def several_seeds(self) -> bool:
        """Whether any entrant has more than one complete trial."""
        complete = [record.entrant for record in self.records if record.complete]
        return len(complete) > len(set(complete))

    @property
    def scores(self) -> dict[str, list[float]]:
        """The metric of the verdicts on test data, of each complete trial, by entrant."""
        return {
            row.entrant: [
                getattr(each.test, self.comparison.metric)
                for each in evaluations(self.trials(row.entrant))
            ]
            for row in self.standings
        }

    def trials(self, entrant: str) -> tuple[Record, ...]:
        """Return the records of one entrant, by seed, whatever their status."""
        mine = [record for record in self.records if record.entrant == entrant]
        return tuple(sorted(mine, key=lambda record: record.seed))

    def complete(self, entrant: str) -> tuple[Record, ...]:
        """Return the complete records of one entrant, by seed."""
        return tuple(record for record in self.trials(entrant) if record.complete)


def gather_findings(
    conclusion: Conclusion, dataset: Dataset, look: Callable[[Record, int], View | str]
) -> Findings:
    """Return everything that the report shows of the finished trials of a run.

    look: what the network of a trial sees in a test image, or why nobody can look inside.
    """
    predicted, comparison = conclusion.predicted, conclusion.comparison
    asked = {
        row.entrant: [said for (name, _), said in predicted.items() if name == row.entrant]
        for row in conclusion.standings
        if row.trials
    }
    of_winner = asked[conclusion.winner][:1]
    wrong = np.flatnonzero(of_winner[0].classes != dataset.test_labels)
    first_trials: dict[str, Record] = {}
    for record in conclusion.records:
        if record.complete:
            first_trials.setdefault(record.entrant, record)
    said = {name: predicted[name, trial.seed].classes for name, trial in first_trials.items()}
    image = shown_image(conclusion.study.inside.image, said, conclusion.winner, dataset)
    looks = {entrant: look(trial, image) for entrant, trial in first_trials.items()}
    views = {entrant: seen for entrant, seen in looks.items() if isinstance(seen, View)}
    everyone = list(predicted.values())

    def wrong_about(
        pair: PairComparison, name: str, indices: NDArray[np.int64], most: int
    ) -> tuple[Mistake, ...]:
        of_pair = [predicted[name, int(seed)] for seed in pair.seeds]
        return surest_mistakes(indices, of_pair, dataset, most)

    return Findings(
        **vars(conclusion),
        images=_images(conclusion, dataset),
        classes=dataset.classes,
        light_on_dark=dataset.light_on_dark,
        view=views.pop(conclusion.winner, None),
        unseen=None if isinstance(why := looks[conclusion.winner], View) else why,
        other_views=tuple(
            views[row.entrant] for row in conclusion.standings if row.entrant in views
        ),
        mistakes=surest_mistakes(wrong, of_winner, dataset, _MISTAKES),
        confusions=tuple(confusion_of(name, said, dataset) for name, said in asked.items()),
        calibrations=tuple(
            calibration_of(
                name,
                evaluations(each for each in conclusion.records if each.entrant == name),
                said,
                dataset.test_labels,
            )
            for name, said in asked.items()
        ),
        disagreements=disagreements(comparison.tested, wrong_about),
        hardest=tuple(
            mistake_at(image.index, everyone, dataset)
            for image in comparison.hardest_images[:HARDEST]
        ),
    )


def _images(conclusion: Conclusion, dataset: Dataset) -> Images:
    name, split = conclusion.study.protocol.dataset, split_of(conclusion.study, 0, dataset)
    source = SOURCES.get(name)
    return Images(
        title=source.title if source else name,
        licence=source.licence if source else None,
        training=len(split.train),
        validation=len(split.validation),
        test=len(dataset.test_labels),
    )
