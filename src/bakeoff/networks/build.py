"""A network as a seed starts it."""

from __future__ import annotations

from torch import nn

from bakeoff.networks.catalogue import architecture
from bakeoff.networks.initialisation import SCHEMES
from bakeoff.networks.randomness import OwnGenerator


def build(
    name: str, image_shape: tuple[int, int, int], classes: int, *, initialisation: str, seed: int
) -> nn.Module:
    """Return the network called `name` with weights that depend on `seed` alone.

    PyTorch's global generator is neither drawn from nor seeded. Raises StudyError where there is
    no such network.
    """
    make = architecture(name)
    with OwnGenerator(seed):
        model = make(image_shape, classes)
        SCHEMES[initialisation](model)
    return model
