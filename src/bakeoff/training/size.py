"""What a network takes: counted on one build of nothing but shapes, and measured once trained."""

from __future__ import annotations

import statistics
import time
from dataclasses import dataclass

import torch
from torch import nn
from torch.utils.flop_counter import FlopCounterMode

from bakeoff.data.dataset import Dataset
from bakeoff.networks.catalogue import Architecture, architecture
from bakeoff.networks.randomness import OwnGenerator
from bakeoff.records.record import Cost
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

    PyTorch's global generator is not drawn from. Raises StudyError where there is no such network.
    """
    make = architecture(name)
    with OwnGenerator(0):
        try:
            return _size_on("meta", make, image_shape, classes)
        except (RuntimeError, TypeError):
            # Its way depends on numbers, which this device has none of.
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


@torch.inference_mode()
def milliseconds_per_image(model: nn.Module, images: torch.Tensor, repeats: int) -> float:
    """Return the median wall milliseconds per image of `repeats` forward passes over `images`.

    images: float32 [n, channels, height, width], taken as one batch. One pass warms up.
    """
    seconds = []
    for _ in range(repeats + 1):
        started = time.perf_counter()
        # Fetching one number waits for the arithmetic where the device works on its own.
        model(images)[0, 0].item()
        seconds.append(time.perf_counter() - started)
    return 1000 * statistics.median(seconds[1:]) / len(images)


def measure_cost(
    model: nn.Module, size: NetworkSize, images: torch.Tensor, pixel_scale: float
) -> Cost:
    """Return the cost of `model` on uint8 images [n, channels, height, width], n up to 1,000."""
    model.eval()
    pixels = images.float().mul_(pixel_scale)
    thousand = pixels[torch.arange(1000, device=pixels.device) % len(pixels)]
    return Cost(
        multiply_adds_per_image=size.multiply_adds_per_image,
        milliseconds_per_image_batch_1=milliseconds_per_image(model, pixels[:1], repeats=30),
        milliseconds_per_image_batch_1000=milliseconds_per_image(model, thousand, repeats=3),
    )
