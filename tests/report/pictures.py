"""Pictures that no camera took: seeded digits, looks and mistakes."""

from __future__ import annotations

from dataclasses import replace

import numpy as np
from numpy.typing import NDArray

from bakeoff.findings.mistakes import Mistake
from bakeoff.findings.view import Activation, Filters, LayerMaps, Occlusion, View

ANIMALS = ("cat", "dog", "owl", "fox", "elk", "bee", "ant", "hen", "cow", "small pig")
"""Ten classes that are no digits."""


def digit(rng: np.random.Generator) -> NDArray[np.uint8]:
    """Return a thick wandering stroke, uint8 [1, 28, 28]."""
    turns = rng.normal(0, 0.35, 60).cumsum() + rng.uniform(0, 6)
    path = np.stack([np.sin(turns), np.cos(turns)], 1).cumsum(0)
    path = 6 + 16 * (path - path.min(0)) / np.ptp(path, axis=0).clip(1)
    rows, columns = np.mgrid[:28, :28]
    distance = np.hypot(rows[..., None] - path[:, 0], columns[..., None] - path[:, 1]).min(-1)
    pixels: NDArray[np.uint8] = (255 * np.clip(2.2 - distance, 0, 1)).astype(np.uint8)
    return pixels[None]


def view(entrant: str, index: int = 7) -> View:
    """Return a network with 32 filters of 5 x 5 and two convolutions."""
    rng = np.random.default_rng(index)
    image = digit(rng)
    filters = rng.normal(0, 0.2, (32, 1, 5, 5)).astype(np.float32)
    padded = np.pad(image[0] / 255, 2)
    windows = np.lib.stride_tricks.sliding_window_view(padded, (5, 5))
    first = np.einsum("hwij,cij->chw", windows, filters[:, 0]).astype(np.float32)
    pooled = np.maximum(first, 0).reshape(32, 14, 2, 14, 2).max((2, 4))
    second = np.einsum("chw,dc->dhw", pooled, rng.normal(0, 0.2, (64, 32))).astype(np.float32)
    probabilities = np.full(10, 0.001, np.float32)
    probabilities[4] = 0.991
    drops = rng.normal(0, 2, (2, 10, 10)).astype(np.float32)
    return View(
        entrant=entrant,
        seed=0,
        index=index,
        image=image,
        light_on_dark=True,
        classes=tuple("0123456789"),
        label=4,
        channel=0,
        probabilities=probabilities,
        occlusion=Occlusion(
            classes=(4, 0),
            drops=drops,
            maps=drops.repeat(3, axis=1).repeat(3, axis=2)[:, 1:29, 1:29],
            passes=101,
            seconds=0.213,
        ),
        filters=Filters(filters, np.abs(first).max((1, 2)), dead=(3,), images=100),
        places=(
            LayerMaps("conv1", "convolution", 1, first, _cut_off(first)),
            LayerMaps("conv2", "convolution", 2, second, _cut_off(second)),
        ),
        attention=None,
        class_weights=None,
        summary="2 convolutions with 32 and 64 channels",
    )


def _cut_off(maps: NDArray[np.float32]) -> Activation:
    return Activation("ReLU", (), maps, np.maximum(maps, 0))


def weight_look(entrant: str) -> View:
    """Return a network of one linear layer: a weight image for each class."""
    rng = np.random.default_rng(3)
    return replace(
        view(entrant),
        image=digit(rng),
        probabilities=np.full(10, 0.1, np.float32),
        filters=None,
        places=(),
        class_weights=rng.normal(0, 0.3, (10, 28, 28)).astype(np.float32),
        summary="one linear layer: a weight image for each class",
    )


def mistake(number: int) -> Mistake:
    """Return one of many mistakes; every fifth has a label that is known to be wrong."""
    rng = np.random.default_rng(number)
    label = int(rng.integers(10))
    return Mistake(
        index=int(rng.integers(10_000)),
        image=digit(rng),
        label=label,
        predicted=(label + int(rng.integers(1, 10))) % 10,
        probability=float(1 - rng.uniform(0, 0.01) * (number % 100)),
        wrong=1,
        trials=1,
        known_wrong_label=number % 5 == 0,
    )


def hard_image(number: int, trials: int) -> Mistake:
    """Return an image that all trials but `number` get wrong."""
    return replace(mistake(100 + number), wrong=max(trials - number, 1), trials=trials)
