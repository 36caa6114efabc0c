"""All epochs of several seeds of one entrant at once: as `fit`, for a stack of networks."""

from __future__ import annotations

import copy
import textwrap
from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass, field

import torch
from torch import nn
from torch.nn import functional as F

from bakeoff.data.split import Split
from bakeoff.engine.pixels import Pixels
from bakeoff.engine.recorded import make_step
from bakeoff.records.record import Epoch, Stopped
from bakeoff.study.protocol import Protocol
from bakeoff.study.recipe import Recipe
from bakeoff.training.clocks import Clocks
from bakeoff.training.fit import Examples, Streams, add_epoch, steps_per_epoch
from bakeoff.training.loop import train_epoch
from bakeoff.training.stacking.stack import Stack


@dataclass(frozen=True)
class Member:
    """One seed of a stack: what `fit` gets of a trial alone."""

    model: nn.Module
    """As it starts; has its trained weights when the member's training has ended."""
    split: Split
    streams: Streams
    history: list[Epoch] = field(default_factory=list)


def why_alone(
    model: nn.Module,
    recipe: Recipe,
    protocol: Protocol,
    image_shape: tuple[int, int, int],
    autocast: torch.autocast,
) -> str | None:
    """Return in one line why networks like `model` cannot be stacked, or None where they can.

    What a recipe computes of one network's weights, gradients or labels a stack does not know.

    Found out by an update and a validation pass of two tiny batches. What `torch.func.vmap` cannot
    follow is a forward pass whose way depends on numbers, or with operations of its own making.
    """
    if own := [key for key in ("clip", "average", "class_weights") if getattr(recipe, key)]:
        return f"recipe.{own[0]} is of each network alone"
    if protocol.augmentation is not None:
        return "protocol.augmentation changes the images of each seed in another way"
    twins = [copy.deepcopy(model).train() for _ in range(2)]
    device = next(model.parameters()).device
    images = torch.zeros(2, 2, *image_shape, dtype=torch.uint8, device=device)
    labels = torch.zeros(2, 2, dtype=torch.int64, device=device)
    try:
        stack = Stack(twins, Recipe(), 1, pixels=Pixels(1.0), autocast=autocast)
        with stack.seeded([0, 0]):
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
    pixels: Pixels,
    autocast: torch.autocast,
    on_epoch: Callable[[int, Epoch], None],
) -> Iterator[tuple[int, Stopped]]:
    """Train all members together; yield which ended, and where, as soon as its training ends.

    examples: all that splits may choose from, once, on the device that trains. Order of batches,
    start and stopping are those of `fit` for each member, and so are the weights, but for the
    rounding of sums in another order, and for dropout on a GPU. A member that ends, at its target
    or since it diverges, leaves the stack and moves no more. Seconds of an epoch are
    wall seconds of the whole stack.
    """
    device = examples.images.device
    train = [torch.from_numpy(member.split.train) for member in members]
    held_out = torch.stack([torch.from_numpy(m.split.validation) for m in members]).to(device)
    models = [member.model.train() for member in members]
    steps = steps_per_epoch(recipe, len(train[0]))
    stack = Stack(models, recipe, steps, pixels=pixels, autocast=autocast)
    step = make_step(stack.update, stack.schedule, recipe.batch_size, device)
    going = list(range(len(members)))
    while going:
        number = len(members[going[0]].history) + 1
        clocks = Clocks.read()
        with stack.seeded([members[which].streams.dropout_seed(number) for which in going]):
            orders = [members[which].streams.order(len(train[which]), number) for which in going]
            order = torch.stack([train[which][o] for which, o in zip(going, orders, strict=True)])
            chunks = order.to(device).split(recipe.batch_size, dim=1)
            losses = train_epoch(step, ((examples.images[c], examples.labels[c]) for c in chunks))
        validated = _validate(stack, examples, held_out[going])
        taken = clocks.taken()

        ended: dict[int, Stopped] = {}
        for position, which in enumerate(going):
            history = members[which].history
            stopped = add_epoch(history, recipe, losses[position], validated[position], taken)
            if stopped is None or not stopped.diverged:
                on_epoch(which, history[-1])
            if stopped is not None:
                ended[which] = stopped
                stack.write_back(position)
        left = [position for position, which in enumerate(going) if which not in ended]
        going = [going[position] for position in left]
        if ended and going:
            stack.keep(left)
            # The weights lie elsewhere now, so a recording of the update is void.
            step = make_step(stack.update, stack.schedule, recipe.batch_size, device)
        yield from ended.items()


def _validate(
    stack: Stack, examples: Examples, held_out: torch.Tensor
) -> list[tuple[float, float]]:
    """Return loss and accuracy of each seed on its validation examples, int64 [seeds, n]."""
    logits, labels = stack.logits(examples.images[held_out]), examples.labels[held_out]
    losses = F.cross_entropy(logits.transpose(1, 2), labels, reduction="none").mean(1)
    accuracies = (logits.argmax(2) == labels).double().mean(1)
    return list(zip(losses.tolist(), accuracies.tolist(), strict=True))
