"""One trial after the other, in this process, beside any others that work on the same folder."""

from __future__ import annotations

import time
from collections.abc import Sequence

from bakeoff.files import locks
from bakeoff.records.checkpoints import Checkpoints
from bakeoff.records.record import Epoch
from bakeoff.records.working import read_working
from bakeoff.runners.listener import Listener, PlannedTrial
from bakeoff.runners.setting import Setting
from bakeoff.runners.signature import Signature
from bakeoff.training.run_trial import run_trial

_POLL = 0.5
"""Seconds after which the trials of other processes are looked at again."""
_NAMED = 3
"""Trials of other processes that are named where one waits for them."""


def run_serially(setting: Setting, trials: Sequence[PlannedTrial], listener: Listener) -> None:
    """Train the trials in their order; a Runner.

    Those whose locks others hold are left for later: they are finished then, or their holder is
    dead or gave up, and they are trained here after all.
    """
    left, told = list(trials), False
    while left := train_free(setting, left, listener):
        if not told:
            listener.stage(_waiting(setting, left))
            told = True
        time.sleep(_POLL)


def train_free(
    setting: Setting, trials: Sequence[PlannedTrial], listener: Listener
) -> list[PlannedTrial]:
    """Train those of the trials that nobody else trains, until others hold all that are left.

    Returns these.
    """
    left = list(trials)
    while left and len(others := _pass(setting, left, listener)) < len(left):
        left = others
    return left


def _pass(
    setting: Setting, trials: Sequence[PlannedTrial], listener: Listener
) -> list[PlannedTrial]:
    """Train those that are free when it is their turn; return those that others hold then."""
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
    signature = Signature(folder.lock(*planned.key))
    listener.trial_started(planned)

    def resumed(epochs: int, steps: int) -> None:
        signature.resumed(epochs)
        listener.trial_resumed(planned, epochs, steps)

    def epoch_ended(epoch: Epoch) -> None:
        signature.reached(epoch.epoch)
        listener.epoch_ended(planned, epoch)

    trial = run_trial(
        setting.spec(planned),
        epoch_ended,
        Checkpoints(folder.unfinished(*planned.key), listener.stage),
        resumed,
        setting.processor,
    )
    folder.write_trial(trial.record, trial.weights, trial.predictions)
    listener.trial_ended(planned, trial.record)


def _waiting(setting: Setting, others: Sequence[PlannedTrial]) -> str:
    """Say for which trials one waits, and of the first of them who trains them."""
    text = f"waiting for {_trials(len(others))} that other processes train"
    signed = [
        f"{planned.entrant.name} seed {planned.seed} on {working.machine}"
        for planned in others[:_NAMED]
        if (working := read_working(setting.folder.lock(*planned.key))) is not None
    ]
    return f"{text}: {', '.join(signed)}{', …' if len(others) > _NAMED else ''}" if signed else text


def _trials(number: int) -> str:
    return "1 trial" if number == 1 else f"{number} trials"
