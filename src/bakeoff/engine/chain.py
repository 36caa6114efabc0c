"""Networks of linear layers and ReLUs, with the backward pass written out by hand.

In a small network the arithmetic of a step takes less time than autograd's bookkeeping. A chain of
linear layers needs none: its gradients are two products a layer.
"""

from __future__ import annotations

from collections.abc import Sequence

import torch
from torch import nn

_LARGEST = 1 << 18
"""Weights of a layer (1 MiB) up to which bookkeeping counts, and bfloat16 gains nothing."""

_cut = torch.ops.aten.threshold_backward.grad_input


class LinearChain(nn.Module):
    """Flattening, linear layers, and a ReLU between each two of them; always in float32.

    `logits` and `backward` make one step's gradients without autograd. Weight gradients are
    written into the same memory in each step.
    """

    def __init__(self, layers: Sequence[nn.Linear]) -> None:
        super().__init__()
        self.layers = nn.ModuleList(layers)
        self._layers = tuple(layers)  # A ModuleList takes microseconds to give a layer.
        self._gradients = [torch.empty_like(layer.weight) for layer in layers]
        self._activations: list[torch.Tensor] = []

    def forward(self, images: torch.Tensor) -> torch.Tensor:
        """Map float images [n, ...] to logits [n, classes], for autograd to follow."""
        rows = images.flatten(1)
        for layer in self._layers[:-1]:
            rows = torch.relu(layer(rows))
        return self._layers[-1](rows)  # type: ignore[no-any-return]

    @torch.no_grad()
    def logits(self, rows: torch.Tensor) -> torch.Tensor:
        """Map float32 rows [n, in] to logits [n, classes]; keep what `backward` will need."""
        self._activations = [rows]
        for layer in self._layers[:-1]:
            rows = torch.addmm(layer.bias, rows, layer.weight.t()).clamp_min_(0)
            self._activations.append(rows)
        return torch.addmm(self._layers[-1].bias, rows, self._layers[-1].weight.t())

    @torch.no_grad()
    def backward(self, upstream: torch.Tensor) -> None:
        """Set the gradient of every parameter, given that of the logits, [n, classes]."""
        for number in reversed(range(len(self._layers))):
            layer, rows = self._layers[number], self._activations[number]
            layer.weight.grad = torch.mm(upstream.t(), rows, out=self._gradients[number])
            layer.bias.grad = upstream.sum(0)
            if number > 0:
                upstream = upstream.mm(layer.weight)
                _cut(upstream, rows, 0, grad_input=upstream)


def as_chain(model: nn.Module) -> LinearChain | None:
    """Return `model` as a chain that shares its parameters, or None where it is none."""
    if type(model) is not nn.Sequential or len(model) < 2 or not _flattens(model[0]):
        return None
    linear, between = list(model)[1::2], list(model)[2::2]
    plain = all(
        type(layer) is nn.Linear
        and layer.bias is not None
        and layer.weight.numel() <= _LARGEST
        and all(p.requires_grad and p.dtype == torch.float32 for p in layer.parameters())
        for layer in linear
    )
    if not plain or len({id(layer) for layer in linear}) < len(linear):
        return None
    if len(between) != len(linear) - 1 or not all(type(layer) is nn.ReLU for layer in between):
        return None
    return LinearChain([layer for layer in linear if isinstance(layer, nn.Linear)])


def _flattens(layer: nn.Module) -> bool:
    return type(layer) is nn.Flatten and (layer.start_dim, layer.end_dim) == (1, -1)
