"""A run with finished trials, which may be asked about one of its test images."""

from __future__ import annotations

from dataclasses import dataclass
from pathlib import Path

from bakeoff.data.catalogue import load_dataset
from bakeoff.data.dataset import Dataset
from bakeoff.errors import StoreError, UsageError
from bakeoff.records.folder import RunFolder
from bakeoff.records.record import Record


@dataclass(frozen=True)
class FinishedRun:
    """A run folder with at least one complete trial, and its data."""

    folder: RunFolder
    records: tuple[Record, ...]
    """Every trial that was found, complete or not."""
    dataset: Dataset

    @property
    def complete(self) -> tuple[Record, ...]:
        """The complete trials."""
        return tuple(record for record in self.records if record.complete)


def finished_run(directory: Path, index: int) -> FinishedRun:
    """Return the run in `directory`.

    Raises StoreError where no trial is complete, UsageError where there is no test image `index`.
    """
    folder = RunFolder.open(directory)
    run = FinishedRun(folder, folder.read_records(), load_dataset(folder.study.protocol.dataset))
    if not run.complete:
        raise StoreError(f"{directory}: no finished trial yet; run the study first")
    last = len(run.dataset.test_labels) - 1
    if index > last:
        raise UsageError(f"--index {index}: the last test image is {last}")
    return run
