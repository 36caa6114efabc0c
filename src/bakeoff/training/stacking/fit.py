"""All epochs of several seeds of one entrant at once: as `fit`, for a stack of networks."""

from __future__ import annotations

import copy
import math
import textwrap
import time
from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass, field

import torch
from torch import nn
from torch.nn import functional as F

from bakeoff.data.split import Split
from bakeoff.engine.recorded import make_step
from bakeoff.engine.step import Step
from bakeoff.records.record import Epoch, Stopped
from bakeoff.study.study import Recipe
from bakeoff.training.fit import Examples, Streams
from bakeoff.training.loop import EpochLoss, epoch_loss
from bakeoff.training.stacking.stack import Stack
from bakeoff.training.stopping import divergence, stop_reason


@dataclass(frozen=True)
class Member:
    """One seed of a stack: what `fit` gets of a trial alone."""

    model: nn.Module
    """As it starts; has its trained weights when the member's training has ended."""
    split: Split
    streams: Streams
    history: list[Epoch] = field(default_factory=list)


@dataclass(frozen=True)
class Ended:
    """A member whose training is over, while others may go on."""

    which: int
    """Its place among the members."""
    stopped: Stopped


def why_alone(
    model: nn.Module, image_shape: tuple[int, int, int], autocast: torch.autocast
) -> str | None:
    """Return in one line why networks like `model` cannot be stacked, or None where they can.

    Found out by an update and a validation pass of two tiny batches. What `torch.func.vmap` cannot
    follow is a forward pass whose way depends on numbers, or with operations of its own making.
    """
    twins = [copy.deepcopy(model).train() for _ in range(2)]
    device = next(model.parameters()).device
    images = torch.zeros(2, 2, *image_shape, dtype=torch.uint8, device=device)
    labels = torch.zeros(2, 2, dtype=torch.int64, device=device)
    try:
        with torch.random.fork_rng():
            stack = Stack(twins, Recipe(), 1, pixel_scale=1.0, autocast=autocast)
            stack.reseed([0, 0])
            stack.update(images, labels)
            stack.logits(images)
    except (RuntimeError, ValueError, NotImplementedError) as error:
        return textwrap.shorten(str(error), 180, placeholder=" ...")
    return None


def fit_stack(
    members: Sequence[Member],
    recipe: Recipe,
    examples: Examples,
    *,
    pixel_scale: float,
    autocast: torch.autocast,
    on_epoch: Callable[[int, Epoch], None],
) -> Iterator[Ended]:
    """Train all members together; yield each as soon as its training ends.

    examples: all that splits may choose from, once, on the device that trains. Order of batches,
    start and stopping are those of `fit` for each member, and so are the weights, but for the
    rounding of sums in another order, and for dropout on a GPU. A member that ends, at its target
    or since it diverges, leaves the stack and moves no more. Seconds of an epoch are
    wall seconds of the whole stack. The global random state is left as it was.
    """
    device = examples.images.device
    train = [torch.from_numpy(member.split.train) for member in members]
    held_out = torch.stack([torch.from_numpy(m.split.validation) for m in members]).to(device)
    steps = math.ceil(len(train[0]) / recipe.batch_size)
    for member in members:
        member.model.train()
    models = [member.model for member in members]
    stack = Stack(models, recipe, steps, pixel_scale=pixel_scale, autocast=autocast)
    step = make_step(stack.update, stack.schedule, recipe.batch_size, device)
    going = list(range(len(members)))
    number = 0
    while going:
        number += 1
        started = time.perf_counter()
        streams = [members[which].streams for which in going]
        with torch.random.fork_rng():
            stack.reseed([stream.dropout_seed(number) for stream in streams])
            order = torch.stack(
                [
                    train[which][stream.order(len(train[which]), number)]
                    for which, stream in zip(going, streams, strict=True)
                ]
            )
            losses = _train_epoch(step, examples, order.to(device), recipe.batch_size)
        validation = _validate(stack, examples, held_out[going])
        seconds = time.perf_counter() - started

        ended: dict[int, Ended] = {}
        for position, which in enumerate(going):
            stopped = _after_epoch(
                members[which], recipe, number, losses[position], validation[position], seconds
            )
            if stopped is None or not stopped.diverged:
                on_epoch(which, members[which].history[-1])
            if stopped is not None:
                ended[position] = Ended(which, stopped)
                stack.write_back(position)
        if ended:
            left = [position for position in range(len(going)) if position not in ended]
            going = [going[position] for position in left]
            if going:
                stack.keep(left)
                # The weights lie elsewhere now, so a recording of the update is void.
                step = make_step(stack.update, stack.schedule, recipe.batch_size, device)
        yield from ended.values()


def _after_epoch(
    member: Member,
    recipe: Recipe,
    number: int,
    loss: EpochLoss,
    validated: tuple[float, float],
    seconds: float,
) -> Stopped | None:
    """Add the epoch to the member's history; return where it stopped, or None to go on."""
    validation_loss, accuracy = validated
    if (stopped := divergence(number, loss, validation_loss)) is not None:
        return stopped
    member.history.append(
        Epoch(
            epoch=number,
            train_loss=loss.mean,
            validation_loss=validation_loss,
            validation_accuracy=accuracy,
            seconds=seconds,
        )
    )
    reason = stop_reason(recipe, number, accuracy)
    return None if reason is None else Stopped(epoch=number, reason=reason)


def _train_epoch(
    step: Step, examples: Examples, order: torch.Tensor, batch_size: int
) -> list[EpochLoss]:
    """Take one step per batch; return what each seed's losses come to.

    order: int64 [seeds, n], indices of the examples.
    """
    chunks = order.split(batch_size, dim=1)
    sizes = [chosen.shape[1] for chosen in chunks]
    losses = [step(examples.images[chosen], examples.labels[chosen]) for chosen in chunks]
    return [epoch_loss(of_steps, sizes) for of_steps in torch.stack(losses, dim=1).cpu()]


def _validate(
    stack: Stack, examples: Examples, held_out: torch.Tensor
) -> list[tuple[float, float]]:
    """Return loss and accuracy of each seed on its validation examples, int64 [seeds, n]."""
    logits, labels = stack.logits(examples.images[held_out]), examples.labels[held_out]
    losses = F.cross_entropy(logits.transpose(1, 2), labels, reduction="none").mean(1)
    accuracies = (logits.argmax(2) == labels).double().mean(1)
    return list(zip(losses.tolist(), accuracies.tolist(), strict=True))
