"""Runs a trial: from its beginning or its newest checkpoint to its record, weights, predictions."""

from __future__ import annotations

import time
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from functools import partial

import torch

from bakeoff.errors import StoreError
from bakeoff.records.checkpoints import Checkpoint, Checkpoints
from bakeoff.records.conditions import changed_conditions, foreign_origin
from bakeoff.records.record import Epoch, Provenance, Record, Resumed, Stopped
from bakeoff.training.clocks import Processor
from bakeoff.training.finish import ended_by_memory, finish_trial, unscored
from bakeoff.training.fit import fit, planned_end, steps_per_epoch
from bakeoff.training.memory import free_memory, is_out_of_memory
from bakeoff.training.moving import Moving
from bakeoff.training.provenance import provenance
from bakeoff.training.trial import Trial, TrialSpec, autocast_for, code_of


def run_trial(
    spec: TrialSpec,
    on_epoch: Callable[[Epoch], None],
    checkpoints: Checkpoints | None = None,
    on_resume: Callable[[int], None] = lambda epochs: None,
    processor: Processor = time.process_time,
) -> Trial:
    """Train the entrant once and score it, calling `on_epoch` after each epoch.

    Validation data stop the training; test data are read once, at the end. The global random
    state is left as it was. With `checkpoints` the training goes on from the newest of them, and
    leaves one after each epoch; `on_resume` hears how many epochs there were. `processor` tells
    what this run takes of the cores; what others take of them is noted in each epoch.
    Raises StoreError where a checkpoint cannot be written, or is of another study, of other data
    or in other precision, NetworkError where code of the user's fails.
    """
    progress = _take_up(spec, checkpoints)
    if progress.state is not None:
        on_resume(len(progress.history))
    try:
        with code_of(spec.entrant, f" seed {spec.seed}"):
            return _trained(spec, progress, on_epoch, processor)
    except (MemoryError, RuntimeError) as error:
        if not is_out_of_memory(error):
            raise
    # Out of the `except`, which holds on to all that the failed step had allocated.
    free_memory(spec.device)
    epoch = len(progress.history) + (not progress.trained)
    stopped = Stopped(epoch=epoch, reason="out of memory")
    return ended_by_memory(progress.record(spec, stopped))


@dataclass
class _Progress:
    """What is known of a trial while it is trained."""

    origin: Provenance
    history: tuple[Epoch, ...]
    state: Mapping[str, torch.Tensor] | None
    """What moves, as it was after the last epoch of the history; None before the first."""
    checkpoints: Checkpoints | None
    trained: bool = False

    def keep(self, spec: TrialSpec, history: Sequence[Epoch], moving: Moving) -> None:
        """Note that an epoch is done, and write a checkpoint of it."""
        self.history = tuple(history)
        if self.checkpoints is not None:
            self.checkpoints.write(
                Checkpoint(self.history, self.origin, moving.state()),
                partial(_misfit, spec, moving),
            )

    def record(self, spec: TrialSpec, stopped: Stopped) -> Record:
        """Return the record of a training that stopped, without scores."""
        return unscored(spec, self.history, stopped, self.origin)


def _take_up(spec: TrialSpec, checkpoints: Checkpoints | None) -> _Progress:
    """Return where the trial stands: at its beginning, or at its newest checkpoint."""
    now = provenance(device=spec.device, **spec.conditions)
    found = checkpoints.newest(partial(_misfit, spec, None)) if checkpoints is not None else None
    if found is None:
        return _Progress(now, (), None, checkpoints)
    file, checkpoint = found
    if complaint := foreign_origin(checkpoint.origin, **spec.conditions):
        raise StoreError(f"{file}: {complaint}")
    resumed = checkpoint.origin.resumed
    if differs := changed_conditions(checkpoint.origin, now):
        resumed = (*resumed, Resumed(epoch=len(checkpoint.history), differs=differs))
    return _Progress(
        origin=now.model_copy(update={"started": checkpoint.origin.started, "resumed": resumed}),
        history=checkpoint.history,
        state=checkpoint.state,
        checkpoints=checkpoints,
    )


def _misfit(spec: TrialSpec, moving: Moving | None, checkpoint: Checkpoint) -> str | None:
    """Return why this trial cannot have left the checkpoint, or None if it can.

    moving: what moves in it; None where it has yet to begin.
    """
    if foreign_origin(checkpoint.origin, **spec.conditions):
        return None  # Of another training: refused, not set aside.
    recipe, history = spec.entrant.recipe, checkpoint.history
    if any(planned_end(recipe, each.epoch, each.validation_accuracy) for each in history[:-1]):
        return "its history goes on where training ends"
    if moving is None:
        moving = Moving.of(spec.network(), recipe, steps_per_epoch(recipe, len(spec.split.train)))
    misfit = moving.misfit(checkpoint.state, len(history))
    return misfit and f"not of this network and optimizer: {misfit}"


def _trained(
    spec: TrialSpec,
    progress: _Progress,
    on_epoch: Callable[[Epoch], None],
    processor: Processor,
) -> Trial:
    model, held_out = spec.network(), spec.examples(spec.split.validation)
    _, stopped = fit(
        model,
        spec.entrant.recipe,
        spec.examples(spec.split.train),
        held_out,
        spec.streams,
        pixels=spec.pixels,
        autocast=autocast_for(spec.device, spec.precision),
        on_epoch=on_epoch,
        before=progress.history,
        state=progress.state,
        keep=partial(progress.keep, spec),
        processor=processor,
    )
    progress.trained = True
    return finish_trial(spec, model, progress.record(spec, stopped), held_out)
