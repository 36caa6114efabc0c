from __future__ import annotations

import shutil
from collections.abc import Callable
from pathlib import Path
from typing import Any, NamedTuple

import pytest
import torch

from bakeoff.commands.run import run_study
from bakeoff.data.dataset import Dataset
from bakeoff.data.readers.digits import load_digits
from bakeoff.errors import StoreError
from bakeoff.records.folder import RunFolder
from bakeoff.records.record import Epoch
from bakeoff.runners.disk import bytes_needed, refuse_full_disk
from bakeoff.runners.listener import Listener, PlannedTrial
from bakeoff.runners.setting import Setting

from ..factories import entrant, plan, planned, study

# Logistic regression on 8 x 8 pixels: 650 weights of 4 bytes.
WEIGHTS = 650 * 4
# 97 validation and 500 test images: 10 float32 logits, a label and an index of 8 bytes each.
PREDICTIONS = 597 * (10 * 4 + 16)
REPORT = 8_000_000


class Usage(NamedTuple):
    total: int
    used: int
    free: int


@pytest.fixture
def three(digits: Dataset, tmp_path: Path) -> Callable[..., tuple[Setting, list[PlannedTrial]]]:
    """Plans three trials in a folder that does not exist yet."""

    def made(**recipe: Any) -> tuple[Setting, list[PlannedTrial]]:
        asked = study(entrant("a", **recipe), validation=97, seeds=3)
        folder = RunFolder(tmp_path / "run", asked)
        setting = Setting(folder, digits, torch.device("cpu"), "float32")
        return setting, [planned(asked.entrants[0], seed) for seed in asked.trial_seeds]

    return made


Plan = Callable[..., tuple[Setting, list[PlannedTrial]]]


@pytest.mark.parametrize(
    ("optimizer", "jobs", "checkpoints"),
    [("adam", 1, 3), ("sgd", 1, 3), ("adam", 2, 6), ("adam", 9, 9)],
)  # fmt: skip
def test_weights_predictions_and_checkpoints_are_counted(
    optimizer: str, jobs: int, checkpoints: int, three: Plan
) -> None:
    setting, trials = three(optimizer=optimizer)
    # Adam keeps two numbers for each weight, SGD with momentum one.
    checkpoint = WEIGHTS * (3 if optimizer == "adam" else 2)
    expected = 1.1 * (3 * (WEIGHTS + PREDICTIONS) + checkpoints * checkpoint + REPORT)
    assert bytes_needed(setting, trials, jobs) == int(expected)


def test_nothing_to_train_needs_nothing(three: Plan) -> None:
    setting, _ = three()
    assert bytes_needed(setting, [], 1) == 0


@pytest.mark.parametrize(
    ("there", "checkpoints"),
    # Of 7,800 bytes each. One more is written before the oldest goes, whatever lies there.
    [(0, 3 * 7800), (7800, 2 * 7800), (2 * 7800, 7800), (9 * 7800, 7800)],
)
def test_checkpoints_that_lie_there_need_no_room(there: int, checkpoints: int, three: Plan) -> None:
    setting, trials = three()
    begun = setting.folder.unfinished("a", 1).path
    begun.mkdir(parents=True)
    (begun / "epoch-0001.safetensors").write_bytes(bytes(there))
    expected = int(1.1 * (3 * (WEIGHTS + PREDICTIONS) + checkpoints + REPORT))
    assert bytes_needed(setting, trials, 1) == expected


def test_an_interrupted_study_goes_on_where_it_was_begun_with_no_byte_to_spare(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """A disk that had just the room that was asked for has room for the same command again."""
    asked = study(entrant("a", "mlp-2x200", epochs=3), entrant("b", epochs=1), seeds=2)
    free = [0]
    monkeypatch.setattr("bakeoff.runners.disk._REPORT", 100_000)  # Hides nothing of what is small.

    def usage(where: Path) -> Usage:
        used = sum(file.stat().st_size for file in where.rglob("*") if file.is_file())
        return Usage(0, used, free[0] - used)

    monkeypatch.setattr(shutil, "disk_usage", usage)

    class Stop(Listener):
        def epoch_ended(self, trial: PlannedTrial, epoch: Epoch) -> None:
            if trial.key == ("a", 1) and epoch.epoch == 2:
                raise KeyboardInterrupt

    with pytest.raises(StoreError, match="the study needs about"):
        run_study(asked, tmp_path / "run")
    setting = Setting(
        RunFolder(tmp_path / "run", asked), load_digits(), torch.device("cpu"), "float32"
    )
    free[0] = bytes_needed(setting, plan(setting.folder, setting.dataset), 1) + 10_000
    with pytest.raises(KeyboardInterrupt):
        run_study(asked, tmp_path / "run", listener=Stop())
    run_study(asked, tmp_path / "run")


def test_a_full_disk_is_refused_with_both_figures(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(shutil, "disk_usage", lambda _: Usage(100, 0, 2_600_000))
    refuse_full_disk(tmp_path, 2_600_000)
    with pytest.raises(StoreError) as caught:
        refuse_full_disk(tmp_path, 1_234_000_000)
    assert str(caught.value) == (
        f"{tmp_path}: the study needs about 1,234 MB on this disk and 3 MB are free; "
        "make room, or give an --out on another disk"
    )


def test_a_study_is_refused_before_it_trains(
    three: Plan, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(shutil, "disk_usage", lambda _: Usage(100, 0, 1_000_000))
    asked = three()[0].folder.study
    with pytest.raises(StoreError, match=r"the study needs about 9 MB on this disk and 1 MB are"):
        run_study(asked, tmp_path / "run")
    assert not (tmp_path / "run" / "trials").exists()
