"""The architectures by name, and how one is built from a seed."""

from __future__ import annotations

from collections.abc import Callable

import torch
from torch import nn

from bakeoff.errors import StudyError, look_up
from bakeoff.networks.convolutional import cnn_1conv, cnn_2conv, cnn_2conv_dropout
from bakeoff.networks.initialisation import initialise
from bakeoff.networks.linear import logistic_regression, mlp_2x200
from bakeoff.networks.normalised import cnn_3conv

Builder = Callable[[tuple[int, int, int], int], nn.Module]
"""(channels, height, width), number of classes -> a network that maps images to logits."""

ARCHITECTURES: dict[str, Builder] = {
    "logistic-regression": logistic_regression,
    "mlp-2x200": mlp_2x200,
    "cnn-1conv": cnn_1conv,
    "cnn-2conv": cnn_2conv,
    "cnn-2conv-dropout": cnn_2conv_dropout,
    "cnn-3conv": cnn_3conv,
}


def build(
    name: str, image_shape: tuple[int, int, int], classes: int, *, initialisation: str, seed: int
) -> nn.Module:
    """Return the network called `name` with weights that depend on `seed` alone.

    It maps float32 images [n, channels, height, width] to logits [n, classes]. The global random
    state is left as it was. Raises StudyError, with the nearest name, where there is none.
    """
    architecture = look_up(name, ARCHITECTURES, "unknown architecture", StudyError)
    with torch.random.fork_rng(devices=[]):
        torch.manual_seed(seed)
        model = architecture(image_shape, classes)
        initialise(model, initialisation)
    return model


def count_parameters(model: nn.Module) -> int:
    """Return how many numbers training adjusts."""
    return sum(p.numel() for p in model.parameters() if p.requires_grad)
