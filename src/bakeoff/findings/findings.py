"""What a report is made from: records and arrays, gathered by the caller."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from bakeoff.comparison import Comparison
from bakeoff.findings.look import Look, Mistake
from bakeoff.findings.standings import Standing
from bakeoff.records.record import Record
from bakeoff.study.study import Study


@dataclass(frozen=True)
class Flips:
    """Test images that exactly one of two entrants gets right, in trials of one seed."""

    a: str
    b: str
    seed: int
    only_a: tuple[Mistake, ...]
    """Images that only `a` gets right; each shows what `b` said. May be a selection."""
    only_b: tuple[Mistake, ...]
    count_only_a: int
    """All images that only `a` gets right, shown or not."""
    count_only_b: int


@dataclass(frozen=True)
class HardImage:
    """A test image that many trials get wrong."""

    index: int
    image: NDArray[np.uint8]
    """[channels, height, width]."""
    label: int
    times_wrong: int
    """How many of `trials` got it wrong."""
    trials: int
    known_wrong_label: bool
    """Whether this label is known to be wrong."""
    most_common_prediction: int
    """Of the trials that got it wrong."""


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
    classes: tuple[str, ...]
    light_on_dark: bool
    """Whether images are shown as their negatives, as `Dataset.light_on_dark` says."""
    answer: str
    """The finding in one sentence, plain text."""
    look: Look | None
    """Inside the winner."""
    looks_others: tuple[Look, ...]
    mistakes: tuple[Mistake, ...]
    """Of the winner, the most confident first."""
    flips: tuple[Flips, ...]
    hardest: tuple[HardImage, ...]
    """The image that most trials get wrong first."""

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
