"""Max-pooling as one layer with the ReLU beside it, and with the first convolution before it."""

from __future__ import annotations

from typing import Any

import torch
from torch import nn
from torch.nn import functional as F

from bakeoff.engine.native import Kernels


class MaxPool(nn.Module):
    """2 x 2 max-pooling, with a ReLU or without, in one pass that remembers a place by a byte."""

    def __init__(self, kernels: Kernels, *, relu: bool = False) -> None:
        super().__init__()
        self.kernels = kernels
        self.relu = relu

    def forward(self, images: torch.Tensor) -> torch.Tensor:
        """Map [n, channels, height, width] to [n, channels, height // 2, width // 2]."""
        supported = images.dtype in {torch.float32, torch.bfloat16}
        if supported and images.is_contiguous(memory_format=torch.channels_last):
            return _Pooled.apply(images, self)  # type: ignore[no-untyped-call,no-any-return]
        pooled = F.max_pool2d(images, 2)
        return pooled.relu() if self.relu else pooled


class _Pooled(torch.autograd.Function):
    """What a layer makes of images. Of equal maxima the first gets the gradient, as in PyTorch."""

    @staticmethod
    def forward(ctx: Any, images: torch.Tensor, layer: MaxPool) -> torch.Tensor:
        ctx.size, ctx.kernels = images.shape[2:], layer.kernels
        pooled, ctx.places = layer.kernels.max_pool(images, relu=layer.relu)
        return pooled

    @staticmethod
    def backward(ctx: Any, upstream: torch.Tensor) -> tuple[torch.Tensor, None]:
        upstream = upstream.contiguous(memory_format=torch.channels_last)
        return ctx.kernels.pool_backward(upstream, ctx.places, *ctx.size), None


class ConvPool(MaxPool):
    """A convolution of one channel and 2 x 2 max-pooling, with a ReLU or without.

    In training they are one pass, and the output of the convolution is never in memory.
    """

    def __init__(self, conv: nn.Conv2d, kernels: Kernels, *, relu: bool = False) -> None:
        super().__init__(kernels, relu=relu)
        self.conv = conv
        self.margin = margin_of(conv)
        self.no_bias = torch.zeros(conv.out_channels)

    def forward(self, images: torch.Tensor) -> torch.Tensor:
        """Map [n, 1, height, width] to [n, filters, ...], half the size of the conv's output."""
        dtype = torch.bfloat16 if torch.is_autocast_enabled("cpu") else torch.float32
        possible = self.kernels.matrix_units or dtype == torch.float32
        # Evaluated, it has the bits of the plain layers.
        if not self.training or not possible or images.requires_grad:
            return super().forward(self.conv(images))
        images = images.float().contiguous()
        return _Convolved.apply(images, self.conv.weight, self.conv.bias, dtype, self)  # type: ignore[no-untyped-call,no-any-return]


class _Convolved(torch.autograd.Function):
    """max_pool2d(conv2d(images, weight, bias, padding=margin), 2), then its ReLU, if any."""

    @staticmethod
    def forward(
        ctx: Any,
        images: torch.Tensor,
        weight: torch.Tensor,
        bias: torch.Tensor | None,
        dtype: torch.dtype,
        layer: ConvPool,
    ) -> torch.Tensor:
        ctx.images, ctx.layer, ctx.k, ctx.biased = images, layer, weight.shape[2], bias is not None
        shift = layer.no_bias if bias is None else bias
        pooled, ctx.places = layer.kernels.conv_pool(
            images, weight, shift, margin=layer.margin, relu=layer.relu, dtype=dtype
        )
        return pooled

    @staticmethod
    def backward(ctx: Any, upstream: torch.Tensor) -> tuple[torch.Tensor | None, ...]:
        upstream = upstream.contiguous(memory_format=torch.channels_last)
        of_weight, of_bias = ctx.layer.kernels.conv_pool_backward(
            upstream, ctx.places, ctx.images, k=ctx.k, margin=ctx.layer.margin
        )
        return None, of_weight, of_bias if ctx.biased else None, None, None


def first_convolution(layer: nn.Module | None) -> nn.Conv2d | None:
    """Return the layer if it is a convolution of gray images that the kernels can take."""
    if type(layer) is not nn.Conv2d:
        return None
    high, wide = layer.kernel_size
    fits = (
        layer.in_channels == 1
        and layer.out_channels % 16 == 0
        and high == wide <= 5
        and (layer.padding != "same" or high % 2 == 1)
        and (isinstance(layer.padding, str) or len(set(layer.padding)) == 1)
        and layer.padding_mode == "zeros"
        and (layer.stride, layer.dilation) == ((1, 1), (1, 1))
        and all(p.requires_grad and p.dtype == torch.float32 for p in layer.parameters())
    )
    return layer if fits else None


def margin_of(conv: nn.Conv2d) -> int:
    """Return how many zeros a convolution puts around an image on each side."""
    if conv.padding == "valid":
        return 0
    return conv.kernel_size[0] // 2 if conv.padding == "same" else int(conv.padding[0])


def is_halving(layer: nn.Module) -> bool:
    """Return whether a layer is max-pooling over 2 x 2 windows that do not overlap."""
    return (
        type(layer) is nn.MaxPool2d
        and _twice(layer.kernel_size) == _twice(layer.stride) == (2, 2)
        and (_twice(layer.padding), _twice(layer.dilation)) == ((0, 0), (1, 1))
        and not (layer.ceil_mode or layer.return_indices)
    )


def _twice(size: int | tuple[int, ...]) -> tuple[int, ...]:
    return (size, size) if isinstance(size, int) else tuple(size)
