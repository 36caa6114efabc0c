"""What is known of a network before it is trained, from one build of nothing but shapes."""

from __future__ import annotations

from dataclasses import dataclass

import torch
from torch.utils.flop_counter import FlopCounterMode

from bakeoff.data.dataset import Dataset
from bakeoff.networks.catalogue import Architecture, architecture
from bakeoff.study.study import Study


@dataclass(frozen=True)
class NetworkSize:
    """How large a network is."""

    parameters: int
    """Numbers that training adjusts."""
    state_bytes: int
    """Bytes of its weights and buffers."""
    multiply_adds_per_image: int
    """Of one forward pass; activations, pooling, normalising and biases are not counted."""


def network_sizes(study: Study, dataset: Dataset) -> dict[str, NetworkSize]:
    """Return how large the network of each entrant is, by the entrant's name."""
    shape, classes = dataset.image_shape, len(dataset.classes)
    architectures = {entrant.architecture for entrant in study.entrants}
    sizes = {name: size_of(name, shape, classes) for name in architectures}
    return {entrant.name: sizes[entrant.architecture] for entrant in study.entrants}


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
