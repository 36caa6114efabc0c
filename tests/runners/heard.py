"""A listener for the tests of the runners."""

from __future__ import annotations

from bakeoff.records.record import Epoch, Record
from bakeoff.runners.listener import Listener, PlannedTrial


class Heard(Listener):
    """Keeps a line for all that a runner tells."""

    def __init__(self) -> None:
        self.lines: list[str] = []

    def foretold(self, seconds: float) -> None:
        self.lines.append(f"foretold {0 < seconds < 60}")

    def trial_started(self, trial: PlannedTrial) -> None:
        self.lines.append(f"{trial.entrant.name} {trial.seed} started")

    def trial_placed(self, trial: PlannedTrial, machine: str) -> None:
        self.lines.append(f"{trial.entrant.name} {trial.seed} on {machine}")

    def trial_resumed(self, trial: PlannedTrial, epochs: int, steps: int) -> None:
        name = f"{trial.entrant.name} {trial.seed}"
        self.lines.append(f"{name} goes on after epoch {epochs}, step {steps}")

    def epoch_ended(self, trial: PlannedTrial, epoch: Epoch) -> None:
        self.lines.append(f"{trial.entrant.name} {trial.seed} epoch {epoch.epoch}")

    def trial_ended(self, trial: PlannedTrial, record: Record) -> None:
        self.lines.append(f"{trial.entrant.name} {trial.seed} ended")

    def trial_elsewhere(self, trial: PlannedTrial) -> None:
        self.lines.append(f"{trial.entrant.name} {trial.seed} elsewhere")

    def stage(self, text: str) -> None:
        self.lines.append(text)
