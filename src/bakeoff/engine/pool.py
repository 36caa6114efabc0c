"""Max-pooling, alone or with the ReLU beside it as one layer."""

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
