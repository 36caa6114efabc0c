"""One trial after the other, in this process, beside any others that work on the same folder."""

from __future__ import annotations

import time
from collections.abc import Sequence
from functools import partial

from bakeoff.files import locks
from bakeoff.records.checkpoints import Checkpoints
from bakeoff.runners.listener import Listener, PlannedTrial
from bakeoff.runners.setting import Setting
from bakeoff.training.run_trial import run_trial

_POLL = 0.5
"""Seconds after which the trials of other processes are looked at again."""


def run_serially(setting: Setting, trials: Sequence[PlannedTrial], listener: Listener) -> None:
    """Train the trials in their order; a Runner.

    Those whose locks others hold are left for later: they are finished then, or their holder is
    dead or gave up, and they are trained here after all.
    """
    left = list(trials)
    told = False
    while left:
        others = train_free(setting, left, listener)
        if len(others) == len(left):
            if not told:
                listener.stage(f"waiting for {_trials(len(others))} that other processes train")
                told = True
            time.sleep(_POLL)
        left = others


def train_free(
    setting: Setting, trials: Sequence[PlannedTrial], listener: Listener
) -> list[PlannedTrial]:
    """Train those of the trials that nobody else trains; return those that others hold."""
    others = []
    for planned in trials:
        with locks.held_if_free(setting.folder.lock(*planned.key)) as ours:
            if not ours:
                others.append(planned)
            elif setting.folder.has_trial(*planned.key):
                listener.trial_elsewhere(planned)
            else:
                _run(setting, planned, listener)
    return others


def _run(setting: Setting, planned: PlannedTrial, listener: Listener) -> None:
    folder = setting.folder
    listener.trial_started(planned)
    trial = run_trial(
        setting.spec(planned),
        partial(listener.epoch_ended, planned),
        Checkpoints(folder.unfinished(*planned.key), listener.stage),
        partial(listener.trial_resumed, planned),
        setting.processor,
    )
    folder.write_trial(trial.record, trial.weights, trial.predictions)
    listener.trial_ended(planned, trial.record)


def _trials(number: int) -> str:
    return "1 trial" if number == 1 else f"{number} trials"
