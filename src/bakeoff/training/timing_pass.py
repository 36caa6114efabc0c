"""What the entrants cost, measured in turns so that a drifting machine is fair to all."""

from __future__ import annotations

import math
import statistics
import time
from collections.abc import Callable, Mapping
from functools import partial

import numpy as np
import torch
from torch import nn

from bakeoff.data.dataset import Dataset
from bakeoff.data.order import epoch_order
from bakeoff.data.split import split_of
from bakeoff.engine import fast
from bakeoff.networks.randomness import seeded
from bakeoff.records.record import NOTICEABLE
from bakeoff.records.timing_file import Timing
from bakeoff.records.working import machine_name
from bakeoff.study.study import Entrant, Study
from bakeoff.training.clocks import Clocks
from bakeoff.training.fit import Examples, step_of
from bakeoff.training.loop import train_epoch
from bakeoff.training.moving import Moving
from bakeoff.training.predict import predict_logits
from bakeoff.training.trial import (
    augmenter_of,
    autocast_for,
    build_entrant,
    class_weights_of,
    code_of,
    examples_of,
    pixels_of,
)

Clock = Callable[[], float]
Turn = Callable[[], float]
"""Does one entrant's work once, and returns what it took."""

_LONG = 1.0
"""Seconds: a pass that takes so long need not be repeated to be told from noise."""


def measure_timing(
    study: Study,
    dataset: Dataset,
    *,
    device: torch.device,
    precision: str,
    rounds: int = 10,
    seconds: float = 0.02,
) -> Timing | None:
    """Return what the entrants cost, or None where others disturbed the measurement.

    In every round each entrant trains for about `seconds`, one after the other, each round in the
    reverse order of the one before. So a slow second hits all alike, and a ratio within one round
    is worth more than two trials timed minutes apart. A turn is an epoch in small: training
    examples, and the share of the validation images that goes with them. The networks are built
    for this and thrown away.

    One thread works all the time that it has a core, so its processor seconds are what its wall
    seconds would be with nothing else at work. Of several threads, or a GPU, wall seconds are
    taken, and only where others left the cores alone.
    """
    alone = device.type == "cpu" and torch.get_num_threads() == 1
    # Of this thread: another one may still import what the report needs.
    clock = time.thread_time if alone else time.perf_counter
    began = Clocks.read()
    train = all_examples(dataset, device)
    pixels = pixels_of(study.protocol, dataset, device)
    thousand = pixels(train.images[torch.arange(1000, device=device) % len(train)])
    epochs, singles, thousands, longest = {}, {}, {}, 0.0
    for entrant in study.entrants:
        burst = partial(make_burst, study, entrant, dataset, train, precision=precision)
        with code_of(entrant):
            epoch = _small_epoch(study, entrant, dataset, burst, seconds, clock)
            model = build_entrant(study, entrant, 0, dataset, device).eval()
        passes = partial(milliseconds_per_image, model, clock=clock)
        epochs[entrant.name] = _told(entrant, epoch)
        singles[entrant.name] = _told(entrant, partial(passes, thousand[:1], 5))
        one = _told(entrant, partial(_seconds_of_pass, model, thousand, clock))
        longest = max(longest, one())  # It warms up, too.
        thousands[entrant.name] = one
    timing = Timing(
        _rounds(epochs, rounds),
        _rounds(singles, 3),
        # Of a thousand images, so these seconds are milliseconds per image.
        _rounds(thousands, 3 if longest < _LONG else 1),
        machine_name(),
    )
    others = began.taken().others or 0.0
    return timing if alone or others < NOTICEABLE else None


def _told(entrant: Entrant, turn: Turn) -> Turn:
    """Return the same turn, which names the entrant where its code fails."""

    def told_turn() -> float:
        with code_of(entrant):
            return turn()

    return told_turn


