"""Room on the disk, asked for before hours are spent on what could not be written."""

from __future__ import annotations

import shutil
from collections.abc import Sequence
from pathlib import Path

from bakeoff.data.dataset import Dataset
from bakeoff.errors import StoreError
from bakeoff.records.checkpoints import KEPT
from bakeoff.records.limits import predictions_bytes
from bakeoff.runners.listener import PlannedTrial
from bakeoff.study.study import Entrant, Study
from bakeoff.training.trial import build_entrant

_REPORT = 8_000_000
"""Bytes for the report and its figures; those of ten entrants take about half of it."""
_MARGIN = 1.1


def bytes_needed(study: Study, trials: Sequence[PlannedTrial], dataset: Dataset, jobs: int) -> int:
    """Return the bytes that `trials` will take on the disk, with a tenth to spare.

    Each leaves its weights and predictions; for each of `jobs` at once the checkpoints of the
    largest entrant come on top: those that are kept, and the one that is being written.
    """
    if not trials:
        return 0
    by_name = {trial.entrant.name: trial.entrant for trial in trials}
    weights = {name: weights_bytes(study, each, dataset) for name, each in by_name.items()}
    kept = sum(weights[trial.entrant.name] for trial in trials)
    largest = max(weights[name] * (1 + _moments(each)) for name, each in by_name.items())
    checkpoints = min(jobs, len(trials)) * (KEPT + 1) * largest
    images = study.protocol.validation_examples + len(dataset.test_images)
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


def weights_bytes(study: Study, entrant: Entrant, dataset: Dataset) -> int:
    """Return what the entrant's network takes, buffers included."""
    state = build_entrant(study, entrant, 0, dataset).state_dict()
    return sum(value.numel() * value.element_size() for value in state.values())


def _moments(entrant: Entrant) -> int:
    """Return how many numbers the optimizer keeps for each weight."""
    return 1 if entrant.recipe.optimizer == "sgd" else 2


def _megabytes(size: int) -> str:
    return f"{size / 1e6:,.0f} MB"
