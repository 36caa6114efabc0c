"""Logits of a model, in float32 whatever precision trained it."""

from __future__ import annotations

import torch
from torch import nn

from bakeoff.networks.randomness import seeded

_BATCH = 250  # Large enough to fill the cores, small enough for the caches.


@torch.inference_mode()
def predict_logits(model: nn.Module, images: torch.Tensor, pixel_scale: float) -> torch.Tensor:
    """Return float32 logits [n, classes] of uint8 images [n, channels, height, width].

    The model is left in evaluation mode. Pixels are multiplied by `pixel_scale`. Should it draw
    random numbers even so, they are the same in each call.
    """
    model.eval()
    with seeded(model, 0):
        return torch.cat([model(part.float().mul_(pixel_scale)) for part in images.split(_BATCH)])
