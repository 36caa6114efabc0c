"""What one image costs: multiply-adds as counted before, milliseconds measured."""

from __future__ import annotations

import statistics
import time

import torch
from torch import nn

from bakeoff.records.record import Cost
from bakeoff.training.size import NetworkSize


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
