"""What a report is made from: records and arrays, gathered by the caller."""

from __future__ import annotations

from dataclasses import dataclass

from bakeoff.comparison.compare import Comparison
from bakeoff.comparison.pair import PairComparison
from bakeoff.findings.confusion import Confusion
from bakeoff.findings.mistakes import Mistake
from bakeoff.findings.standings import Standing
from bakeoff.findings.view import View
from bakeoff.records.record import Record
from bakeoff.study.study import Study


@dataclass(frozen=True)
class Disagreement:
    """The test images on which two entrants part, as `pair.flips` has them; a selection."""

    pair: PairComparison
    only_a: tuple[Mistake, ...]
    """Images that a gets right and b wrong, with what b says; the surest first."""
    only_b: tuple[Mistake, ...]


@dataclass(frozen=True, eq=False)
class Findings:
    """Everything that the page shows. Nothing is computed anew but means and shapes.

    Two findings are the same only if they are one object: arrays have no plain equality.
    """

    study: Study
    records: tuple[Record, ...]
    """Every trial that was found, complete or not."""
    standings: tuple[Standing, ...]
    """One per entrant, the best on validation data first."""
    comparison: Comparison
    """Of the entrants in the order of `standings`."""
    classes: tuple[str, ...]
    light_on_dark: bool
    """Whether images are shown as their negatives, as `Dataset.light_on_dark` says."""
    answer: str
    """The finding in one sentence, plain text."""
    view: View | None
    """Inside the winner."""
    other_views: tuple[View, ...]
    mistakes: tuple[Mistake, ...]
    """Of the winner, the most confident first."""
    confusions: tuple[Confusion, ...]
    """One per entrant with a complete trial, in the order of `standings`."""
    disagreement: Disagreement | None
    """Of the first two entrants."""
    hardest: tuple[Mistake, ...]
    """The first of `comparison.hardest_images`."""

    @property
    def winner(self) -> str:
        """The entrant that stands first on validation data."""
        return self.standings[0].entrant

    @property
    def several_seeds(self) -> bool:
        """Whether any entrant has more than one complete trial."""
        complete = [record.entrant for record in self.records if record.complete]
        return len(complete) > len(set(complete))

    def trials(self, entrant: str) -> tuple[Record, ...]:
        """Return the records of one entrant, by seed, whatever their status."""
        mine = [record for record in self.records if record.entrant == entrant]
        return tuple(sorted(mine, key=lambda record: record.seed))

    def complete(self, entrant: str) -> tuple[Record, ...]:
        """Return the complete records of one entrant, by seed."""
        return tuple(record for record in self.trials(entrant) if record.complete)