def _rounds(turns: Mapping[str, Turn], rounds: int) -> dict[str, list[float]]:
    """Return what each turn took in each round."""
    took: dict[str, list[float]] = {name: [] for name in turns}
    for number in range(rounds):
        for name in list(turns) if number % 2 == 0 else list(turns)[::-1]:
            took[name].append(turns[name]())
    return took


def _small_epoch(
    study: Study,
    entrant: Entrant,
    dataset: Dataset,
    burst: Callable[..., Callable[[], object]],
    seconds: float,
    clock: Clock,
) -> Turn:
    """Return a turn of about so many seconds, which returns the seconds per training example."""
    split = split_of(study, 0, dataset)
    size = entrant.recipe.batch_size
    few = min(4 * size, len(split.train))
    first = burst(examples=few)
    first()  # What is done once, such as finding the fastest way to convolve.
    asked = math.ceil(few * seconds / _took(first, clock))
    # In whole batches: of a single image batch normalisation can take none.
    examples = min(max(asked // size * size, few), len(split.train))
    validation = math.ceil(examples * len(split.validation) / len(split.train))
    small = burst(examples=examples, validation=validation)
    small()
    return lambda: _took(small, clock) / examples


def _took(work: Callable[[], object], clock: Clock) -> float:
    started = clock()
    work()
    return clock() - started


@torch.inference_mode()
def _seconds_of_pass(model: nn.Module, images: torch.Tensor, clock: Clock) -> float:
    started = clock()
    # Fetching one number waits for the arithmetic where the device works on its own.
    model(images)[0, 0].item()
    return clock() - started


def milliseconds_per_image(
    model: nn.Module,
    images: torch.Tensor,
    repeats: int,
    clock: Callable[[], float] = time.perf_counter,
) -> float:
    """Return the median milliseconds per image of `repeats` forward passes over `images`.

    images: float32 [n, channels, height, width], taken as one batch. One pass warms up.
    """
    seconds = [_seconds_of_pass(model, images, clock) for _ in range(repeats + 1)]
    return 1000 * statistics.median(seconds[1:]) / len(images)


def all_examples(dataset: Dataset, device: torch.device) -> Examples:
    """Return all training images and labels on `device`."""
    every = np.arange(len(dataset.train_images))
    return examples_of(dataset, "train", every, device)


def make_burst(
    study: Study,
    entrant: Entrant,
    dataset: Dataset,
    train: Examples,
    *,
    precision: str,
    examples: int,
    validation: int = 0,
) -> Callable[[], object]:
    """Return a function that trains one entrant on the same `examples` each time it is called.

    It scores `validation` images afterwards, as an epoch does. All are gathered from `train`, the
    whole data set, as far from each other in memory as those of an epoch.
    """
    device = train.images.device
    recipe = entrant.recipe
    model = build_entrant(study, entrant, 0, dataset, device)
    moving = Moving.of(model, recipe, math.ceil(examples / recipe.batch_size))
    order = epoch_order(len(train), study_seed=study.study_seed, trial_seed=0, epoch=0).to(device)
    pixels = pixels_of(study.protocol, dataset, device)

    twin = fast(model)
    step = step_of(
        twin,
        moving,
        recipe,
        pixels=pixels,
        autocast=autocast_for(device, precision),
        class_weights=class_weights_of(recipe, train.labels, dataset),
    )

    augmenter = augmenter_of(study, 0, dataset)
    changed = None if augmenter is None else augmenter.of_epoch(len(train), 0, device)

    def burst() -> object:
        twin.train()
        shuffled = (
            train.batches(order[:examples], recipe.batch_size)
            if changed is None
            else changed.batches(train.batches, order[:examples], recipe.batch_size)
        )
        with seeded(twin, 0):
            (loss,) = train_epoch(step, shuffled)
        if validation:
            # Fetching a number waits for the arithmetic where the device works on its own.
            predict_logits(twin, train.images[order[-validation:]], pixels)[0, 0].item()
        return loss

    return burst
