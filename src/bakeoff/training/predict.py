"""Logits of a model, in float32 whatever precision trained it."""

from __future__ import annotations

from collections.abc import Callable

import torch
from torch import nn

from bakeoff.networks.randomness import seeded

_BATCH = 250  # Large enough to fill the cores, small enough for the caches.


@torch.inference_mode()
def predict_logits(
    model: nn.Module,
    images: torch.Tensor,
    pixels: Callable[[torch.Tensor], torch.Tensor],
    rows: torch.Tensor | None = None,
) -> torch.Tensor:
    """Return float32 logits [n, classes] of images [n, channels, height, width], mostly of bytes.

    pixels: what the network sees of them, float32 of the same shape.
    rows: int64 [n], which of the images; without it all of them, in their order.
    The model is left in evaluation mode. Should it draw random numbers even so, they are the
    same in each call.
    """
    model.eval()
    with seeded(model, 0):
        parts = (
            images.split(_BATCH) if rows is None else map(images.__getitem__, rows.split(_BATCH))
        )
        return torch.cat([model(pixels(part)) for part in parts])
