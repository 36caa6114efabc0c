"""One trial after the other, in this process."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from functools import partial

import torch

from bakeoff.data.dataset import Dataset
from bakeoff.progress import Listener, PlannedTrial
from bakeoff.study import Study
from bakeoff.training.trial import Trial, TrialSpec, run_trial


def run_serially(
    study: Study,
    trials: Sequence[PlannedTrial],
    dataset: Dataset,
    *,
    device: torch.device,
    precision: str,
    listener: Listener,
) -> Iterator[tuple[PlannedTrial, Trial]]:
    """Yield each planned trial with its outcome as soon as it is finished."""
    for planned in trials:
        listener.trial_started(planned)
        spec = TrialSpec(study, planned.entrant, planned.seed, dataset, device, precision)
        yield planned, run_trial(spec, partial(listener.epoch_ended, planned))
