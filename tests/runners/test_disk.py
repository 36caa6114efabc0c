from __future__ import annotations

import shutil
from pathlib import Path
from typing import Any, NamedTuple

import pytest

from bakeoff.commands.run import run_study
from bakeoff.data.dataset import Dataset
from bakeoff.errors import StoreError
from bakeoff.runners.disk import bytes_needed, refuse_full_disk
from bakeoff.runners.listener import PlannedTrial

from ..factories import entrant, study

# Logistic regression on 8 x 8 pixels: 650 weights of 4 bytes.
WEIGHTS = 650 * 4
# 97 validation and 500 test images: 10 float32 logits, a label and an index of 8 bytes each.
PREDICTIONS = 597 * (10 * 4 + 16)
REPORT = 8_000_000


class Usage(NamedTuple):
    total: int
    used: int
    free: int


def planned(**recipe: Any) -> tuple[Any, list[PlannedTrial]]:
    asked = study(entrant("a", **recipe), validation=97, seeds=3)
    return asked, [PlannedTrial(asked.entrants[0], seed, 1.0) for seed in asked.trial_seeds]


@pytest.mark.parametrize(
    ("optimizer", "jobs", "checkpoints"),
    [("adam", 1, 3), ("sgd", 1, 3), ("adam", 2, 6), ("adam", 9, 9)],
)  # fmt: skip
def test_weights_predictions_and_checkpoints_are_counted(
    optimizer: str, jobs: int, checkpoints: int, digits: Dataset
) -> None:
    asked, trials = planned(optimizer=optimizer)
    # Adam keeps two numbers for each weight, SGD with momentum one.
    checkpoint = WEIGHTS * (3 if optimizer == "adam" else 2)
    expected = 1.1 * (3 * (WEIGHTS + PREDICTIONS) + checkpoints * checkpoint + REPORT)
    assert bytes_needed(asked, trials, digits, jobs) == int(expected)


def test_nothing_to_train_needs_nothing(digits: Dataset) -> None:
    asked, _ = planned()
    assert bytes_needed(asked, [], digits, 1) == 0


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
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(shutil, "disk_usage", lambda _: Usage(100, 0, 1_000_000))
    asked, _ = planned()
    with pytest.raises(StoreError, match=r"the study needs about 9 MB on this disk and 1 MB are"):
        run_study(asked, tmp_path / "run")
    assert not (tmp_path / "run" / "trials").exists()
