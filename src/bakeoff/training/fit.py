"""All epochs of one training: order, steps, validation, and when to stop."""

from __future__ import annotations

import math
import time
from collections.abc import Callable, Iterator, Mapping, Sequence
from contextlib import nullcontext
from dataclasses import dataclass
from functools import partial

import torch
from torch import nn
from torch.nn import functional as F

from bakeoff.data.augmentation import Augmenter
from bakeoff.data.order import batches as in_order
from bakeoff.data.order import epoch_order
from bakeoff.engine import fast
from bakeoff.engine.loss import CrossEntropy
from bakeoff.engine.pixels import Pixels
from bakeoff.engine.recorded import make_step
from bakeoff.engine.step import Step, make_update
from bakeoff.records.limits import LARGEST_NUMBER
from bakeoff.records.record import Epoch, Stopped
from bakeoff.study.recipe import Recipe
from bakeoff.study.seeds import derive_seed
from bakeoff.training.clocks import NOTHING, Clocks, Processor, Taken
from bakeoff.training.draws import Draws
from bakeoff.training.loop import EpochLoss, StepLosses, train_epoch
from bakeoff.training.moving import Moving
from bakeoff.training.predict import predict_logits


@dataclass(frozen=True)
class Examples:
    """Images and labels on the device that trains."""

    images: torch.Tensor
    """uint8 [n, channels, height, width], or more than these where `rows` says which they are."""
    labels: torch.Tensor
    """int64 [n]."""
    rows: torch.Tensor | None = None
    """int64 [n]: where each example lies in `images`. Those that stay in a file are not copied."""

    def __len__(self) -> int:
        return len(self.labels)

    def batches(
        self, order: torch.Tensor, size: int
    ) -> Iterator[tuple[torch.Tensor, torch.Tensor]]:
        """Yield (images, labels) of `size` examples at a time, in this order, int64 [m]."""
        return in_order(self.images, self.labels, order, size, self.rows)


@dataclass(frozen=True)
class Streams:
    """Where the random choices of one training come from."""

    study_seed: int
    trial_seed: int
    entrant: str

    def order(self, examples: int, epoch: int) -> torch.Tensor:
        """Return the order of the examples, shared by all entrants of this trial seed."""
        return epoch_order(
            examples, study_seed=self.study_seed, trial_seed=self.trial_seed, epoch=epoch
        )

    def dropout_seed(self, epoch: int) -> int:
        """Return the seed of everything random inside the network during `epoch`."""
        return derive_seed(
            "dropout",
            study_seed=self.study_seed,
            trial_seed=self.trial_seed,
            entrant=self.entrant,
            epoch=epoch,
        )


@dataclass(frozen=True)
class EpochPart:
    """An epoch that is not over, as it stands between two steps."""

    losses: torch.Tensor
    """Of its steps so far, [steps]."""
    positions: Mapping[str, torch.Tensor]
    """Where the streams of its `Draws` stand."""
    taken: Taken


def fit(
    model: nn.Module,
    recipe: Recipe,
    train: Examples,
    validation: Examples,
    streams: Streams,
    *,
    pixels: Pixels,
    autocast: torch.autocast,
    class_weights: torch.Tensor | None = None,
    augmenter: Augmenter | None = None,
    on_epoch: Callable[[Epoch], None],
    before: Sequence[Epoch] = (),
    state: Mapping[str, torch.Tensor] | None = None,
    part: EpochPart | None = None,
    keep: Callable[[Sequence[Epoch], Moving, EpochPart | None], None] = lambda *standing: None,
    due: Callable[[], bool] = lambda: False,
    processor: Processor = time.process_time,
) -> tuple[list[Epoch], Stopped]:
    """Train `model` in place; return its history and where it stopped.

    An epoch in which it diverges ends the training and is not part of the history. `keep` gets the
    history and what moves after each epoch, before `on_epoch` hears of it, and within an epoch
    also its part so far, after each step at which it is `due`. A training that begins with the
    history `before`, the `state` of `Moving` and the `part` that `keep` got with it goes on as if
    there had been no interruption. Where the recipe averages weights, the model has that average
    in the end, and what is validated is the average so far.
    """
    steps = steps_per_epoch(recipe, len(train))
    moving = Moving.of(model, recipe, steps)
    twin = fast(model)
    step = step_of(
        twin, moving, recipe, pixels=pixels, autocast=autocast, class_weights=class_weights
    )
    history, stopped = list(before), None
    if state is not None:
        moving.restore(state, len(history) * steps + (0 if part is None else len(part.losses)))
    if history and part is None:
        stopped = planned_end(recipe, len(history), history[-1].validation_accuracy)
    while stopped is None:
        number = len(history) + 1
        clocks = Clocks.read(processor)
        order = streams.order(len(train), number).to(train.images.device)
        losses, earlier = StepLosses(), NOTHING
        twin.train()
        with Draws.begun(twin, streams.dropout_seed(number)) as draws:
            if part is not None:
                draws.go_to(part.positions)
                earlier, losses = part.taken, _of_part(part, order, recipe)
                order, part = order[sum(losses.sizes) :], None
            keep_part = _KeepPart(due, partial(keep, history, moving), draws, earlier, clocks)
            batches = _batches(train, augmenter, order, recipe.batch_size, number)
            (loss,) = train_epoch(step, batches, losses, keep_part)
        with nullcontext() if moving.average is None else moving.average.in_place():
            logits = predict_logits(twin, validation.images, pixels, validation.rows)
        validation_loss = F.cross_entropy(logits, validation.labels).item()
        accuracy = (logits.argmax(1) == validation.labels).double().mean().item()
        taken = earlier + clocks.taken()
        stopped = add_epoch(history, recipe, loss, (validation_loss, accuracy), taken)
        if stopped is None or not stopped.diverged:
            keep(history, moving, None)
            on_epoch(history[-1])
    if moving.average is not None:
        moving.average.take_over()
    return history, stopped


