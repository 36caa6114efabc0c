"""Dropout in a stack of networks: each seed drops what it drops when it trains alone.

Inside `torch.func.vmap` there is no generator per seed. So on the CPU a layer draws for all seeds
at once, for each as `engine.BlockDropout` does. On a GPU torch's own dropout stays, under
`randomness="different"`: as good, but with other masks than one by one.
"""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

import torch
from torch import nn

from bakeoff.engine import BlockDropout


class StackedDropout(nn.Dropout):
    """Dropout that draws for each slice of a `vmap` from a stream of its own."""

    streams: Sequence[BlockDropout] = ()
    """One for each network of the stack."""

    def forward(self, inputs: torch.Tensor) -> torch.Tensor:
        """Set each number to 0 with probability p, scale the others up."""
        if not self.training:
            return inputs
        kept = _Kept.apply(inputs, self)  # type: ignore[no-untyped-call]
        return inputs * (kept.to(inputs.dtype) * (1 / (1 - self.p)))  # type: ignore[no-any-return]


class _Kept(torch.autograd.Function):
    """1 for each number to keep, else 0: uint8, of the inputs' shape."""

    @staticmethod
    def forward(inputs: torch.Tensor, layer: StackedDropout) -> torch.Tensor:
        raise RuntimeError("only a stack draws for all its networks")

    @staticmethod
    def setup_context(ctx: Any, inputs: tuple[Any, ...], output: torch.Tensor) -> None:
        ctx.mark_non_differentiable(output)

    @staticmethod
    def backward(ctx: Any, upstream: torch.Tensor) -> tuple[None, None]:
        return None, None

    @staticmethod
    def vmap(
        info: Any, places: tuple[int, None], inputs: torch.Tensor, layer: StackedDropout
    ) -> tuple[torch.Tensor, int]:
        shape = inputs.movedim(places[0], 0).shape[1:]
        return torch.stack([stream.draw(shape) for stream in layer.streams]), 0


def stack_dropout(model: nn.Module) -> list[StackedDropout]:
    """Replace, in place, each dropout layer that `engine.fast` replaces; return the new ones."""
    found = []
    for name, child in list(model.named_modules()):
        if type(child) is nn.Dropout and 0 < child.p < 1:
            found.append(StackedDropout(child.p))
            model.set_submodule(name, found[-1])
    return found


def reseed(layers: Sequence[StackedDropout], seeds: Sequence[int]) -> None:
    """Start all streams anew, one seed for each network of the stack."""
    for place, layer in enumerate(layers):
        layer.streams = [BlockDropout(layer.p) for _ in seeds]
        for stream, seed in zip(layer.streams, seeds, strict=True):
            stream.reseed(seed, place)
