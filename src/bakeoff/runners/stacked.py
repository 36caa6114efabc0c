"""The seeds of an entrant at once, in this process; one entrant after the other."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from contextlib import ExitStack

import torch

from bakeoff.data.dataset import Dataset
from bakeoff.engine.devices import place
from bakeoff.files import locks
from bakeoff.records.folder import RunFolder
from bakeoff.records.record import Epoch
from bakeoff.runners.listener import Listener, PlannedTrial
from bakeoff.training.memory import free_memory, is_out_of_memory
from bakeoff.training.stacking.fit import why_alone
from bakeoff.training.stacking.run import run_stack
from bakeoff.training.trial import TrialSpec, build_entrant

AT_ONCE = 10
"""Seeds in one stack, unless told otherwise: memory grows with each of them."""


def run_stacked(
    folder: RunFolder,
    trials: Sequence[PlannedTrial],
    dataset: Dataset,
    *,
    device: torch.device,
    precision: str,
    listener: Listener,
    at_once: int = AT_ONCE,
) -> None:
    """Train those of the `trials` that can be trained together, at most `at_once` of them.

    The others are left for `run_serially`: those of a network that cannot be stacked, of a seed
    that has no other beside it, those that other processes hold or that were begun alone, and
    stacks that do not fit into memory. A stack has no checkpoints.
    """
    for entrant in dict.fromkeys(planned.entrant.name for planned in trials):
        whole = [planned for planned in trials if planned.entrant.name == entrant]
        if not _can_stack(folder, whole, dataset, device, listener):
            continue
        for start in range(0, len(whole), at_once):
            with ExitStack() as held:
                free = {p: _lock(folder, p, held) for p in whole[start : start + at_once]}
                ours = {planned: lock for planned, lock in free.items() if lock is not None}
                if len(ours) > 1 and not _train(folder, ours, dataset, device, precision, listener):
                    free_memory(device)
                    listener.stage(
                        f"{entrant}: {len(ours)} seeds at once do not fit into memory, so they "
                        "train one by one"
                    )


def _can_stack(
    folder: RunFolder,
    trials: Sequence[PlannedTrial],
    dataset: Dataset,
    device: torch.device,
    listener: Listener,
) -> bool:
    """Return whether these trials of one entrant can train together; say why if they cannot."""
    if len(trials) == 1:
        return False
    entrant, seed = trials[0].entrant, trials[0].seed
    model = place(build_entrant(folder.study, entrant, seed, dataset), device)
    reason = why_alone(model, dataset.image_shape)
    if reason is not None:
        listener.stage(f"{entrant.name} cannot be stacked, so it trains one by one: {reason}")
    return reason is None


def _lock(folder: RunFolder, planned: PlannedTrial, held: ExitStack) -> ExitStack | None:
    """Return what gives the trial's lock back, at the latest with `held`.

    None where the trial is another process's, or was begun before.
    """
    name, seed = planned.entrant.name, planned.seed
    lock = held.enter_context(ExitStack())
    ours = lock.enter_context(locks.held_if_free(folder.lock(name, seed)))
    if ours and not folder.has_trial(name, seed) and not folder.unfinished(name, seed).exists():
        return lock
    lock.close()
    return None


def _train(
    folder: RunFolder,
    locked: Mapping[PlannedTrial, ExitStack],
    dataset: Dataset,
    device: torch.device,
    precision: str,
    listener: Listener,
) -> bool:
    """Train the trials, write each once it is finished, give its lock back.

    Return whether there was the memory. What was allocated can be given back after the return, not
    where the error is handled.
    """
    group = list(locked)
    for planned in group:
        locks.stamp(folder.lock(planned.entrant.name, planned.seed))
        listener.trial_started(planned)

    def on_epoch(which: int, epoch: Epoch) -> None:
        listener.epoch_ended(group[which], epoch)

    specs = [
        TrialSpec(folder.study, planned.entrant, planned.seed, dataset, device, precision)
        for planned in group
    ]
    try:
        for which, trial in run_stack(specs, on_epoch):
            folder.write_trial(trial.record, trial.weights, trial.predictions)
            locked[group[which]].close()
            listener.trial_ended(group[which], trial.record)
    except (MemoryError, RuntimeError) as error:
        if not is_out_of_memory(error):
            raise
        return False
    return True
