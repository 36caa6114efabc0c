"""The same network, made to train faster: every trick of the training step, in one place.

`fast` returns a twin that shares the parameters of the plain network and computes the same
function. The plain one is what is built, scored, drawn and saved; the twin only takes steps.
docs/performance.md says what each trick gains.
"""

from __future__ import annotations

import copy
from collections import OrderedDict
from collections.abc import Iterator
from contextlib import contextmanager, nullcontext
from itertools import pairwise
from typing import Any

import numpy as np
import torch
from torch import nn

_LARGE = 1 << 17
"""Weights of a linear layer (512 KiB) from which writing the gradient in place pays."""


def fast(model: nn.Module) -> nn.Module:
    """Return a twin of `model` that takes its steps; it shares all parameters and buffers.

    Function and gradients are the same, but for which random numbers dropout draws. Gradients have
    to be set to None before each backward pass, as `Optimizer.zero_grad` does. The tricks are for
    the CPU: on another device the twin is `model` itself.
    """
    if any(parameter.device.type != "cpu" for parameter in model.parameters()):
        return model
    shared = {id(tensor): tensor for tensor in (*model.parameters(), *model.buffers())}
    return _faster(copy.deepcopy(model, memo=shared))


def _faster(layer: nn.Module) -> nn.Module:
    """Return what stands in for `layer`. Only exact types: a subclass may compute otherwise."""
    for name, child in layer.named_children():
        setattr(layer, name, _faster(child))
    if type(layer) is nn.Sequential:
        return _pool_before_relu(layer)
    if type(layer) is nn.Linear and layer.bias is not None:
        return (InPlaceLinear if layer.weight.numel() >= _LARGE else SmallLinear)(layer)
    if type(layer) is nn.Dropout and 0 < layer.p < 1:
        return BlockDropout(layer.p)
    if type(layer) is nn.Flatten and (layer.start_dim, layer.end_dim) == (1, -1):
        return ChannelsLastFlatten()
    return layer


def _pool_before_relu(layers: nn.Sequential) -> nn.Sequential:
    """Return the layers with each max pooling moved before the ReLU that it follows.

    The maximum and the cut at zero commute, and the gradient takes the same way; but pooling leaves
    a quarter of the numbers to cut.
    """
    named = list(layers.named_children())
    for i, (first, second) in enumerate(pairwise(named)):
        if type(first[1]) is nn.ReLU and type(second[1]) is nn.MaxPool2d:
            named[i], named[i + 1] = second, first
    return nn.Sequential(OrderedDict(named))


class SmallLinear(nn.Linear):
    """A small linear layer, always in float32: rounding its weights costs more than it saves."""

    def __init__(self, layer: nn.Linear) -> None:
        nn.Module.__init__(self)
        self.__dict__.update(layer.__dict__)

    def forward(self, inputs: torch.Tensor) -> torch.Tensor:
        """Map float [..., in] to [..., out], float32 also under autocast."""
        if not torch.is_autocast_enabled("cpu"):
            return super().forward(inputs)
        with torch.autocast("cpu", enabled=False):
            return super().forward(inputs.float())


class InPlaceLinear(nn.Linear):
    """A large linear layer whose weight gradient is written into the same memory in each step.

    PyTorch takes fresh memory for every gradient; 13 MB of that are in no cache. Memory holds
    float32 also under autocast, so that no copy of the weight is made: the matrix units round its
    numbers on their way in.
    """

    def __init__(self, layer: nn.Linear) -> None:
        nn.Module.__init__(self)
        self.__dict__.update(layer.__dict__)
        self._gradient = torch.empty_like(layer.weight, requires_grad=False)

    def forward(self, inputs: torch.Tensor) -> torch.Tensor:
        """Map float [..., in] to float32 [..., out]."""
        rows = inputs.float().flatten(end_dim=-2)
        product = _Product.apply(rows, self.weight, self.bias, self._gradient)  # type: ignore[no-untyped-call]
        return product.unflatten(0, inputs.shape[:-1])  # type: ignore[no-any-return]


class _Product(torch.autograd.Function):
    """rows @ weight.T + bias. Autocast leaves products with `out=` alone."""

    @staticmethod
    def forward(
        ctx: Any, rows: torch.Tensor, weight: nn.Parameter, bias: torch.Tensor, memory: torch.Tensor
    ) -> torch.Tensor:
        ctx.rows, ctx.weight, ctx.memory = rows, weight, memory
        ctx.products = _rounded if torch.is_autocast_enabled("cpu") else nullcontext
        with ctx.products():
            return torch.addmm(bias, rows, weight.t(), out=rows.new_empty(len(rows), len(weight)))

    @staticmethod
    def backward(ctx: Any, upstream: torch.Tensor) -> tuple[torch.Tensor | None, ...]:
        rows, weight, memory = ctx.rows, ctx.weight, ctx.memory
        with ctx.products():
            if weight.requires_grad and weight.grad is None:
                weight.grad = torch.mm(upstream.t(), rows, out=memory)
            elif weight.requires_grad:  # The weight is used twice: another use was here before.
                weight.grad.addmm_(upstream.t(), rows)
            to_rows = upstream.mm(weight) if ctx.needs_input_grad[0] else None
        return to_rows, None, upstream.sum(0), None


@contextmanager
def _rounded() -> Iterator[None]:
    """Let float32 matrix products round their inputs to bfloat16; sums stay float32."""
    products = torch.backends.mkldnn.matmul  # type: ignore[attr-defined]
    before = products.fp32_precision
    products.fp32_precision = "bf16"
    try:
        yield
    finally:
        products.fp32_precision = before


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


def reseed(model: nn.Module, seed: int) -> None:
    """Start everything random inside the network from `seed`, the global random state included."""
    torch.manual_seed(seed)
    layers = [layer for layer in model.modules() if isinstance(layer, BlockDropout)]
    for place, layer in enumerate(layers):
        layer.reseed(seed, place)


def flush_denormals() -> None:
    """Take numbers below 1.2e-38 as zero from now on, in this thread and those that it starts.

    Adam's first moment of a unit that has died shrinks by a tenth in every step and ends among
    these numbers, each of which takes many processors a hundred cycles: after two epochs of
    `cnn-1conv` they were three quarters of all, and the optimizer took twenty times as long. No
    weight is near enough to zero to see the difference.

    For the whole process and never undone: threads of a pool keep what they were started with, so
    call it before there are any.
    """
    torch.set_flush_denormal(True)
