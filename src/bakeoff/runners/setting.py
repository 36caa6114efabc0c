"""The contract of everything that runs trials: what it is given, and what it promises."""

from __future__ import annotations

import time
from collections.abc import Callable, Sequence
from dataclasses import dataclass

import torch

from bakeoff.data.dataset import Dataset
from bakeoff.records.folder import RunFolder
from bakeoff.records.record import Provenance
from bakeoff.runners.listener import Listener, PlannedTrial
from bakeoff.training.clocks import Processor
from bakeoff.training.provenance import provenance
from bakeoff.training.trial import TrialSpec


@dataclass(frozen=True)
class Setting:
    """What is the same for all trials of a run."""

    folder: RunFolder
    dataset: Dataset
    device: torch.device
    precision: str
    """`float32` or `bfloat16`."""
    processor: Processor = time.process_time
    """Tells how many processor seconds this run has taken, in all its processes."""

    @property
    def origin(self) -> Provenance:
        """What a record of a trial that began now would say of its origin."""
        return provenance(
            device=self.device,
            precision=self.precision,
            study_hash=self.folder.study.hash,
            data_hash=self.dataset.sha256,
        )

    def spec(self, planned: PlannedTrial) -> TrialSpec:
        """Return all that the trial depends on."""
        return TrialSpec(
            self.folder.study,
            planned.entrant,
            planned.seed,
            self.dataset,
            self.device,
            self.precision,
            planned.size,
        )


Runner = Callable[[Setting, Sequence[PlannedTrial], Listener], None]
"""Returns when all the trials are finished, each in the folder once, and told to the listener.

A trial belongs to whoever holds its lock, so other runners may work on the same folder. Raises
BakeoffError where a trial cannot be written, or what is there of it cannot be read.
"""
