"""One epoch of training, with nothing between the steps."""

from __future__ import annotations

from collections.abc import Callable, Iterable
from dataclasses import dataclass, field

import torch

from bakeoff.engine.step import Step


@dataclass(frozen=True)
class EpochLoss:
    """The training loss of one epoch."""

    mean: float
    """Mean cross-entropy over the examples, in nats."""
    not_finite_at: int | None
    """The first step, counted from 1, whose loss was not finite."""


@dataclass
class StepLosses:
    """The losses of an epoch's steps so far."""

    of_steps: list[torch.Tensor] = field(default_factory=list)
    """One each, or [seeds] of a stack. They stay tensors: reading one each step would make Python
    wait for the arithmetic."""
    sizes: list[int] = field(default_factory=list)
    """Of the batches."""

    def mean(self) -> list[EpochLoss]:
        """Return the mean cross-entropy of each network that the steps train."""
        together = torch.stack(self.of_steps, dim=-1).reshape(-1, len(self.sizes))
        return [_epoch_loss(each, torch.tensor(self.sizes)) for each in together.double().cpu()]


def train_epoch(
    step: Step,
    batches: Iterable[tuple[torch.Tensor, torch.Tensor]],
    losses: StepLosses | None = None,
    after_step: Callable[[StepLosses], None] = lambda losses: None,
) -> list[EpochLoss]:
    """Take one step per batch; return the mean cross-entropy of each network that they train.

    batches: (uint8 images [b, channels, height, width], int64 labels [b]), in front of both the
    seeds of a stack, if it is one; mixed labels are float32 [b, classes]. Each example's loss is
    taken before the step that it leads to.
    losses: of the steps before, where these are not the first of the epoch.
    """
    losses = StepLosses() if losses is None else losses
    for images, labels in batches:
        losses.of_steps.append(step(images, labels))
        losses.sizes.append(images.shape[-4])
        after_step(losses)
    return losses.mean()


def _epoch_loss(of_steps: torch.Tensor, sizes: torch.Tensor) -> EpochLoss:
    mean = (of_steps * sizes).sum().item() / int(sizes.sum())
    wrong = of_steps.isfinite().logical_not().nonzero()
    return EpochLoss(mean, not_finite_at=int(wrong[0]) + 1 if len(wrong) else None)
