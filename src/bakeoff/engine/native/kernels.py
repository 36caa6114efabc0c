"""The functions of the compiled library, for tensors."""

from __future__ import annotations

import ctypes
from dataclasses import dataclass
from functools import cache

import torch

from bakeoff.engine.native.load import library

_NUMBER, _POINTER = ctypes.c_int64, ctypes.c_void_p


class AdamStep(ctypes.Structure):
    """`struct adam` of adam.h: what is the same for all weights in one step."""

    _fields_ = [
        (name, ctypes.c_float)
        for name in ("news1", "news2", "beta2", "epsilon", "rate", "correction", "decay", "shrink")
    ]


@dataclass(frozen=True)
class Kernels:
    """The compiled kernels. All tensors are on the CPU, contiguous unless it says channels last."""

    library: ctypes.CDLL
    matrix_units: bool
    """Whether those for bfloat16 products are there."""

    def max_pool(self, images: torch.Tensor) -> tuple[torch.Tensor, torch.Tensor]:
        """Return max_pool2d(images, 2), and which of four places each number came from.

        images: float32 or bfloat16 [n, channels, height, width], channels last, as the pooled
        images; places: uint8, in the same order in memory.
        """
        return self._pool("max_pool", images)

    def relu_pool(self, images: torch.Tensor) -> tuple[torch.Tensor, torch.Tensor]:
        """Return relu(max_pool2d(images, 2)) and places; a place is 4 if all are at most zero."""
        return self._pool("relu_pool", images)

    def _pool(self, name: str, images: torch.Tensor) -> tuple[torch.Tensor, torch.Tensor]:
        n, channels, height, width = images.shape
        pooled = _channels_last(n, channels, height // 2, width // 2, images.dtype)
        places = torch.empty(pooled.numel(), dtype=torch.uint8)
        self._of_type(name, images.dtype)(
            n, height, width, channels, images.data_ptr(), pooled.data_ptr(), places.data_ptr()
        )
        return pooled, places

    def pool_backward(
        self, upstream: torch.Tensor, places: torch.Tensor, height: int, width: int
    ) -> torch.Tensor:
        """Return the gradient of the images, [n, channels, height, width], channels last."""
        n, channels, _, _ = upstream.shape
        gradient = _channels_last(n, channels, height, width, upstream.dtype)
        self._of_type("pool_backward", upstream.dtype)(
            n, height, width, channels, upstream.data_ptr(), places.data_ptr(), gradient.data_ptr()
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
        filters a multiple of 16; relu: cut the result at zero, as `relu_pool` does; dtype: that of
        the result and of the factors. Sums are float32.
        """
        n, _, height, width = images.shape
        filters, _, k, _ = weight.shape
        rows, columns = ((size + 2 * margin - k + 1) // 2 for size in (height, width))
        pooled = _channels_last(n, filters, rows, columns, dtype)
        places = torch.empty(pooled.numel(), dtype=torch.uint8)
        self._of_type("conv_pool", dtype)(
            *(n, height, width, k, margin, filters, relu),
            images.data_ptr(),
            weight.data_ptr(),
            bias.data_ptr(),
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
        of_weight, of_bias = images.new_empty(filters, 1, k, k), images.new_empty(filters)
        self._of_type("conv_pool_backward", upstream.dtype)(
            *(n, height, width, k, margin, filters),
            upstream.data_ptr(),
            places.data_ptr(),
            images.data_ptr(),
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
        output = bias.new_empty(len(rows), len(weight))
        self.library.linear_forward_bfloat16(
            *_sizes(rows, weight),
            rows.data_ptr(),
            weight.data_ptr(),
            bias.data_ptr(),
            output.data_ptr(),
        )
        return output

    def linear_backward(self, upstream: torch.Tensor, weight: torch.Tensor) -> torch.Tensor:
        """Return upstream @ weight as bfloat16; both are float32 and rounded to bfloat16."""
        gradient = upstream.new_empty(len(upstream), weight.shape[1], dtype=torch.bfloat16)
        self.library.linear_backward_bfloat16(
            *_sizes(gradient, weight),
            upstream.data_ptr(),
            weight.data_ptr(),
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
        self._of_type("linear_step", rows.dtype)(
            *_sizes(rows, weight),
            upstream.data_ptr(),
            rows.data_ptr(),
            ctypes.byref(adam),
            weight.data_ptr(),
            mean.data_ptr(),
            square.data_ptr(),
        )

    def _of_type(self, name: str, dtype: torch.dtype) -> ctypes._NamedFuncPointer:
        return getattr(self.library, f"{name}_{str(dtype).removeprefix('torch.')}")  # type: ignore[no-any-return]


def _channels_last(
    n: int, channels: int, height: int, width: int, dtype: torch.dtype
) -> torch.Tensor:
    return torch.empty(n, channels, height, width, dtype=dtype, memory_format=torch.channels_last)


def _sizes(rows: torch.Tensor, weight: torch.Tensor) -> tuple[int, int, int]:
    return len(rows), weight.shape[1], len(weight)


def kernels() -> Kernels | None:
    """Return the kernels of this process, or None where PyTorch's serve.

    Raises UsageError as `library` does.
    """
    found = library()
    return None if found is None else _declared(found)


@cache
def _declared(found: ctypes.CDLL) -> Kernels:
    for dtype in ("float32", "bfloat16"):
        _declare(found, f"max_pool_{dtype}", sizes=4, tensors=3)
        _declare(found, f"relu_pool_{dtype}", sizes=4, tensors=3)
        _declare(found, f"pool_backward_{dtype}", sizes=4, tensors=3)
    _declare(found, "conv_pool_float32", sizes=7, tensors=5)
    _declare(found, "conv_pool_backward_float32", sizes=6, tensors=5)
    _declare(found, "linear_step_float32", sizes=3, tensors=6)
    matrix_units = hasattr(found, "matrix_units") and found.matrix_units() == 0
    if matrix_units:
        _declare(found, "conv_pool_bfloat16", sizes=7, tensors=5)
        _declare(found, "conv_pool_backward_bfloat16", sizes=6, tensors=5)
        _declare(found, "linear_forward_bfloat16", sizes=3, tensors=4)
        _declare(found, "linear_backward_bfloat16", sizes=3, tensors=3)
        _declare(found, "linear_step_bfloat16", sizes=3, tensors=6)
    return Kernels(found, matrix_units)


def _declare(found: ctypes.CDLL, name: str, *, sizes: int, tensors: int) -> None:
    function = getattr(found, name)
    function.argtypes = [_NUMBER] * sizes + [_POINTER] * tensors
    function.restype = None
