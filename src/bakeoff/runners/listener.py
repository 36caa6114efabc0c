"""What a run tells while it works; who listens decides how it is shown."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from typing import TYPE_CHECKING

from bakeoff.records.record import Epoch, Record
from bakeoff.study.study import Entrant

if TYPE_CHECKING:  # Its module imports torch, which takes a second; a display is there before.
    from bakeoff.training.size import NetworkSize


@dataclass(frozen=True)
class PlannedTrial:
    """A trial that has yet to be trained."""

    entrant: Entrant
    seed: int
    size: NetworkSize
    work_per_epoch: float
    """Multiply-adds of one forward pass over all training images: what a progress bar weighs by."""

    @property
    def key(self) -> tuple[str, int]:
        """What tells it from the other trials of its study: the entrant's name, and the seed."""
        return self.entrant.name, self.seed

    def __hash__(self) -> int:
        """Return what follows from the key: arguments of a network have no hash of their own."""
        return hash(self.key)


class Listener:
    """Hears of a run's progress, in this order, and by itself does nothing with it.

    Trials may run side by side, and a trial may be told as finished elsewhere after all.
    """

    def planned(self, trials: Sequence[PlannedTrial], finished_before: int) -> None:
        """Hear which trials will be trained, and how many were finished before."""

    def foretold(self, seconds: float) -> None:
        """Hear how long the trials will take, if that was asked for."""

    def trial_started(self, trial: PlannedTrial) -> None:
        """Hear that training of this trial begins."""

    def trial_placed(self, trial: PlannedTrial, machine: str) -> None:
        """Hear on which machine it is trained, where that is another than this."""

    def trial_resumed(self, trial: PlannedTrial, epochs: int, steps: int) -> None:
        """Hear how many epochs of it, and steps of the next, were done before an interruption."""

    def epoch_ended(self, trial: PlannedTrial, epoch: Epoch) -> None:
        """Hear that one more epoch of it is done."""

    def trial_ended(self, trial: PlannedTrial, record: Record) -> None:
        """Hear that the trial is finished and its record on disk."""

    def trial_elsewhere(self, trial: PlannedTrial) -> None:
        """Hear that another process has finished the trial."""

    def stage(self, text: str) -> None:
        """Hear in one line that something other than training begins."""
