"""Runs a trial: from its beginning or its newest checkpoint to its record, weights, predictions."""

from __future__ import annotations

import time
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from functools import partial

import torch

from bakeoff.engine import fast
from bakeoff.errors import StoreError
from bakeoff.records.checkpoints import Begun, Checkpoint, Checkpoints
from bakeoff.records.conditions import changed_conditions, foreign_origin
from bakeoff.records.record import Epoch, Provenance, Record, Resumed, Stopped
from bakeoff.training.clocks import Processor, Taken
from bakeoff.training.draws import Draws
from bakeoff.training.finish import ended_by_memory, finish_trial, unscored
from bakeoff.training.fit import EpochPart, fit, planned_end, steps_per_epoch
from bakeoff.training.memory import free_memory, is_out_of_memory
from bakeoff.training.moving import Moving
from bakeoff.training.provenance import provenance
from bakeoff.training.trial import Trial, TrialSpec, autocast_for, class_weights_of, code_of

_LOSSES, _DRAWS = "losses", "draws."
"""Names in a checkpoint within an epoch."""


def run_trial(
    spec: TrialSpec,
    on_epoch: Callable[[Epoch], None],
    checkpoints: Checkpoints | None = None,
    on_resume: Callable[[int, int], None] = lambda epochs, steps: None,
    processor: Processor = time.process_time,
) -> Trial:
    """Train the entrant once and score it, calling `on_epoch` after each epoch.

    Validation data stop the training; test data are read once, at the end. The global random
    state is left as it was. With `checkpoints` the training goes on from the newest of them, and
    leaves one whenever that is due, between two epochs or two steps; `on_resume` hears how many
    epochs there were, and steps of the next. `processor` tells what this run takes of the cores;
    what others take of them is noted in each epoch.
    Raises StoreError where a checkpoint cannot be written, or is of another study, of other data
    or in other precision, NetworkError where code of the user's fails.
    """
    progress = _take_up(spec, checkpoints)
    if progress.newest is not None:
        on_resume(*progress.newest.stands)
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
    newest: Checkpoint | None
    """That it goes on from; None where it begins."""
    checkpoints: Checkpoints | None
    trained: bool = False

    def due(self) -> bool:
        """Return whether the training is to be kept as it stands."""
        return self.checkpoints is not None and self.checkpoints.due()

    def keep(
        self, spec: TrialSpec, history: Sequence[Epoch], moving: Moving, part: EpochPart | None
    ) -> None:
        """Note which epochs are done, and write a checkpoint where one is due."""
        self.history = tuple(history)
        if self.checkpoints is not None and self.checkpoints.due():
            begun, state = (None, moving.state()) if part is None else _kept(part, moving)
            self.checkpoints.write(
                Checkpoint(self.history, self.origin, state, begun), partial(_misfit, spec, moving)
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
        epoch = len(checkpoint.history) + (checkpoint.begun is not None)
        resumed = (*resumed, Resumed(epoch=epoch, differs=differs))
    return _Progress(
        origin=now.model_copy(update={"started": checkpoint.origin.started, "resumed": resumed}),
        history=checkpoint.history,
        newest=checkpoint,
        checkpoints=checkpoints,
    )


def _misfit(spec: TrialSpec, moving: Moving | None, checkpoint: Checkpoint) -> str | None:
    """Return why this trial cannot have left the checkpoint, or None if it can.

    moving: what moves in it; None where it has yet to begin.
    """
    if foreign_origin(checkpoint.origin, **spec.conditions):
        return None  # Of another training: refused, not set aside.
    recipe, history = spec.entrant.recipe, checkpoint.history
    ended = history[:-1] if checkpoint.begun is None else history
    if any(planned_end(recipe, each.epoch, each.validation_accuracy) for each in ended):
        return "its history goes on where training ends"
    steps = steps_per_epoch(recipe, len(spec.split.train))
    epochs, of_next = checkpoint.stands
    state, part = _parted(checkpoint)
    if part is not None and not _possible_losses(part.losses, of_next, steps):
        return f"its losses are not those of {of_next} steps of {steps}"
    stands = Moving.of(spec.network(), recipe, steps) if moving is None else moving
    misfit = stands.misfit(state, epochs * steps + of_next)
    if misfit is None and moving is None and part is not None:
        misfit = _misfit_of_draws(stands, part)
    return misfit and f"not of this network and optimizer: {misfit}"


def _possible_losses(losses: torch.Tensor, of_next: int, steps: int) -> bool:
    """Return whether an epoch of `steps` steps can have these losses after its first `of_next`."""
    return (
        of_next <= steps
        and losses.shape == (of_next,)
        and losses.is_floating_point()
        and bool(losses.isfinite().all())
    )


def _misfit_of_draws(moving: Moving, part: EpochPart) -> str | None:
    """Return why the streams of the network cannot stand where they stood in the part."""
    try:
        with Draws.begun(fast(moving.model), 0) as draws:
            draws.go_to(part.positions)
    except ValueError as error:
        return str(error)
    return None


def _kept(part: EpochPart, moving: Moving) -> tuple[Begun, dict[str, torch.Tensor]]:
    """Return what a checkpoint within an epoch keeps of its part, and of all that moves."""
    taken = part.taken
    begun = Begun(
        steps=len(part.losses),
        seconds=taken.seconds,
        processor_seconds=taken.processor_seconds,
        others=taken.others,
    )
    drawn = {f"{_DRAWS}{name}": position for name, position in part.positions.items()}
    return begun, moving.state() | {_LOSSES: part.losses} | drawn


def _parted(checkpoint: Checkpoint) -> tuple[dict[str, torch.Tensor], EpochPart | None]:
    """Return what moves in a checkpoint, and the part of an epoch in it, if there is one."""
    begun, state = checkpoint.begun, dict(checkpoint.state)
    if begun is None:
        return state, None
    positions = {
        name.removeprefix(_DRAWS): state.pop(name) for name in [*state] if name.startswith(_DRAWS)
    }
    losses = state.pop(_LOSSES, torch.empty(0))
    taken = Taken(begun.seconds, begun.processor_seconds, begun.others)
    return state, EpochPart(losses, positions, taken)


def _trained(
    spec: TrialSpec,
    progress: _Progress,
    on_epoch: Callable[[Epoch], None],
    processor: Processor,
) -> Trial:
    state, part = (None, None) if progress.newest is None else _parted(progress.newest)
    model, held_out = spec.network(), spec.examples(spec.split.validation)
    train = spec.examples(spec.split.train)
    _, stopped = fit(
        model,
        spec.entrant.recipe,
        train,
        held_out,
        spec.streams,
        pixels=spec.pixels,
        autocast=autocast_for(spec.device, spec.precision),
        augmenter=spec.augmenter,
        class_weights=class_weights_of(spec.entrant.recipe, train.labels, spec.dataset),
        on_epoch=on_epoch,
        before=progress.history,
        state=state,
        part=part,
        keep=partial(progress.keep, spec),
        due=progress.due,
        processor=processor,
    )
    progress.trained = True
    return finish_trial(spec, model, progress.record(spec, stopped), held_out)
