from __future__ import annotations

import torch

from bakeoff.data.dataset import Dataset
from bakeoff.progress import PlannedTrial, Silence
from bakeoff.record import Epoch
from bakeoff.runners.serial import run_serially

from ..factories import entrant, first_of, study


class Heard(Silence):
    def __init__(self) -> None:
        self.lines: list[str] = []

    def trial_started(self, trial: PlannedTrial) -> None:
        self.lines.append(f"{trial.entrant.name} {trial.seed} started")

    def epoch_ended(self, trial: PlannedTrial, epoch: Epoch) -> None:
        self.lines.append(f"{trial.entrant.name} {trial.seed} epoch {epoch.epoch}")


def test_trials_run_one_after_the_other_and_are_handed_on_as_they_finish(digits: Dataset) -> None:
    asked = study(entrant("a", epochs=2), entrant("b", epochs=1), validation=50, seeds=2)
    few = first_of(digits, train=150, test=50)
    planned = [PlannedTrial(asked.entrant(n), s, 1.0) for n, s in (("a", 0), ("b", 0), ("a", 1))]
    heard = Heard()
    runs = run_serially(
        asked, planned, few, device=torch.device("cpu"), precision="float32", listener=heard
    )
    assert heard.lines == []
    first, trial = next(runs)
    assert first is planned[0]
    assert (trial.record.entrant, trial.record.seed) == ("a", 0)
    assert heard.lines == ["a 0 started", "a 0 epoch 1", "a 0 epoch 2"]
    rest = list(runs)
    assert [(p, t.record.entrant, t.record.seed) for p, t in rest] == [
        (planned[1], "b", 0),
        (planned[2], "a", 1),
    ]
    assert heard.lines[3:] == [
        "b 0 started",
        "b 0 epoch 1",
        "a 1 started",
        "a 1 epoch 1",
        "a 1 epoch 2",
    ]
