"""The moving average of a network's weights, which is scored in the place of the last ones."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from contextlib import contextmanager

import torch
from torch import nn


class Average:
    """An exponential moving average of all that training moves in a network.

    Weights, and running means and other buffers of floating point with them, since those belong to
    the weights that they were seen with; a buffer that counts stays as it is. After B. Polyak,
    A. Juditsky, "Acceleration of stochastic approximation by averaging", 1992. In its first steps
    it keeps less, (1 + step) / (10 + step), so that it does not remember the start for long.
    """

    def __init__(self, model: nn.Module, keep: float) -> None:
        self._keep = keep
        self._steps = 0
        self._moving = {
            name: value.detach()
            for name, value in model.state_dict(keep_vars=True).items()
            if value.is_floating_point()
        }
        self._averages = {name: value.clone() for name, value in self._moving.items()}

    @torch.no_grad()
    def follow(self) -> None:
        """Take in what the weights are after one more step."""
        self._steps += 1
        keep = min(self._keep, (1 + self._steps) / (10 + self._steps))
        torch._foreach_lerp_([*self._averages.values()], [*self._moving.values()], 1 - keep)

    @torch.no_grad()
    @contextmanager
    def in_place(self) -> Iterator[None]:
        """Let the network have the average, and its own weights again afterwards."""
        own = [value.clone() for value in self._moving.values()]
        self.take_over()
        try:
            yield
        finally:
            for value, before in zip(self._moving.values(), own, strict=True):
                value.copy_(before)

    @torch.no_grad()
    def take_over(self) -> None:
        """Let the network have the average from now on."""
        for value, average in zip(self._moving.values(), self._averages.values(), strict=True):
            value.copy_(average)

    def state(self) -> dict[str, torch.Tensor]:
        """Return the average by the names of the network's state, not copied."""
        return dict(self._averages)

    @torch.no_grad()
    def restore(self, state: Mapping[str, torch.Tensor], steps: int) -> None:
        """Set it to what `state` returned after so many steps."""
        self._steps = steps
        for name, average in self._averages.items():
            average.copy_(state[name])
