"""The twin of a network: the same function and the same weights, made to train faster."""

from __future__ import annotations

import copy
from collections import OrderedDict
from collections.abc import Callable
from itertools import pairwise
from typing import Any

import torch
from torch import nn

from bakeoff.engine.chain import as_chain
from bakeoff.engine.dropout import BlockDropout
from bakeoff.engine.linear import InPlaceLinear, SmallLinear
from bakeoff.engine.native import Kernels, kernels
from bakeoff.engine.pool import ConvPool, MaxPool, first_convolution, is_halving

_LARGE = 1 << 17
"""Weights of a linear layer (512 KiB) from which writing the gradient in place pays."""

_KNOWN = ("bakeoff.", "torch.nn.modules.")
"""Where layers are defined that take images in any order of memory."""


def fast(model: nn.Module) -> nn.Module:
    """Return a twin of `model` that takes its steps; it shares all parameters and buffers.

    The plain network is what is built, scored, drawn and saved; the twin only takes steps. Function
    and gradients are the same, but for which random numbers dropout draws. Gradients have to be set
    to None before each backward pass, as `Optimizer.zero_grad` does. The tricks are for the CPU: on
    another device the twin is `model` itself, as it is where a network cannot be copied, or has
    hooks, which may speak of the very network that they were put on.
    """
    if any(parameter.device.type != "cpu" for parameter in model.parameters()):
        return model
    if any(layer._forward_hooks or layer._forward_pre_hooks for layer in model.modules()):  # noqa: SLF001
        return model
    shared = {id(tensor): tensor for tensor in (*model.parameters(), *model.buffers())}
    try:
        twin = as_chain(model) or copy.deepcopy(model, memo=dict(shared))
    except Exception:  # Other people's networks may hold anything, as tensors with a history.
        return model
    if any(id(parameter) not in shared for parameter in twin.parameters()):
        return model  # It copies itself in its own way, as what TorchScript made does.
    known = all(type(each).__module__.startswith(_KNOWN) for each in model.modules())
    return _replaced(twin, _stand_in if known else _same_order)


def _replaced(layer: nn.Module, stand_in: Callable[[nn.Module], nn.Module]) -> nn.Module:
    """Return what stands in for `layer`, after what does for the layers in it."""
    for name, child in layer.named_children():
        setattr(layer, name, _replaced(child, stand_in))
    return stand_in(layer)


def _stand_in(layer: nn.Module) -> nn.Module:
    """Return what stands in for `layer`. Only exact types: a subclass may compute otherwise."""
    if type(layer) is nn.Sequential:
        return _merged(layer)
    if type(layer) is nn.Flatten and (layer.start_dim, layer.end_dim) == (1, -1):
        return ChannelsLastFlatten()
    return _same_order(layer)


def _same_order(layer: nn.Module) -> nn.Module:
    """Return what stands in for `layer` where other people's code looks at its output.

    It may count on the order in which numbers lie in memory, as `x.view(len(x), -1)` does.
    """
    if type(layer) is nn.Linear and layer.bias is not None:
        return (InPlaceLinear if layer.weight.numel() >= _LARGE else SmallLinear)(layer)
    if type(layer) is nn.Dropout and 0 < layer.p < 1:
        return BlockDropout(layer.p)
    return layer


def _merged(layers: nn.Sequential) -> nn.Sequential:
    """Return the layers with each max-pooling moved before the ReLU that it follows.

    The maximum and the cut at zero commute, and the gradient takes the same way; but pooling leaves
    a quarter of the numbers to cut. Where there are kernels for it, the two become one layer, and
    one with a first convolution before them.
    """
    everything = layers.named_modules(remove_duplicate=False)  # A layer may stand in two places.
    named = [(name, layer) for name, layer in everything if name and "." not in name]
    for i, ((_, first), (_, second)) in enumerate(pairwise(named)):
        if type(first) is nn.ReLU and type(second) is nn.MaxPool2d:
            named[i], named[i + 1] = named[i + 1], named[i]
    own = kernels()
    return nn.Sequential(OrderedDict(named if own is None else _pooled_by(own, named)))


def _pooled_by(own: Kernels, named: list[tuple[str, nn.Module]]) -> list[tuple[str, nn.Module]]:
    """Return the layers with each pooling replaced, and with it a ReLU after or a conv before."""
    merged: list[tuple[str, nn.Module]] = []
    for name, layer in named:
        before_name, before = merged[-1] if merged else ("", None)
        if type(layer) is nn.ReLU and isinstance(before, MaxPool):
            before.relu = True
        elif not is_halving(layer):
            merged.append((name, layer))
        elif (convolution := first_convolution(before)) is not None:
            merged[-1] = (before_name, ConvPool(convolution, own))
        else:
            merged.append((name, MaxPool(own)))
    return merged


class ChannelsLastFlatten(nn.Flatten):
    """Flattening whose gradient comes back channels last, where the images came that way.

    Otherwise the layers below get a gradient in another layout than their inputs, for which ReLU
    and pooling take a slow path and convolutions a copy.
    """

    def forward(self, inputs: torch.Tensor) -> torch.Tensor:
        """Map [n, channels, height, width] to [n, channels * height * width], in that order."""
        if inputs.dim() == 4 and inputs.is_contiguous(memory_format=torch.channels_last):
            return _Flattened.apply(inputs)  # type: ignore[no-untyped-call,no-any-return]
        return super().forward(inputs)


class _Flattened(torch.autograd.Function):
    """inputs.flatten(1)."""

    @staticmethod
    def forward(ctx: Any, inputs: torch.Tensor) -> torch.Tensor:
        ctx.shape = inputs.shape
        return inputs.flatten(1)

    @staticmethod
    def backward(ctx: Any, upstream: torch.Tensor) -> torch.Tensor:
        return upstream.view(ctx.shape).contiguous(memory_format=torch.channels_last)
