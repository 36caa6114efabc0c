"""Runs a trial: from its beginning or its newest checkpoint to its record, weights, predictions."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import dataclass, field
from functools import partial

from bakeoff.engine.devices import place
from bakeoff.errors import StoreError
from bakeoff.records.checkpoints import Checkpoint, Checkpoints
from bakeoff.records.conditions import changed_conditions, foreign_origin
from bakeoff.records.record import Epoch, Provenance, Resumed
from bakeoff.training.finish import ended_by_memory, finish_trial
from bakeoff.training.fit import Start, Streams, fit, steps_per_epoch
from bakeoff.training.memory import free_memory, is_out_of_memory
from bakeoff.training.moving import Moving
from bakeoff.training.provenance import provenance
from bakeoff.training.stopping import stop_reason
from bakeoff.training.trial import (
    Trial,
    TrialSpec,
    autocast_for,
    build_entrant,
    pixel_scale,
    to_device,
)


def run_trial(
    spec: TrialSpec,
    on_epoch: Callable[[Epoch], None],
    checkpoints: Checkpoints | None = None,
    on_resume: Callable[[int], None] = lambda epochs: None,
    beside_others: Callable[[], bool] = lambda: False,
) -> Trial:
    """Train the entrant once and score it, calling `on_epoch` after each epoch.

    Validation data stop the training; test data are read once, at the end. The global random
    state is left as it was. With `checkpoints` the training goes on from the newest of them, and
    leaves one after each epoch; `on_resume` hears how many epochs there were. `beside_others` is
    asked whether other trials are being trained.
    Raises StoreError where a checkpoint cannot be written, or is of another study, of other data
    or in other precision.
    """
    progress = _take_up(spec, checkpoints, beside_others)
    if progress.start is not None:
        on_resume(len(progress.history))
    try:
        return _trained(spec, progress, on_epoch)
    except (MemoryError, RuntimeError) as error:
        if not is_out_of_memory(error):
            raise
    # Out of the `except`, which holds on to all that the failed step had allocated.
    free_memory(spec.device)
    return ended_by_memory(
        spec,
        progress.history,
        progress.origin,
        progress.contended,
        trained=progress.trained,
    )


@dataclass
class _Progress:
    """What is known of a trial while it is trained."""

    origin: Provenance
    history: tuple[Epoch, ...]
    start: Start | None
    checkpoints: Checkpoints | None
    beside_others: Callable[[], bool]
    contended: bool
    trained: bool = field(default=False)

    def keep(self, history: Sequence[Epoch], moving: Moving) -> None:
        """Note that an epoch is done, and write a checkpoint of it."""
        self.history = tuple(history)
        self.contended = self.contended or self.beside_others()
        if self.checkpoints is not None:
            self.checkpoints.write(
                Checkpoint(self.history, self.origin, self.contended, moving.state())
            )


def _take_up(
    spec: TrialSpec, checkpoints: Checkpoints | None, beside_others: Callable[[], bool]
) -> _Progress:
    """Return where the trial stands: at its beginning, or at its newest checkpoint."""
    now = provenance(
        device=spec.device,
        precision=spec.precision,
        study_hash=spec.study.hash,
        data_hash=spec.dataset.sha256,
    )
    found = checkpoints.newest(partial(_misfit, spec)) if checkpoints is not None else None
    if found is None:
        return _Progress(now, (), None, checkpoints, beside_others, beside_others())
    file, checkpoint = found
    if complaint := _foreign(spec, checkpoint.origin):
        raise StoreError(f"{file}: {complaint}")
    resumed = checkpoint.origin.resumed
    if differs := changed_conditions(checkpoint.origin, now):
        resumed = (*resumed, Resumed(epoch=len(checkpoint.history), differs=differs))
    return _Progress(
        origin=now.model_copy(update={"started": checkpoint.origin.started, "resumed": resumed}),
        history=checkpoint.history,
        start=Start(checkpoint.history, checkpoint.state),
        checkpoints=checkpoints,
        beside_others=beside_others,
        contended=checkpoint.contended or beside_others(),
    )


def _foreign(spec: TrialSpec, origin: Provenance) -> str | None:
    """Return why a checkpoint belongs to another training altogether, or None if it does not."""
    return foreign_origin(
        origin,
        study_hash=spec.study.hash,
        data_hash=spec.dataset.sha256,
        precision=spec.precision,
    )


def _misfit(spec: TrialSpec, checkpoint: Checkpoint) -> str | None:
    """Return why this trial cannot have left the checkpoint, or None if it can."""
    if _foreign(spec, checkpoint.origin):
        return None  # Of another training: refused, not set aside.
    recipe, history = spec.entrant.recipe, checkpoint.history
    if any(stop_reason(recipe, each.epoch, each.validation_accuracy) for each in history[:-1]):
        return "its history goes on where training ends"
    model = place(build_entrant(spec.study, spec.entrant, spec.seed, spec.dataset), spec.device)
    moving = Moving.of(model, recipe, steps_per_epoch(recipe, len(spec.split.train)))
    try:
        moving.restore(checkpoint.state, len(history))
    except StoreError as error:
        return str(error)
    return None


def _trained(spec: TrialSpec, progress: _Progress, on_epoch: Callable[[Epoch], None]) -> Trial:
    study, entrant, dataset = spec.study, spec.entrant, spec.dataset
    split = spec.split
    train = to_device(dataset.train_images, dataset.train_labels, split.train, spec.device)
    held_out = to_device(dataset.train_images, dataset.train_labels, split.validation, spec.device)
    model = place(build_entrant(study, entrant, spec.seed, dataset), spec.device)
    history, stopped = fit(
        model,
        entrant.recipe,
        train,
        held_out,
        Streams(study.study_seed, spec.seed, entrant.name),
        pixel_scale=pixel_scale(study.protocol),
        autocast=autocast_for(spec.device, spec.precision),
        on_epoch=on_epoch,
        start=progress.start,
        keep=progress.keep,
    )
    progress.trained = True
    contended = progress.contended or progress.beside_others()
    return finish_trial(spec, model, history, stopped, held_out, progress.origin, contended)
