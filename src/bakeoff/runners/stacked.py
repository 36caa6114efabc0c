"""The seeds of an entrant at once, in this process; one entrant after the other."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from contextlib import ExitStack

from bakeoff.files import locks
from bakeoff.records.record import Epoch
from bakeoff.runners.listener import Listener, PlannedTrial
from bakeoff.runners.serial import run_serially
from bakeoff.runners.setting import Setting
from bakeoff.runners.signature import Signature
from bakeoff.training.memory import free_memory, is_out_of_memory
from bakeoff.training.stacking.fit import why_alone
from bakeoff.training.stacking.run import run_stack
from bakeoff.training.trial import autocast_for, build_entrant, code_of

AT_ONCE = 10
"""Seeds in one stack, unless told otherwise: memory grows with each of them."""


def run_stacked(setting: Setting, trials: Sequence[PlannedTrial], listener: Listener) -> None:
    """Train together what can be trained together, and then the rest one by one; a Runner."""
    run_stacks(setting, trials, listener)
    finished = set(setting.folder.finished())
    left = [planned for planned in trials if planned.key not in finished]
    run_serially(setting, left, listener)


def run_stacks(
    setting: Setting, trials: Sequence[PlannedTrial], listener: Listener, at_once: int = AT_ONCE
) -> None:
    """Train those of the `trials` that can be trained together, at most `at_once` of them.

    The others are left: those of a network that cannot be stacked, of a seed that has no other
    beside it, those that other processes hold or that were begun alone, and stacks that do not fit
    into memory. A stack has no checkpoints.
    """
    for entrant in dict.fromkeys(planned.entrant.name for planned in trials):
        whole = [planned for planned in trials if planned.entrant.name == entrant]
        if not _can_stack(setting, whole, listener):
            continue
        for start in range(0, len(whole), at_once):
            with ExitStack() as held:
                free = {p: _lock(setting, p, held) for p in whole[start : start + at_once]}
                ours = {planned: lock for planned, lock in free.items() if lock is not None}
                if len(ours) > 1 and not _train(setting, ours, listener):
                    free_memory(setting.device)
                    listener.stage(
                        f"{entrant}: {len(ours)} seeds at once do not fit into memory, so they "
                        "train one by one"
                    )


def _can_stack(setting: Setting, trials: Sequence[PlannedTrial], listener: Listener) -> bool:
    """Return whether these trials of one entrant can train together; say why if they cannot."""
    if len(trials) == 1:
        return False
    entrant, seed = trials[0].entrant, trials[0].seed
    dataset = setting.dataset
    model = build_entrant(setting.folder.study, entrant, seed, dataset, setting.device)
    autocast = autocast_for(setting.device, setting.precision)
    with code_of(entrant):
        reason = why_alone(
            model,
            entrant.recipe,
            setting.folder.study.protocol,
            dataset.image_shape,
            autocast,
        )
    if reason is not None:
        listener.stage(f"{entrant.name} cannot be stacked, so it trains one by one: {reason}")
    return reason is None


def _lock(setting: Setting, planned: PlannedTrial, held: ExitStack) -> ExitStack | None:
    """Return what gives the trial's lock back, at the latest with `held`.

    None where the trial is another process's, or was begun before.
    """
    folder = setting.folder
    lock = held.enter_context(ExitStack())
    ours = lock.enter_context(locks.held_if_free(folder.lock(*planned.key)))
    begun = folder.has_trial(*planned.key) or folder.unfinished(*planned.key).is_there()
    if ours and not begun:
        return lock
    lock.close()
    return None


def _train(setting: Setting, locked: Mapping[PlannedTrial, ExitStack], listener: Listener) -> bool:
    """Train the trials, write each once it is finished, give its lock back.

    Return whether there was the memory. What was allocated can be given back after the return, not
    where the error is handled.
    """
    group = list(locked)
    folder = setting.folder
    signatures = [Signature(folder.lock(*planned.key)) for planned in group]
    for planned in group:
        listener.trial_started(planned)

    def on_epoch(which: int, epoch: Epoch) -> None:
        signatures[which].reached(epoch.epoch)
        listener.epoch_ended(group[which], epoch)

    try:
        with code_of(group[0].entrant):
            for which, trial in run_stack([setting.spec(planned) for planned in group], on_epoch):
                folder.write_trial(trial.record, trial.weights, trial.predictions)
                locked[group[which]].close()
                listener.trial_ended(group[which], trial.record)
    except (MemoryError, RuntimeError) as error:
        if not is_out_of_memory(error):
            raise
        return False
    return True
