"""The kernels written with PyTorch's operators: what the compiled ones have to answer."""

from __future__ import annotations

import ctypes

import torch
from torch.nn import functional as F

from bakeoff.engine.native import AdamStep, Kernels

Tensors = tuple[torch.Tensor, torch.Tensor]


def windows(images: torch.Tensor) -> torch.Tensor:
    """Return [n, channels, rows, columns, 4]: the numbers of each window of 2 x 2."""
    whole = images[:, :, : images.shape[2] // 2 * 2, : images.shape[3] // 2 * 2]
    return whole.unfold(2, 2, 2).unfold(3, 2, 2).flatten(4)


def spread(numbers: torch.Tensor, places: torch.Tensor) -> torch.Tensor:
    """Return [n, channels, 2 rows, 2 columns]: each number at its place, zeros elsewhere."""
    n, channels, rows, columns = numbers.shape
    at = places.reshape(n, rows, columns, channels).permute(0, 3, 1, 2)
    four = (at.unsqueeze(-1) == torch.arange(4)) * numbers.unsqueeze(-1)
    two = four.reshape(n, channels, rows, columns, 2, 2).transpose(3, 4)
    return two.reshape(n, channels, 2 * rows, 2 * columns)


class PlainKernels(Kernels):
    """What `Kernels` promises, of no library."""

    def __init__(self) -> None:
        super().__init__(ctypes.CDLL(None), matrix_units=True)

    def _largest(self, sums: torch.Tensor, *, relu: bool) -> Tensors:
        largest, places = windows(sums).max(-1)
        if relu:
            places = torch.where(largest > 0, places, 4)
            largest = largest.relu()
        order = places.permute(0, 2, 3, 1).flatten().to(torch.uint8)
        return largest.contiguous(memory_format=torch.channels_last), order

    def max_pool(self, images: torch.Tensor, *, relu: bool) -> Tensors:
        return self._largest(images, relu=relu)

    def pool_backward(
        self, upstream: torch.Tensor, places: torch.Tensor, height: int, width: int
    ) -> torch.Tensor:
        gradient = spread(upstream, places)
        return F.pad(gradient, (0, width - gradient.shape[3], 0, height - gradient.shape[2]))

    def conv_pool(
        self,
        images: torch.Tensor,
        weight: torch.Tensor,
        bias: torch.Tensor,
        *,
        margin: int,
        relu: bool,
        dtype: torch.dtype,
    ) -> Tensors:
        factors = images.to(dtype).double(), weight.to(dtype).double()
        pooled, places = self._largest(F.conv2d(*factors, bias.double(), padding=margin), relu=relu)
        return pooled.to(dtype), places

    def conv_pool_backward(
        self,
        upstream: torch.Tensor,
        places: torch.Tensor,
        images: torch.Tensor,
        *,
        k: int,
        margin: int,
    ) -> Tensors:
        of_sums = spread(upstream.double(), places)
        seen = F.pad(images.to(upstream.dtype).double(), [margin] * 4)
        high, wide = (size + k - 1 for size in of_sums.shape[2:])
        seen = seen[:, :, :high, :wide].transpose(0, 1)
        of_weight = F.conv2d(seen, of_sums.transpose(0, 1)).transpose(0, 1)
        return of_weight.float(), of_sums.sum((0, 2, 3)).float()

    def linear_forward(
        self, rows: torch.Tensor, weight: torch.Tensor, bias: torch.Tensor
    ) -> torch.Tensor:
        return rows.float() @ weight.bfloat16().float().T + bias

    def linear_backward(self, upstream: torch.Tensor, weight: torch.Tensor) -> torch.Tensor:
        return (upstream.bfloat16().float() @ weight.bfloat16().float()).bfloat16()

    def linear_step(
        self,
        upstream: torch.Tensor,
        rows: torch.Tensor,
        adam: AdamStep,
        weight: torch.Tensor,
        mean: torch.Tensor,
        square: torch.Tensor,
    ) -> None:
        gradient = upstream.to(rows.dtype).float().T @ rows.float() + adam.decay * weight
        mean.lerp_(gradient, adam.news1)
        square.mul_(adam.beta2).addcmul_(gradient, gradient, value=adam.news2)
        step = mean / (square.sqrt() * adam.correction + adam.epsilon)
        weight.mul_(adam.shrink).sub_(step, alpha=adam.rate)
