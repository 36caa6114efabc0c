"""One epoch of training, with nothing between the steps."""

from __future__ import annotations

from collections.abc import Iterable

import torch
from torch import nn
from torch.nn import functional as F
from torch.optim import Optimizer
from torch.optim.lr_scheduler import LRScheduler


def train_epoch(
    model: nn.Module,
    optimizer: Optimizer,
    schedule: LRScheduler,
    batches: Iterable[tuple[torch.Tensor, torch.Tensor]],
    pixel_scale: float,
    autocast: torch.autocast,
) -> float:
    """Take one optimizer step per batch; return the mean cross-entropy over the examples.

    batches: (uint8 images [b, channels, height, width], int64 labels [b]). Pixels are multiplied
    by `pixel_scale`; the forward pass runs under `autocast`. Each example's loss is taken before
    the step that it leads to.
    """
    model.train()
    # The sum stays a tensor: reading it each step would make Python wait for the arithmetic.
    loss_sum = torch.zeros((), dtype=torch.float64, device=next(model.parameters()).device)
    examples = 0
    for images, labels in batches:
        with autocast:
            loss = F.cross_entropy(model(images.float().mul_(pixel_scale)), labels)
        optimizer.zero_grad()
        loss.backward()
        optimizer.step()
        schedule.step()
        loss_sum += loss.detach() * len(labels)
        examples += len(labels)
    return loss_sum.item() / examples
