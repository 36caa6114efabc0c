"""Room on the disk, asked for before hours are spent on what could not be written."""

from __future__ import annotations

import shutil
from collections.abc import Sequence
from contextlib import suppress
from pathlib import Path

from bakeoff.data.split import split_of
from bakeoff.errors import StoreError
from bakeoff.records.checkpoints import KEPT
from bakeoff.records.limits import predictions_bytes
from bakeoff.runners.listener import PlannedTrial
from bakeoff.runners.setting import Setting
from bakeoff.study.study import Entrant

_REPORT = 8_000_000
"""Bytes for the report and its figures; those of ten entrants take about half of it."""
_MARGIN = 1.1


def bytes_needed(setting: Setting, trials: Sequence[PlannedTrial], jobs: int) -> int:
    """Return the bytes that `trials` will take on the disk beside what lies there, and a tenth.

    Each leaves its weights and predictions; for each of `jobs` at once the checkpoints of the
    largest entrant come on top: those that are kept, and the one that is being written. Checkpoints
    of an interrupted run lie there already.
    """
    if not trials:
        return 0
    folder, dataset = setting.folder, setting.dataset
    kept = sum(trial.size.state_bytes for trial in trials)
    largest = max(trial.size.state_bytes * (1 + _moments(trial.entrant)) for trial in trials)
    at_once = min(jobs, len(trials)) * largest
    begun = folder.begun(trial.key for trial in trials)
    there = sum(_bytes_in(folder.unfinished(*key).path) for key in begun)
    # However much lies there, each job writes one more before it removes its oldest.
    checkpoints = max((KEPT + 1) * at_once - there, at_once)
    images = len(split_of(folder.study, 0, dataset).validation) + len(dataset.test_images)
    predictions = len(trials) * predictions_bytes(images, len(dataset.classes))
    return int(_MARGIN * (kept + checkpoints + predictions + _REPORT))


def refuse_full_disk(where: Path, needed: int) -> None:
    """Raise StoreError where less than `needed` bytes are free on the disk that holds `where`."""
    free = shutil.disk_usage(where).free
    if free < needed:
        raise StoreError(
            f"{where}: the study needs about {_megabytes(needed)} on this disk and "
            f"{_megabytes(free)} are free; make room, or give an --out on another disk"
        )


def _bytes_in(folder: Path) -> int:
    size = 0
    for file in folder.rglob("*"):
        with suppress(FileNotFoundError):  # Another process works on it.
            size += file.lstat().st_size if file.is_file() else 0
    return size


def _moments(entrant: Entrant) -> int:
    """Return how many numbers a training keeps for each weight, beside the weight."""
    return (1 if entrant.recipe.optimizer == "sgd" else 2) + (entrant.recipe.average is not None)


def _megabytes(size: int) -> str:
    return f"{size / 1e6:,.0f} MB"
