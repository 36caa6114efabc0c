"""What one step of training is: an update of the weights, then the next learning rate."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass

import torch
from torch import nn
from torch.nn import functional as F
from torch.optim import Optimizer
from torch.optim.lr_scheduler import LRScheduler

from bakeoff.engine import LeanAdam, LinearChain, lean
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

    def __call__(self, images: torch.Tensor, labels: torch.Tensor) -> torch.Tensor:
        """Take the step; return the loss before it, which is not to be changed."""
        loss = self.update(images, labels)
        self.schedule.step()
        return loss


@dataclass(frozen=True)
class PlainUpdate:
    """The update of one network: forward under `autocast`, backward, optimizer."""

    model: nn.Module
    optimizer: Optimizer | LeanAdam
    pixels: Pixels
    autocast: torch.autocast
    label_smoothing: float = 0.0

    def __call__(self, images: torch.Tensor, labels: torch.Tensor) -> torch.Tensor:
        """Return the mean cross-entropy of uint8 images [b, channels, height, width]."""
        with self.autocast:
            logits = self.model(self.pixels(images))
            loss = F.cross_entropy(logits, labels, label_smoothing=self.label_smoothing)
        self.optimizer.zero_grad()
        loss.backward()
        self.optimizer.step()
        return loss.detach()


@dataclass(frozen=True)
class ChainUpdate:
    """The update of a chain of linear layers: gradients by hand, optimizer."""

    chain: LinearChain
    optimizer: Optimizer | LeanAdam
    pixels: Pixels
    label_smoothing: float = 0.0

    @torch.no_grad()
    def __call__(self, images: torch.Tensor, labels: torch.Tensor) -> torch.Tensor:
        """Return the mean cross-entropy of uint8 images [b, channels, height, width]."""
        rows = self.pixels(images).flatten(1)
        log_probabilities = F.log_softmax(self.chain.logits(rows), dim=1)
        loss, smoothing = F.nll_loss(log_probabilities, labels), self.label_smoothing
        if smoothing > 0:
            loss = (1 - smoothing) * loss - smoothing * log_probabilities.mean()
        # The gradient of the mean loss by the logits: (probability - target) / b.
        upstream = log_probabilities.exp_()
        if smoothing > 0:
            upstream.sub_(smoothing / upstream.shape[1])
        sure = upstream.new_full((len(labels), 1), smoothing - 1)
        upstream.scatter_add_(1, labels.unsqueeze(1), sure)
        self.chain.backward(upstream.div_(len(labels)))
        self.optimizer.step()
        return loss


def make_update(
    twin: nn.Module,
    optimizer: Optimizer,
    pixels: Pixels,
    autocast: torch.autocast,
    label_smoothing: float | None = None,
) -> Update:
    """Return the update of `twin`, what `fast` made of a network."""
    smoothing = label_smoothing or 0.0
    if isinstance(twin, LinearChain):
        return ChainUpdate(twin, lean(optimizer, twin), pixels, smoothing)
    return PlainUpdate(twin, lean(optimizer, twin), pixels, autocast, smoothing)
