"""Dropout whose random bits come in one block."""

from __future__ import annotations

import numpy as np
import torch
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
        self._generator = np.random.Generator(np.random.SFC64([seed, place]))

    def forward(self, inputs: torch.Tensor) -> torch.Tensor:
        """Set each number to 0 with probability p (rounded to 1 / 65,536), scale the others up."""
        if not self.training:
            return inputs
        return inputs * self.draw(inputs.shape).to(inputs.dtype).mul_(1 / (1 - self.p))

    def draw(self, shape: torch.Size) -> torch.Tensor:
        """Return which numbers of the next input to keep: bool, of its shape."""
        bits = self._generator.integers(0, 1 << 16, shape.numel(), dtype=np.uint16)
        # torch compares int16 but hardly uint16: the top half comes out negative, so p shifts too.
        shifted = torch.from_numpy(bits.view(np.int16) ^ np.int16(-(1 << 15)))
        return shifted.view(shape) >= round(self.p * (1 << 16)) - (1 << 15)


def reseed(model: nn.Module, seed: int) -> None:
    """Start everything random inside the network from `seed`, the global random state included."""
    torch.manual_seed(seed)
    layers = [layer for layer in model.modules() if isinstance(layer, BlockDropout)]
    for place, layer in enumerate(layers):
        layer.reseed(seed, place)
