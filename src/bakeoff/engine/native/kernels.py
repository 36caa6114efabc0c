"""The functions of the compiled library, for tensors."""

from __future__ import annotations

import ctypes
from dataclasses import dataclass
from typing import Self

import torch


class AdamStep(ctypes.Structure):
    """`struct adam` of adam.h: what is the same for all weights in one step."""

    _fields_ = [
        (name, ctypes.c_float)
        for name in ("news1", "news2", "beta2", "epsilon", "rate", "correction", "decay", "shrink")
    ]


@dataclass(frozen=True)
class Kernels:
    """The compiled kernels. All tensors are on the CPU, contiguous unless it says channels last.

    Nothing is handed to C but what `_at` has looked at: a tensor of any other kind, wherever it
    comes from, is a ValueError, not memory written past its end.
    """

    library: ctypes.CDLL
    matrix_units: bool
    """Whether those for bfloat16 products are there."""

    @classmethod
    def of(cls, library: ctypes.CDLL) -> Self:
        """Return the kernels of a library. Calling one that it lacks is an AttributeError."""
        matrix_units = hasattr(library, "matrix_units") and library.matrix_units() == 0
        return cls(library, matrix_units)

    def max_pool(self, images: torch.Tensor, *, relu: bool) -> tuple[torch.Tensor, torch.Tensor]:
        """Return max_pool2d(images, 2), and which of four places each number came from.

        images: float32 or bfloat16 [n, channels, height, width], channels last, as the pooled
        images; places: uint8, in the same order in memory; relu: cut the pooled images at zero, and
        let a place be 4 where all four numbers are at most zero.
        """
        n, channels, height, width = images.shape
        pooled, places = _pooled(n, channels, height // 2, width // 2, images.dtype)
        self._call(
            "relu_pool" if relu else "max_pool",
            images.dtype,
            (n, height, width, channels),
            _at(images, images.dtype, *images.shape, order=torch.channels_last),
            pooled.data_ptr(),
            places.data_ptr(),
        )
        return pooled, places

    def pool_backward(
        self, upstream: torch.Tensor, places: torch.Tensor, height: int, width: int
    ) -> torch.Tensor:
        """Return the gradient of the images, [n, channels, height, width], channels last."""
        n, channels, _, _ = upstream.shape
        gradient = _channels_last(n, channels, height, width, upstream.dtype)
        pooled = (n, channels, height // 2, width // 2)
        self._call(
            "pool_backward",
            upstream.dtype,
            (n, height, width, channels),
            _at(upstream, upstream.dtype, *pooled, order=torch.channels_last),
            _at(places, torch.uint8, upstream.numel()),
            gradient.data_ptr(),
        )
        return gradient

    def conv_pool(
        self,
        images: torch.Tensor,
        weight: torch.Tensor,
        bias: torch.Tensor,
        *,
        margin: int,
        relu: bool,
        dtype: torch.dtype,
    ) -> tuple[torch.Tensor, torch.Tensor]:
        """Return max_pool2d(conv2d(images, weight, bias, padding=margin), 2) and places.

        images: float32 [n, 1, height, width]; weight: float32 [filters, 1, k, k], k at most 5,
        filters a multiple of 16; relu: as for `max_pool`; dtype: that of the result and of the
        factors. Sums are float32.
        """
        n, _, height, width = images.shape
        filters, _, k, _ = weight.shape
        rows, columns = _halves(height, width, k, margin, filters)
        pooled, places = _pooled(n, filters, rows, columns, dtype)
        self._call(
            "conv_pool",
            dtype,
            (n, height, width, k, margin, filters, relu),
            _at(images, torch.float32, n, 1, height, width),
            _at(weight, torch.float32, filters, 1, k, k),
            _at(bias, torch.float32, filters),
            pooled.data_ptr(),
            places.data_ptr(),
        )
        return pooled, places

    def conv_pool_backward(
        self,
        upstream: torch.Tensor,
        places: torch.Tensor,
        images: torch.Tensor,
        *,
        k: int,
        margin: int,
    ) -> tuple[torch.Tensor, torch.Tensor]:
        """Return the float32 gradients of weight and bias, given that of what `conv_pool` gave."""
        n, _, height, width = images.shape
        filters = upstream.shape[1]
        rows, columns = _halves(height, width, k, margin, filters)
        of_weight, of_bias = images.new_empty(filters, 1, k, k), images.new_empty(filters)
        pooled = (n, filters, rows, columns)
        self._call(
            "conv_pool_backward",
            upstream.dtype,
            (n, height, width, k, margin, filters),
            _at(upstream, upstream.dtype, *pooled, order=torch.channels_last),
            _at(places, torch.uint8, upstream.numel()),
            _at(images, torch.float32, n, 1, height, width),
            of_weight.data_ptr(),
            of_bias.data_ptr(),
        )
        return of_weight, of_bias

    def linear_forward(
        self, rows: torch.Tensor, weight: torch.Tensor, bias: torch.Tensor
    ) -> torch.Tensor:
        """Return float32 rows @ weight.T + bias; weights and rows are rounded to bfloat16.

        rows: bfloat16 [batch, in], `in` even; weight: float32 [out, in].
        """
        batch, wide, out = _sizes(rows, weight)
        output = bias.new_empty(batch, out)
        self._call(
            "linear_forward",
            torch.bfloat16,
            (batch, wide, out),
            _at(rows, torch.bfloat16, batch, wide),
            _at(weight, torch.float32, out, wide),
            _at(bias, torch.float32, out),
            output.data_ptr(),
        )
        return output

    def linear_backward(self, upstream: torch.Tensor, weight: torch.Tensor) -> torch.Tensor:
        """Return upstream @ weight as bfloat16; both are float32 and rounded to bfloat16."""
        gradient = upstream.new_empty(len(upstream), weight.shape[1], dtype=torch.bfloat16)
        batch, wide, out = _sizes(gradient, weight)
        self._call(
            "linear_backward",
            torch.bfloat16,
            (batch, wide, out),
            _at(upstream, torch.float32, batch, out),
            _at(weight, torch.float32, out, wide),
            gradient.data_ptr(),
        )
        return gradient

    def linear_step(
        self,
        upstream: torch.Tensor,
        rows: torch.Tensor,
        adam: AdamStep,
        weight: torch.Tensor,
        mean: torch.Tensor,
        square: torch.Tensor,
    ) -> None:
        """Take a step of Adam along upstream.T @ rows.

        upstream: float32 [batch, out]; rows: float32, or bfloat16 to have the product so, [batch,
        in]; weight and its moments: float32 [out, in], changed.
        """
        batch, wide, out = _sizes(rows, weight)
        self._call(
            "linear_step",
            rows.dtype,
            (batch, wide, out),
            _at(upstream, torch.float32, batch, out),
            _at(rows, rows.dtype, batch, wide),
            ctypes.addressof(adam),
            _at(weight, torch.float32, out, wide),
            _at(mean, torch.float32, out, wide),
            _at(square, torch.float32, out, wide),
        )

    def _call(self, name: str, dtype: torch.dtype, sizes: tuple[int, ...], *places: int) -> None:
        """Call a function with sizes, and then with places in memory."""
        function = getattr(self.library, f"{name}_{dtype}".replace("torch.", ""))
        function(*map(ctypes.c_int64, sizes), *map(ctypes.c_void_p, places))


def _at(
    tensor: torch.Tensor,
    dtype: torch.dtype,
    *shape: int,
    order: torch.memory_format = torch.contiguous_format,
) -> int:
    """Return where a tensor's numbers lie; raise ValueError where C would take them for others."""
    if (
        tensor.shape != shape
        or tensor.dtype != dtype
        or not tensor.is_cpu
        or not tensor.is_contiguous(memory_format=order)
    ):
        raise ValueError(
            f"a kernel takes {dtype} {list(shape)} on the CPU in the order {order}, not "
            f"{tensor.dtype} {list(tensor.shape)} on {tensor.device}, strides {tensor.stride()}"
        )
    return tensor.data_ptr()


def _channels_last(
    n: int, channels: int, height: int, width: int, dtype: torch.dtype
) -> torch.Tensor:
    return torch.empty(n, channels, height, width, dtype=dtype, memory_format=torch.channels_last)


def _pooled(
    n: int, channels: int, rows: int, columns: int, dtype: torch.dtype
) -> tuple[torch.Tensor, torch.Tensor]:
    """Return memory for pooled images and for their places."""
    pooled = _channels_last(n, channels, rows, columns, dtype)
    return pooled, torch.empty(pooled.numel(), dtype=torch.uint8)


def _halves(height: int, width: int, k: int, margin: int, filters: int) -> tuple[int, int]:
    """Return rows and columns of what `conv_pool` gives; raise ValueError where it cannot."""
    rows, columns = ((size + 2 * margin - k + 1) // 2 for size in (height, width))
    if not (1 <= k <= 5 and margin >= 0 and filters % 16 == 0 and min(rows, columns) >= 0):
        raise ValueError(
            f"no kernel for {filters} filters of {k} x {k}, margin {margin}, on {height} x {width}"
        )
    return rows, columns


def _sizes(rows: torch.Tensor, weight: torch.Tensor) -> tuple[int, int, int]:
    """Return batch, in and out of a layer; raise ValueError where the matrix units cannot take it.

    They take bfloat16 numbers in pairs.
    """
    if rows.dtype == torch.bfloat16 and weight.shape[1] % 2:
        raise ValueError(f"no kernel for {weight.shape[1]} inputs: give an even number")
    return len(rows), weight.shape[1], len(weight)
