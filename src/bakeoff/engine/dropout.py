"""Dropout whose random bits come in one block."""

from __future__ import annotations

import math

import numpy as np
import torch
from numpy.typing import NDArray
from torch import nn


class BlockDropout(nn.Dropout):
    """Dropout whose random bits come in one block from a small generator (numpy's SFC64).

    PyTorch draws number after number from a Mersenne Twister on one core: a fifth of a step.
    """

    def __init__(self, p: float) -> None:
        super().__init__(p)
        self.reseed(0, 0)

    def reseed(self, seed: int, place: int) -> None:
        """Start the stream anew; `place` tells the dropout layers of one network apart."""
        self._generator = np.random.SFC64([seed, place])

    def position(self) -> torch.Tensor:
        """Return where the stream stands: the generator's four words, int64 [4]."""
        return torch.from_numpy(self._generator.state["state"]["state"].view(np.int64))

    def go_to(self, position: torch.Tensor) -> None:
        """Take the stream to where `position` found it."""
        state = self._generator.state
        state["state"]["state"] = position.numpy().view(np.uint64)
        self._generator.state = state

    def forward(self, inputs: torch.Tensor) -> torch.Tensor:
        """Set each number to 0 with probability p (rounded to 1 / 65,536), scale the others up."""
        if not self.training:
            return inputs
        return inputs * self.draw(inputs.shape).to(inputs.dtype).mul_(1 / (1 - self.p))

    def draw(self, shape: torch.Size) -> torch.Tensor:
        """Return 1 for each number of the next input to keep, else 0: uint8, of its shape."""
        if self.p == 0.5:  # One bit decides.
            bits = np.unpackbits(self._random(shape.numel() / 8), count=shape.numel())
            return torch.from_numpy(bits).view(shape)
        halves = self._random(shape.numel() * 2).view(np.int16)[: shape.numel()]
        kept = torch.from_numpy(halves).view(shape) >= round(self.p * (1 << 16)) - (1 << 15)
        return kept.view(torch.uint8)

    def _random(self, size: float) -> NDArray[np.uint8]:
        """Return at least `size` random bytes."""
        return self._generator.random_raw(math.ceil(size / 8)).view(np.uint8)


def dropout_layers(model: nn.Module) -> list[BlockDropout]:
    """Return the dropout layers of a twin, in the order of its modules."""
    return [layer for layer in model.modules() if isinstance(layer, BlockDropout)]


def reseed(model: nn.Module, seed: int) -> None:
    """Start the streams of all dropout layers of a twin anew from `seed`."""
    for place, layer in enumerate(dropout_layers(model)):
        layer.reseed(seed, place)
