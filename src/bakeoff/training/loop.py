"""One epoch of training, with nothing between the steps."""

from __future__ import annotations

from collections.abc import Iterable

import torch
from torch import nn

from bakeoff.training.steps import Step


def train_epoch(
    model: nn.Module, step: Step, batches: Iterable[tuple[torch.Tensor, torch.Tensor]]
) -> float:
    """Take one step of `model` per batch; return the mean cross-entropy over the examples.

    batches: (uint8 images [b, channels, height, width], int64 labels [b]). Each example's loss is
    taken before the step that it leads to.
    """
    model.train()
    # The sum stays a tensor: reading it each step would make Python wait for the arithmetic.
    loss_sum = torch.zeros((), dtype=torch.float64, device=next(model.parameters()).device)
    examples = 0
    for images, labels in batches:
        loss_sum += step(images, labels) * len(labels)
        examples += len(labels)
    return loss_sum.item() / examples
