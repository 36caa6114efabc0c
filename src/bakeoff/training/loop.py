"""One epoch of training, with nothing between the steps."""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from dataclasses import dataclass

import torch
from torch import nn

from bakeoff.engine.step import Step


@dataclass(frozen=True)
class EpochLoss:
    """The training loss of one epoch."""

    mean: float
    """Mean cross-entropy over the examples, in nats."""
    not_finite_at: int | None
    """The first step, counted from 1, whose loss was not finite."""


def train_epoch(
    model: nn.Module, step: Step, batches: Iterable[tuple[torch.Tensor, torch.Tensor]]
) -> EpochLoss:
    """Take one step of `model` per batch; return the mean cross-entropy over the examples.

    batches: (uint8 images [b, channels, height, width], int64 labels [b]). Each example's loss is
    taken before the step that it leads to.
    """
    model.train()
    # The losses stay tensors: reading one each step would make Python wait for the arithmetic.
    losses: list[torch.Tensor] = []
    sizes: list[int] = []
    for images, labels in batches:
        losses.append(step(images, labels))
        sizes.append(len(labels))
    return epoch_loss(torch.stack(losses), sizes)


def epoch_loss(of_steps: torch.Tensor, sizes: Sequence[int]) -> EpochLoss:
    """Return what the losses of all steps, [steps], over batches of these sizes come to."""
    losses = of_steps.double().cpu()
    mean = (losses * torch.tensor(sizes)).sum().item() / sum(sizes)
    wrong = losses.isfinite().logical_not().nonzero()
    return EpochLoss(mean, not_finite_at=int(wrong[0]) + 1 if len(wrong) else None)
