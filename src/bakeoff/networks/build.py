"""A network as a seed starts it."""

from __future__ import annotations

import torch
from torch import nn

from bakeoff.networks.catalogue import architecture
from bakeoff.networks.initialisation import SCHEMES


def build(
    name: str, image_shape: tuple[int, int, int], classes: int, *, initialisation: str, seed: int
) -> nn.Module:
    """Return the network called `name` with weights that depend on `seed` alone.

    The global random state is left as it was. Raises StudyError where there is no such network.
    """
    make = architecture(name)
    with torch.random.fork_rng(devices=[]):
        torch.manual_seed(seed)
        model = make(image_shape, classes)
        SCHEMES[initialisation](model)
    return model
