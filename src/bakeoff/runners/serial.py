"""One trial after the other, in this process, beside any others that work on the same folder."""

from __future__ import annotations

import time
from collections.abc import Callable, Sequence
from functools import partial
from pathlib import Path

import torch

from bakeoff.data.dataset import Dataset
from bakeoff.files import locks
from bakeoff.records.checkpoints import Checkpoints
from bakeoff.records.folder import RunFolder
from bakeoff.runners.listener import Listener, PlannedTrial
from bakeoff.training.run_trial import run_trial
from bakeoff.training.trial import TrialSpec

_POLL = 0.5
"""Seconds after which the trials of other processes are looked at again."""


def run_serially(
    folder: RunFolder,
    trials: Sequence[PlannedTrial],
    dataset: Dataset,
    *,
    device: torch.device,
    precision: str,
    listener: Listener,
    contended: bool = False,
) -> None:
    """Return when all `trials` are finished, each of them trained here or by another process.

    A trial belongs to whoever holds its lock. Those that others hold are left for later: they are
    finished then, or their holder is dead or gave up, and they are trained here after all.
    contended: whether trials are known to be trained beside others.
    """
    left = list(trials)
    told = False
    while left:
        others = []
        for planned in left:
            with locks.held_if_free(folder.lock(planned.entrant.name, planned.seed)) as ours:
                if not ours:
                    others.append(planned)
                elif folder.has_trial(planned.entrant.name, planned.seed):
                    listener.trial_elsewhere(planned)
                else:
                    _run(folder, planned, dataset, device, precision, listener, contended)
        if others and len(others) == len(left):
            if not told:
                listener.stage(f"waiting for {_trials(len(others))} that other processes train")
                told = True
            time.sleep(_POLL)
        left = others


def _run(
    folder: RunFolder,
    planned: PlannedTrial,
    dataset: Dataset,
    device: torch.device,
    precision: str,
    listener: Listener,
    contended: bool,
) -> None:
    entrant, seed = planned.entrant, planned.seed
    locks.stamp(folder.lock(entrant.name, seed))
    listener.trial_started(planned)
    spec = TrialSpec(folder.study, entrant, seed, dataset, device, precision)
    checkpoints = Checkpoints(folder.unfinished(entrant.name, seed), listener.stage)
    trial = run_trial(
        spec,
        partial(listener.epoch_ended, planned),
        checkpoints,
        partial(listener.trial_resumed, planned),
        (lambda: True) if contended else watch_for_others(folder, entrant.name, seed),
    )
    folder.write_trial(trial.record, trial.weights, trial.predictions)
    listener.trial_ended(planned, trial.record)


def watch_for_others(folder: RunFolder, entrant: str, seed: int) -> Callable[[], bool]:
    """Return a function that says whether others worked in this folder since it was made.

    They train or measure: they hold a lock then, or have begun meanwhile, however it ended. What
    else the machine does is not known to it.
    """
    own = folder.lock(entrant, seed)

    def locks_of_others() -> list[Path]:
        return [file for file in (*folder.trial_locks(), folder.conclusion_lock) if file != own]

    before = locks.stamps(locks_of_others())

    def others() -> bool:
        files = locks_of_others()
        return locks.stamps(files) != before or any(map(locks.is_held, files))

    return others


def _trials(number: int) -> str:
    return "1 trial" if number == 1 else f"{number} trials"
