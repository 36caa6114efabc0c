"""One epoch of training, with nothing between the steps."""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass

import torch

from bakeoff.engine.step import Step


@dataclass(frozen=True)
class EpochLoss:
    """The training loss of one epoch."""

    mean: float
    """Mean cross-entropy over the examples, in nats."""
    not_finite_at: int | None
    """The first step, counted from 1, whose loss was not finite."""


def train_epoch(
    step: Step, batches: Iterable[tuple[torch.Tensor, torch.Tensor]]
) -> list[EpochLoss]:
    """Take one step per batch; return the mean cross-entropy of each network that they train.

    batches: (uint8 images [b, channels, height, width], int64 labels [b]), in front of both the
    seeds of a stack, if it is one. Each example's loss is taken before the step that it leads to.
    """
    # The losses stay tensors: reading one each step would make Python wait for the arithmetic.
    losses: list[torch.Tensor] = []
    sizes: list[int] = []
    for images, labels in batches:
        losses.append(step(images, labels))
        sizes.append(labels.shape[-1])
    of_networks = torch.stack(losses, dim=-1).reshape(-1, len(sizes)).double().cpu()
    return [_epoch_loss(of_steps, torch.tensor(sizes)) for of_steps in of_networks]


def _epoch_loss(of_steps: torch.Tensor, sizes: torch.Tensor) -> EpochLoss:
    mean = (of_steps * sizes).sum().item() / int(sizes.sum())
    wrong = of_steps.isfinite().logical_not().nonzero()
    return EpochLoss(mean, not_finite_at=int(wrong[0]) + 1 if len(wrong) else None)