def step_of(
    twin: nn.Module,
    moving: Moving,
    recipe: Recipe,
    *,
    pixels: Pixels,
    autocast: torch.autocast,
    class_weights: torch.Tensor | None = None,
) -> Step:
    """Return what takes one step of the recipe with `twin`, which `fast` made.

    class_weights: float32 [classes] on the device that trains, where classes count differently.
    """
    loss = CrossEntropy(recipe.label_smoothing or 0.0, class_weights)
    update = make_update(twin, moving.optimizer, pixels, autocast, loss, recipe.clip)
    device = next(twin.parameters()).device
    return make_step(update, moving.schedule, recipe.batch_size, device, moving.average)


def _batches(
    train: Examples, augmenter: Augmenter | None, order: torch.Tensor, size: int, epoch: int
) -> Iterator[tuple[torch.Tensor, torch.Tensor]]:
    """Return the batches of what is left of an epoch, changed where the protocol asks for it."""
    if augmenter is None:
        return train.batches(order, size)
    changed = augmenter.of_epoch(len(train), epoch, train.images.device)
    return changed.batches(train.batches, order, size)


def _of_part(part: EpochPart, order: torch.Tensor, recipe: Recipe) -> StepLosses:
    """Return the losses of the steps that an epoch in this order has behind it."""
    sizes = [len(batch) for batch in order.split(recipe.batch_size)[: len(part.losses)]]
    return StepLosses([*part.losses], sizes)


@dataclass(frozen=True)
class _KeepPart:
    """Keeps the part of an epoch that is done, after each step at which that is due."""

    due: Callable[[], bool]
    keep: Callable[[EpochPart], None]
    draws: Draws
    earlier: Taken
    """By the steps before those that `clocks` have seen."""
    clocks: Clocks

    def __call__(self, losses: StepLosses) -> None:
        # One that diverges ends with the epoch, and is not gone on with.
        if self.due() and (of_steps := torch.stack(losses.of_steps)).isfinite().all():
            positions = self.draws.positions()
            self.keep(EpochPart(of_steps, positions, self.earlier + self.clocks.taken()))
            self.draws.go_to(positions)  # To write a file may draw from what is shared.


def add_epoch(
    history: list[Epoch],
    recipe: Recipe,
    loss: EpochLoss,
    validated: tuple[float, float],
    taken: Taken,
) -> Stopped | None:
    """Add an epoch to a history unless it diverged; return where training ends, None to go on.

    validated: loss and accuracy on the validation examples.
    """
    number, (validation_loss, accuracy) = len(history) + 1, validated
    if (stopped := divergence(number, loss, validation_loss)) is not None:
        return stopped
    history.append(
        Epoch(
            epoch=number,
            train_loss=loss.mean,
            validation_loss=validation_loss,
            validation_accuracy=accuracy,
            seconds=taken.seconds,
            processor_seconds=taken.processor_seconds,
            others=taken.others,
        )
    )
    return planned_end(recipe, number, accuracy)


def steps_per_epoch(recipe: Recipe, examples: int) -> int:
    """Return how many batches there are; the last may be smaller."""
    return math.ceil(examples / recipe.batch_size)


def planned_end(recipe: Recipe, epoch: int, validation_accuracy: float) -> Stopped | None:
    """Return where training ends if it ends after `epoch` (counted from 1), or None to go on."""
    target = recipe.target_validation_accuracy
    if target is not None and validation_accuracy >= target:
        return Stopped(epoch=epoch, reason="target reached")
    if epoch < recipe.epochs:
        return None
    return Stopped(epoch=epoch, reason="budget used" if target is None else "target not reached")


def divergence(epoch: int, loss: EpochLoss, validation_loss: float) -> Stopped | None:
    """Return where training ends, if the losses of an epoch say nothing any more.

    A finite one may be too large as well: no record holds a loss above LARGEST_NUMBER.
    """
    if loss.not_finite_at is not None or not math.isfinite(validation_loss):
        return Stopped(epoch=epoch, reason="loss not finite", step=loss.not_finite_at)
    if max(loss.mean, validation_loss) > LARGEST_NUMBER:
        return Stopped(epoch=epoch, reason="numbers too large")
    return None
