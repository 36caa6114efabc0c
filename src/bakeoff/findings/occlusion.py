"""Where a network looks: what it says of an image of which a part is covered.

Zeiler & Fergus, "Visualizing and Understanding Convolutional Networks", 2014, section 4.2, with
three choices. What is followed is the log-odds of a class, log(p / (1 - p)), in nats: where a
network is sure, its probability hardly moves. What covers is the mean training image, so that
nothing is put where no image ever has anything. And it covers smoothly: fully in the middle, less
towards its edge, so that the network sees no edge that only the covering makes.
"""

from __future__ import annotations

import time
from collections.abc import Callable

import numpy as np
import torch
from numpy.typing import NDArray
from torch import nn

from bakeoff.findings.view import Occlusion
from bakeoff.training.predict import predict_logits

_STEPS = 10
"""Coverings along the longer side, where it has so many pixels."""
_RADIUS = 2.0
"""Steps from the middle of a covering to its edge; halfway it covers half.

So coverings overlap to the same everywhere, but for the edge of the image."""


@torch.no_grad()
def occluded(
    model: nn.Module,
    image: NDArray[np.uint8],
    fill: NDArray[np.float64],
    pixels: Callable[[torch.Tensor], torch.Tensor],
) -> Occlusion:
    """Return what each covering takes from the evidence for the two likeliest classes.

    image, fill: [channels, height, width]; what covers is `fill`. The network is left in evaluation
    mode.
    """
    began = time.perf_counter()
    windows = _windows(image.shape[1], image.shape[2])
    rows, columns, height, width = windows.shape
    whole, filled = (torch.tensor(each, dtype=torch.float32) for each in (image, fill))
    coverings = windows.view(-1, 1, height, width)
    covered = torch.cat([whole[None], whole + coverings * (filled - whole)])
    logits = predict_logits(model, covered, pixels).double()
    classes = logits[0].topk(2).indices
    evidence = torch.stack([_log_odds(logits, each) for each in classes.tolist()])
    drops = (evidence[:, :1] - evidence[:, 1:]).view(2, rows, columns)
    weights = windows.double()
    maps = torch.einsum("crs,rshw->chw", drops, weights) / weights.sum((0, 1))
    first, second = classes.tolist()
    return Occlusion(
        classes=(first, second),
        drops=drops.float().numpy(),
        maps=maps.float().numpy(),
        passes=len(covered),
        seconds=time.perf_counter() - began,
    )


def _log_odds(logits: torch.Tensor, of: int) -> torch.Tensor:
    """Return log(p / (1 - p)) of a class, [n], of logits [n, classes]."""
    others = torch.cat([logits[:, :of], logits[:, of + 1 :]], dim=1)
    return logits[:, of] - others.logsumexp(1)


def _windows(height: int, width: int) -> torch.Tensor:
    """Return how much each covering covers of each pixel, in [0, 1], [rows, columns, h, w]."""
    step = max(1.0, max(height, width) / _STEPS)
    down, across = (_along(side, step) for side in (height, width))
    return torch.einsum("rh,cw->rchw", down, across)


def _along(side: int, step: float) -> torch.Tensor:
    """Return the same along one side, [coverings, pixels]: squared cosines (Hann's window)."""
    count = max(1, round(side / step))
    middles = (torch.arange(count) + 0.5) * (side / count)
    away = (torch.arange(side) + 0.5 - middles[:, None]).abs() / (_RADIUS * step)
    return torch.where(away < 1, torch.cos(away * (np.pi / 2)) ** 2, 0.0)
