"""Linear layers that waste no memory traffic."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager, nullcontext
from typing import Any

import torch
from torch import nn


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
