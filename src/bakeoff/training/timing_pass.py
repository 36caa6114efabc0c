"""What a training step costs, measured in turns so that a drifting machine is fair to all."""

from __future__ import annotations

import math
import time
from collections.abc import Callable
from dataclasses import dataclass

import numpy as np
import torch
from numpy.typing import NDArray

from bakeoff.data.dataset import Dataset
from bakeoff.data.order import batches, epoch_order
from bakeoff.engine import fast
from bakeoff.engine.devices import place
from bakeoff.engine.recorded import make_step
from bakeoff.engine.step import make_update
from bakeoff.networks.randomness import seeded
from bakeoff.study.study import Entrant, Study
from bakeoff.training.loop import train_epoch
from bakeoff.training.optimizers import make_optimizer, make_schedule
from bakeoff.training.trial import autocast_for, build_entrant, pixel_scale, to_device


@dataclass(frozen=True)
class StepSeconds:
    """Seconds per training example, measured in interleaved bursts."""

    entrants: tuple[str, ...]
    seconds_per_example: NDArray[np.float64]
    """[entrants, rounds], wall seconds."""


def measure_bursts(
    study: Study,
    dataset: Dataset,
    *,
    device: torch.device,
    precision: str,
    rounds: int = 10,
    examples: int = 500,
) -> StepSeconds:
    """Return what a training example costs each entrant.

    In every round each entrant takes steps over `examples` training examples, one entrant after
    the other, each round in the reverse order of the one before. So a slow second hits all alike,
    and a ratio within one round is worth more than two trials timed minutes apart. The networks
    are built for this and thrown away.
    """
    examples = min(examples, len(dataset.train_images))
    bursts = [
        make_burst(study, e, dataset, device=device, precision=precision, examples=examples)
        for e in study.entrants
    ]
    seconds = np.empty((len(bursts), rounds))
    forwards = list(range(len(bursts)))
    for burst in bursts:
        burst()
    for number in range(rounds):
        for which in forwards if number % 2 == 0 else reversed(forwards):
            started = time.perf_counter()
            bursts[which]()
            seconds[which, number] = (time.perf_counter() - started) / examples
    names = tuple(entrant.name for entrant in study.entrants)
    return StepSeconds(names, seconds)


def make_burst(
    study: Study,
    entrant: Entrant,
    dataset: Dataset,
    *,
    device: torch.device,
    precision: str,
    examples: int,
) -> Callable[[], object]:
    """Return a function that trains one entrant on the same `examples` each time it is called."""
    recipe = entrant.recipe
    model = place(build_entrant(study, entrant, 0, dataset), device)
    optimizer = make_optimizer(model, recipe)
    schedule = make_schedule(optimizer, recipe, math.ceil(examples / recipe.batch_size))
    chosen = epoch_order(
        len(dataset.train_images), study_seed=study.study_seed, trial_seed=0, epoch=0
    )[:examples]
    train = to_device(dataset.train_images, dataset.train_labels, chosen.numpy(), device)
    order = torch.arange(len(train), device=device)
    scale, autocast = pixel_scale(study.protocol), autocast_for(device, precision)

    twin = fast(model)
    update = make_update(twin, optimizer, scale, autocast, recipe.label_smoothing)
    step = make_step(update, schedule, recipe.batch_size, device)

    def burst() -> object:
        twin.train()
        with seeded(twin, 0):
            (loss,) = train_epoch(
                step, batches(train.images, train.labels, order, recipe.batch_size)
            )
        return loss

    return burst
