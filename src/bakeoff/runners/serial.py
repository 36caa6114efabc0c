"""One trial after the other, in this process, beside any others that work on the same folder."""

from __future__ import annotations

import time
from collections.abc import Callable, Sequence
from functools import partial
from pathlib import Path

from bakeoff.files import locks
from bakeoff.records.checkpoints import Checkpoints
from bakeoff.records.folder import RunFolder
from bakeoff.runners.listener import Listener, PlannedTrial
from bakeoff.runners.setting import Setting
from bakeoff.training.run_trial import run_trial

_POLL = 0.5
"""Seconds after which the trials of other processes are looked at again."""

Watch = Callable[[RunFolder, PlannedTrial], Callable[[], bool]]
"""Begins to watch for others while a trial is trained; what it returns says if there were any."""


def run_serially(setting: Setting, trials: Sequence[PlannedTrial], listener: Listener) -> None:
    """Train the trials in their order; a Runner.

    Those whose locks others hold are left for later: they are finished then, or their holder is
    dead or gave up, and they are trained here after all.
    """
    _run_all(setting, trials, listener, watch_for_others)


def run_beside_others(setting: Setting, trials: Sequence[PlannedTrial], listener: Listener) -> None:
    """Train as `run_serially` does, where it is known that others train at the same time."""
    _run_all(setting, trials, listener, lambda folder, planned: lambda: True)


def _run_all(
    setting: Setting, trials: Sequence[PlannedTrial], listener: Listener, watch: Watch
) -> None:
    folder = setting.folder
    left = list(trials)
    told = False
    while left:
        others = []
        for planned in left:
            with locks.held_if_free(folder.lock(*planned.key)) as ours:
                if not ours:
                    others.append(planned)
                elif folder.has_trial(*planned.key):
                    listener.trial_elsewhere(planned)
                else:
                    _run(setting, planned, listener, watch)
        if others and len(others) == len(left):
            if not told:
                listener.stage(f"waiting for {_trials(len(others))} that other processes train")
                told = True
            time.sleep(_POLL)
        left = others


def _run(setting: Setting, planned: PlannedTrial, listener: Listener, watch: Watch) -> None:
    folder = setting.folder
    locks.stamp(folder.lock(*planned.key))
    listener.trial_started(planned)
    trial = run_trial(
        setting.spec(planned),
        partial(listener.epoch_ended, planned),
        Checkpoints(folder.unfinished(*planned.key), listener.stage),
        partial(listener.trial_resumed, planned),
        watch(folder, planned),
    )
    folder.write_trial(trial.record, trial.weights, trial.predictions)
    listener.trial_ended(planned, trial.record)


def watch_for_others(folder: RunFolder, planned: PlannedTrial) -> Callable[[], bool]:
    """Return a function that says whether others worked in this folder since it was made.

    They train or measure: they hold a lock then, or have begun meanwhile, however it ended. What
    else the machine does is not known to it.
    """
    own = folder.lock(*planned.key)

    def locks_of_others() -> list[Path]:
        return [file for file in (*folder.trial_locks(), folder.conclusion_lock) if file != own]

    before = locks.stamps(locks_of_others())

    def others() -> bool:
        files = locks_of_others()
        return locks.stamps(files) != before or any(map(locks.is_held, files))

    return others


def _trials(number: int) -> str:
    return "1 trial" if number == 1 else f"{number} trials"
