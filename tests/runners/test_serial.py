"""Trials of one process, alone and beside another that holds locks."""

from __future__ import annotations

import threading
import time
from pathlib import Path

import pytest
import torch

from bakeoff.data.dataset import Dataset
from bakeoff.files import locks
from bakeoff.records.folder import RunFolder
from bakeoff.runners import serial
from bakeoff.runners.serial import run_beside_others, run_serially, watch_for_others
from bakeoff.runners.setting import Runner, Setting

from ..factories import entrant, first_of, plan, planned, record, study
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
    assert [(r.entrant, r.seed, r.contended) for r in folder.read_records()] == [
        ("a", 0, False), ("a", 1, False), ("b", 0, False), ("b", 1, False),
    ]  # fmt: skip
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
        folder.write_trial(record(ASKED, "a", 0), {}, {})
    thread.join(60)
    assert heard.lines[-2:] == ["waiting for 1 trial that other processes train", "a 0 elsewhere"]
    assert "a 0 started" not in heard.lines
    # They were trained while another's lock was held.
    assert all(r.contended for r in folder.read_records() if (r.entrant, r.seed) != ("a", 0))


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


def test_trials_known_to_run_beside_others_are_marked(few: Dataset, tmp_path: Path) -> None:
    folder = RunFolder.create(tmp_path / "run", ASKED)
    train(folder, few, Heard(), run_beside_others)
    assert all(each.contended for each in folder.read_records())


def test_others_are_seen_while_they_hold_a_lock(tmp_path: Path) -> None:
    folder = RunFolder.create(tmp_path / "run", ASKED)
    for file in (folder.lock("b", 0), folder.conclusion_lock):
        file.touch()
    with locks.held(folder.lock("a", 0)):
        others = watch_for_others(folder, FIRST)
        assert not others()
        with locks.held(folder.lock("b", 0)):
            assert others()
        assert not others()
        with locks.held(folder.conclusion_lock):
            assert others()
        assert not others()
    assert not watch_for_others(folder, FIRST)()


def test_others_are_seen_that_began_and_are_gone_again(tmp_path: Path) -> None:
    folder = RunFolder.create(tmp_path / "run", ASKED)
    for lock in (folder.lock("b", 0), folder.conclusion_lock):
        others = watch_for_others(folder, FIRST)
        assert not others()
        with locks.held(lock):
            locks.stamp(lock)
        assert others()
        # That was before the next trial.
        others = watch_for_others(folder, FIRST)
        time.sleep(0.02)  # The clock of a file system may tick no more often.
        with locks.held(lock):
            locks.stamp(lock)
        assert others()
