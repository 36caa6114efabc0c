"""Trials of one process, alone and beside another that holds locks."""

from __future__ import annotations

import os
import threading
from pathlib import Path

import pytest
import torch

from bakeoff.data.dataset import Dataset
from bakeoff.files import locks
from bakeoff.records.folder import RunFolder
from bakeoff.records.record import Epoch
from bakeoff.records.working import Working, machine_name, read_working, write_working
from bakeoff.runners import serial
from bakeoff.runners.listener import PlannedTrial
from bakeoff.runners.serial import run_serially
from bakeoff.runners.setting import Runner, Setting

from ..factories import entrant, first_of, plan, planned, study, whole
from .heard import Heard

ASKED = study(entrant("a", epochs=2), entrant("b", epochs=1), validation=50, seeds=2)
FIRST = planned(ASKED.entrants[0], 0)


@pytest.fixture
def few(digits: Dataset) -> Dataset:
    return first_of(digits, train=150, test=50)


def train(folder: RunFolder, few: Dataset, heard: Heard, runner: Runner = run_serially) -> None:
    setting = Setting(folder, few, torch.device("cpu"), "float32")
    runner(setting, plan(folder, few), heard)


def test_trials_run_one_after_the_other_all_entrants_of_a_seed_first(
    few: Dataset, tmp_path: Path
) -> None:
    folder, heard = RunFolder.create(tmp_path / "run", ASKED), Heard()
    train(folder, few, heard)
    assert heard.lines == [
        "a 0 started", "a 0 epoch 1", "a 0 epoch 2", "a 0 ended",
        "b 0 started", "b 0 epoch 1", "b 0 ended",
        "a 1 started", "a 1 epoch 1", "a 1 epoch 2", "a 1 ended",
        "b 1 started", "b 1 epoch 1", "b 1 ended",
    ]  # fmt: skip
    found = [(each.entrant, each.seed) for each in folder.read_records()]
    assert found == [("a", 0), ("a", 1), ("b", 0), ("b", 1)]
    assert not (folder.path / "unfinished").exists()


def test_a_trial_whose_lock_another_holds_is_left_and_waited_for(
    few: Dataset, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    folder, heard = RunFolder.create(tmp_path / "run", ASKED), Heard()
    monkeypatch.setattr(serial, "_POLL", 0.01)
    told, finish = threading.Event(), heard.stage

    def stage(text: str) -> None:
        finish(text)
        told.set()

    heard.stage = stage  # type: ignore[method-assign]
    with locks.held(folder.lock("a", 0)):
        thread = threading.Thread(target=train, args=(folder, few, heard))
        thread.start()
        assert told.wait(60)
        folder.write_trial(*whole(ASKED, "a", 0))
    thread.join(60)
    assert heard.lines[-2:] == ["waiting for 1 trial that other processes train", "a 0 elsewhere"]
    assert "a 0 started" not in heard.lines


def test_who_trains_what_one_waits_for_is_named_of_the_first_three(
    few: Dataset, tmp_path: Path
) -> None:
    folder = RunFolder.create(tmp_path / "run", ASKED)
    setting, trials = Setting(folder, few, torch.device("cpu"), "float32"), plan(folder, few)
    for planned_trial in (trials[0], trials[2]):
        here = Working.here().model_copy(update={"machine": f"node{planned_trial.seed}"})
        write_working(folder.lock(*planned_trial.key), here)
    waited = "that other processes train"
    assert serial._waiting(setting, trials) == (
        f"waiting for 4 trials {waited}: a seed 0 on node0, a seed 1 on node1, …"
    )
    assert (
        serial._waiting(setting, trials[:1]) == f"waiting for 1 trial {waited}: a seed 0 on node0"
    )


def test_a_trial_says_in_its_lock_who_trains_it_and_how_far_it_is(
    few: Dataset, tmp_path: Path
) -> None:
    folder = RunFolder.create(tmp_path / "run", ASKED)
    reached = []

    class Looking(Heard):
        def epoch_ended(self, trial: PlannedTrial, epoch: Epoch) -> None:
            found = read_working(folder.lock(*trial.key))
            assert found is not None
            assert (found.machine, found.process) == (machine_name(), os.getpid())
            reached.append(found.epoch)

    train(folder, few, Looking())
    assert reached == [1, 2, 1, 1, 2, 1]


def test_a_trial_that_its_holder_gives_up_is_trained_after_all(
    few: Dataset, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    folder, heard = RunFolder.create(tmp_path / "run", ASKED), Heard()
    monkeypatch.setattr(serial, "_POLL", 0.01)
    with locks.held(folder.lock("b", 1)):
        thread = threading.Thread(target=train, args=(folder, few, heard))
        thread.start()
        while "a 1 ended" not in heard.lines:
            thread.join(0.01)
            assert thread.is_alive()
    thread.join(60)
    assert heard.lines[-1] == "b 1 ended"
