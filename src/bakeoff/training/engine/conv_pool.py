"""The first convolution of a network for gray images, with its ReLU and pooling, as one layer."""

from __future__ import annotations

from typing import Any

import torch
from torch import nn

from bakeoff.training.engine.native import Kernels
from bakeoff.training.engine.pool import ReluPool


class ConvReluPool(nn.Module):
    """A convolution of one channel, ReLU and 2 x 2 max-pooling.

    In training they are one pass, and the output of the convolution is never in memory.
    """

    def __init__(self, conv: nn.Conv2d, pool: ReluPool, kernels: Kernels) -> None:
        super().__init__()
        self.conv = conv
        self.pool = pool
        self._kernels = kernels

    def forward(self, images: torch.Tensor) -> torch.Tensor:
        """Map [n, 1, height, width] to [n, filters, height // 2, width // 2]."""
        dtype = torch.bfloat16 if torch.is_autocast_enabled("cpu") else torch.float32
        possible = self._kernels.matrix_units or dtype == torch.float32
        # Evaluated, it has the bits of the plain layers.
        if not self.training or not possible or images.requires_grad:
            return self.pool(self.conv(images))  # type: ignore[no-any-return]
        weight, bias = self.conv.weight, self.conv.bias
        images = images.float().contiguous()
        return _Convolved.apply(images, weight, bias, dtype, self._kernels)  # type: ignore[no-untyped-call,no-any-return]


class _Convolved(torch.autograd.Function):
    """max_pool2d(conv2d(images, weight, bias, padding="same"), 2).relu()."""

    @staticmethod
    def forward(
        ctx: Any,
        images: torch.Tensor,
        weight: torch.Tensor,
        bias: torch.Tensor,
        dtype: torch.dtype,
        kernels: Kernels,
    ) -> torch.Tensor:
        pooled, ctx.places = kernels.conv_pool(images, weight, bias, dtype)
        ctx.images, ctx.kernels, ctx.k = images, kernels, weight.shape[2]
        return pooled

    @staticmethod
    def backward(ctx: Any, upstream: torch.Tensor) -> tuple[torch.Tensor | None, ...]:
        upstream = upstream.contiguous(memory_format=torch.channels_last)
        gradients = ctx.kernels.conv_pool_backward(upstream, ctx.places, ctx.images, ctx.k)
        return None, *gradients, None, None


def first_convolution(layer: nn.Module) -> nn.Conv2d | None:
    """Return the layer if it is a convolution of gray images that the kernels can take."""
    if type(layer) is not nn.Conv2d or layer.bias is None:
        return None
    k = layer.kernel_size[0]
    fits = (
        layer.in_channels == 1
        and layer.out_channels % 32 == 0
        and layer.kernel_size in {(1, 1), (3, 3), (5, 5)}
        and layer.padding in {"same", (k // 2, k // 2)}
        and layer.padding_mode == "zeros"
        and (layer.stride, layer.dilation) == ((1, 1), (1, 1))
        and all(p.requires_grad and p.dtype == torch.float32 for p in layer.parameters())
    )
    return layer if fits else None
