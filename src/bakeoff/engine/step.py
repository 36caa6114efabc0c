"""What one step of training is: an update of the weights, then the next learning rate."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass

import torch
from torch import nn
from torch.nn.utils import clip_grad_norm_
from torch.optim import Optimizer
from torch.optim.lr_scheduler import LRScheduler

from bakeoff.engine import LeanAdam, LinearChain, lean
from bakeoff.engine.average import Average
from bakeoff.engine.loss import PLAIN, CrossEntropy
from bakeoff.engine.pixels import Pixels

Update = Callable[[torch.Tensor, torch.Tensor], torch.Tensor]
"""(uint8 images, int64 labels) of one batch -> its loss before the update; moves the weights once.

It touches nothing but tensors on their device and never waits for a number, so a CUDA graph can
record it.
"""


@dataclass(frozen=True)
class Step:
    """One step of training: an update of the weights, then of the learning rate."""

    update: Update
    schedule: LRScheduler
    average: Average | None = None
    """What follows the weights, where they are averaged."""

    def __call__(self, images: torch.Tensor, labels: torch.Tensor) -> torch.Tensor:
        """Take the step; return the loss before it, which is not to be changed."""
        loss = self.update(images, labels)
        self.schedule.step()
        if self.average is not None:
            self.average.follow()
        return loss


@dataclass(frozen=True)
class PlainUpdate:
    """The update of one network: forward under `autocast`, backward, optimizer."""

    model: nn.Module
    optimizer: Optimizer | LeanAdam
    pixels: Pixels
    autocast: torch.autocast
    loss: CrossEntropy = PLAIN
    clip: float | None = None

    def __call__(self, images: torch.Tensor, labels: torch.Tensor) -> torch.Tensor:
        """Return the mean cross-entropy of uint8 images [b, channels, height, width]."""
        with self.autocast:
            logits = self.model(self.pixels(images))
            loss = self.loss(logits, labels)
        self.optimizer.zero_grad()
        loss.backward()
        if self.clip is not None:
            clip_grad_norm_(self.model.parameters(), self.clip)
        self.optimizer.step()
        return loss.detach()


@dataclass(frozen=True)
class ChainUpdate:
    """The update of a chain of linear layers: gradients by hand, optimizer."""

    chain: LinearChain
    optimizer: Optimizer | LeanAdam
    pixels: Pixels
    loss: CrossEntropy = PLAIN
    clip: float | None = None

    @torch.no_grad()
    def __call__(self, images: torch.Tensor, labels: torch.Tensor) -> torch.Tensor:
        """Return the mean cross-entropy of uint8 images [b, channels, height, width]."""
        rows = self.pixels(images).flatten(1)
        loss, upstream = self.loss.with_gradient(self.chain.logits(rows), labels)
        self.chain.backward(upstream)
        if self.clip is not None:
            clip_grad_norm_(self.chain.parameters(), self.clip)
        self.optimizer.step()
        return loss


def make_update(
    twin: nn.Module,
    optimizer: Optimizer,
    pixels: Pixels,
    autocast: torch.autocast,
    loss: CrossEntropy = PLAIN,
    clip: float | None = None,
) -> Update:
    """Return the update of `twin`, what `fast` made of a network.

    clip: the largest norm of the gradient of all weights; a longer one is shortened to it.
    """
    # The norm needs every gradient, and the lean step makes some of them only as it uses them up.
    moves = lean(optimizer, twin) if clip is None else optimizer
    if isinstance(twin, LinearChain):
        return ChainUpdate(twin, moves, pixels, loss, clip)
    return PlainUpdate(twin, moves, pixels, autocast, loss, clip)
