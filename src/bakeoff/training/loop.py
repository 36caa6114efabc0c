"""One epoch of training, with nothing between the steps."""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass

import torch
from torch import nn
from torch.nn import functional as F
from torch.optim import Optimizer
from torch.optim.lr_scheduler import LRScheduler


@dataclass(frozen=True)
class EpochLoss:
    """The training loss of one epoch."""

    mean: float
    """Mean cross-entropy over the examples, in nats."""
    not_finite_at: int | None
    """The first step, counted from 1, whose loss was not finite."""


def train_epoch(
    model: nn.Module,
    optimizer: Optimizer,
    schedule: LRScheduler,
    batches: Iterable[tuple[torch.Tensor, torch.Tensor]],
    pixel_scale: float,
    autocast: torch.autocast,
) -> EpochLoss:
    """Take one optimizer step per batch; return the mean cross-entropy over the examples.

    batches: (uint8 images [b, channels, height, width], int64 labels [b]). Pixels are multiplied
    by `pixel_scale`; the forward pass runs under `autocast`. Each example's loss is taken before
    the step that it leads to.
    """
    model.train()
    # The losses stay tensors: reading one each step would make Python wait for the arithmetic.
    losses: list[torch.Tensor] = []
    sizes: list[int] = []
    for images, labels in batches:
        with autocast:
            loss = F.cross_entropy(model(images.float().mul_(pixel_scale)), labels)
        optimizer.zero_grad()
        loss.backward()
        optimizer.step()
        schedule.step()
        losses.append(loss.detach())
        sizes.append(len(labels))
    of_steps = torch.stack(losses).double().cpu()
    mean = (of_steps * torch.tensor(sizes)).sum().item() / sum(sizes)
    wrong = of_steps.isfinite().logical_not().nonzero()
    return EpochLoss(mean, not_finite_at=int(wrong[0]) + 1 if len(wrong) else None)
