"""A network as a seed starts it, and what is known of it without one."""

from __future__ import annotations

from dataclasses import dataclass

import torch
from torch import nn
from torch.utils.flop_counter import FlopCounterMode

from bakeoff.networks.catalogue import Architecture, architecture
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


@dataclass(frozen=True)
class NetworkSize:
    """What is known of a network before it is trained."""

    parameters: int
    """Numbers that training adjusts."""
    state_bytes: int
    """Bytes of its weights and buffers."""
    multiply_adds_per_image: int
    """Of one forward pass; activations, pooling, normalising and biases are not counted."""


def size_of(name: str, image_shape: tuple[int, int, int], classes: int) -> NetworkSize:
    """Return the size of the network called `name`, of which nothing but shapes is made.

    The global random state is left as it was. Raises StudyError where there is no such network.
    """
    make = architecture(name)
    try:
        return _size_on("meta", make, image_shape, classes)
    except (RuntimeError, TypeError):
        # Its way depends on numbers, which this device has none of.
        with torch.random.fork_rng(devices=[]):
            return _size_on("cpu", make, image_shape, classes)


def _size_on(
    device: str, make: Architecture, image_shape: tuple[int, int, int], classes: int
) -> NetworkSize:
    with torch.device(device):
        model = make(image_shape, classes).eval()
        image = torch.zeros(1, *image_shape)
    with torch.inference_mode(), FlopCounterMode(display=False) as counter:
        model(image)
    return NetworkSize(
        parameters=sum(each.numel() for each in model.parameters() if each.requires_grad),
        state_bytes=sum(each.nbytes for each in model.state_dict().values()),
        # torch counts a multiply-add as two operations.
        multiply_adds_per_image=counter.get_total_flops() // 2,
    )
