"""Dropout in a stack of networks: each seed drops what it drops when it trains alone.

Inside `torch.func.vmap` there is no generator per seed. So on the CPU the masks are drawn outside,
as `engine.BlockDropout` draws them, and handed in as buffers. On a GPU torch's own dropout stays,
under `randomness="different"`: as good, but with other masks than one by one.
"""

from __future__ import annotations

from collections.abc import Sequence
from functools import partial
from typing import Any

import torch
from torch import nn

from bakeoff.engine import BlockDropout


class GivenDropout(nn.Dropout):
    """Dropout that is told what to keep."""

    kept: torch.Tensor
    """bool, of the shape of the inputs."""

    def __init__(self, p: float) -> None:
        super().__init__(p)
        self.register_buffer("kept", torch.empty(0, dtype=torch.bool), persistent=False)

    def forward(self, inputs: torch.Tensor) -> torch.Tensor:
        """Set what is not kept to 0, scale the rest up."""
        if not self.training:
            return inputs
        return inputs * (self.kept.to(inputs.dtype) * (1 / (1 - self.p)))


def give_masks(model: nn.Module) -> None:
    """Replace, in place, each dropout layer that `engine.fast` replaces."""
    for name, child in model.named_children():
        if type(child) is nn.Dropout and 0 < child.p < 1:
            setattr(model, name, GivenDropout(child.p))
        else:
            give_masks(child)


class Masks:
    """Draws for the `GivenDropout` layers of `model`, for each seed of a stack from its stream."""

    def __init__(self, model: nn.Module) -> None:
        self._model = model
        self._layers = {
            name: layer for name, layer in model.named_modules() if isinstance(layer, GivenDropout)
        }
        self._drawers: dict[str, list[BlockDropout]] = {}
        self._shapes: dict[torch.Size, dict[str, torch.Size]] = {}

    def reseed(self, seeds: Sequence[int]) -> None:
        """Start all streams anew, one seed for each network of the stack."""
        for place, (name, layer) in enumerate(self._layers.items()):
            self._drawers[name] = [BlockDropout(layer.p) for _ in seeds]
            for drawer, seed in zip(self._drawers[name], seeds, strict=True):
                drawer.reseed(seed, place)

    def draw(self, pixels: torch.Tensor) -> dict[str, torch.Tensor]:
        """Return the masks of one step by the name of their buffer, bool [seeds, ...].

        pixels: float32 [seeds, b, channels, height, width]. Raises RuntimeError where a layer is
        used twice in one step.
        """
        if not self._layers:
            return {}
        batch = pixels[0]
        if batch.shape not in self._shapes:
            self._shapes[batch.shape] = self._shapes_for(batch)
        return {
            f"{name}.kept": torch.stack([drawer.draw(shape) for drawer in self._drawers[name]])
            for name, shape in self._shapes[batch.shape].items()
        }

    @torch.no_grad()
    def _shapes_for(self, batch: torch.Tensor) -> dict[str, torch.Size]:
        """Return the shape of what each layer gets, by a pass that changes nothing."""
        seen: dict[str, torch.Size] = {}

        def note(name: str, layer: nn.Module, arguments: tuple[Any, ...]) -> None:
            if name in seen:
                raise RuntimeError(f"the dropout layer {name!r} is used twice in one step")
            seen[name] = arguments[0].shape

        hooks = [
            layer.register_forward_pre_hook(partial(note, name))
            for name, layer in self._layers.items()
        ]
        was_training = self._model.training
        try:
            self._model.eval()(batch)
        finally:
            self._model.train(was_training)
            for hook in hooks:
                hook.remove()
        return seen
