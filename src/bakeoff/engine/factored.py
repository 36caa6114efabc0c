"""Large linear layers whose weight gradient is never made."""

from __future__ import annotations

from typing import Any

import torch
from torch import nn

from bakeoff.engine.linear import InPlaceLinear
from bakeoff.engine.native import AdamStep, Kernels


class FactoredLinear(nn.Linear):
    """A large linear layer that keeps its weight's gradient as the factors whose product it is.

    The gradient, upstream.T @ rows, is as large as the weight, and its factors are no larger than a
    batch. `step` makes it in blocks that stay in the cache, each used up at once.
    """

    def __init__(self, layer: InPlaceLinear, kernels: Kernels) -> None:
        nn.Module.__init__(self)
        self.__dict__.update(layer.__dict__)
        self.kernels = kernels
        self.factors: list[tuple[torch.Tensor, torch.Tensor]] = []
        """(upstream [batch, out], rows [batch, in]) of each backward pass since the last step."""

    def forward(self, inputs: torch.Tensor) -> torch.Tensor:
        """Map float [..., in] to float32 [..., out]; under autocast the factors are bfloat16."""
        rounded = torch.is_autocast_enabled("cpu")
        rows = (inputs.bfloat16() if rounded else inputs.float()).flatten(end_dim=-2).contiguous()
        product = _Product.apply(rows, self.weight, self.bias, self)  # type: ignore[no-untyped-call]
        return product.unflatten(0, inputs.shape[:-1])  # type: ignore[no-any-return]

    def add_gradient(self) -> None:
        """Add the product of the factors to the weight's gradient, for whom needs it whole."""
        for upstream, rows in self.factors:
            product = upstream.t() @ rows.float()
            self.weight.grad = product if self.weight.grad is None else self.weight.grad + product

    def step(self, adam: AdamStep, mean: torch.Tensor, square: torch.Tensor) -> None:
        """Move the weight and its two moments along the gradient, which is used up by that."""
        upstream, rows = self.factors[0]
        if len(self.factors) > 1:  # The layer is used more than once.
            upstream, rows = (torch.cat(parts) for parts in zip(*self.factors, strict=True))
        self.kernels.linear_step(upstream, rows, adam, self.weight, mean, square)
        self.factors.clear()


class _Product(torch.autograd.Function):
    """rows @ weight.T + bias in float32; of bfloat16 rows with all factors rounded to that."""

    @staticmethod
    def forward(
        ctx: Any,
        rows: torch.Tensor,
        weight: torch.Tensor,
        bias: torch.Tensor,
        layer: FactoredLinear,
    ) -> torch.Tensor:
        ctx.rows, ctx.layer = rows, layer
        if rows.dtype == torch.bfloat16:
            return layer.kernels.linear_forward(rows, weight, bias)
        return torch.addmm(bias, rows, weight.t())

    @staticmethod
    def backward(ctx: Any, upstream: torch.Tensor) -> tuple[torch.Tensor | None, ...]:
        rows, layer, to_rows = ctx.rows, ctx.layer, None
        upstream = upstream.contiguous()
        layer.factors.append((upstream, rows))
        if ctx.needs_input_grad[0]:
            rounded = rows.dtype == torch.bfloat16
            product = layer.kernels.linear_backward if rounded else torch.mm
            to_rows = product(upstream, layer.weight)
        return to_rows, None, upstream.sum(0), None


def factored(model: nn.Module, kernels: Kernels) -> list[FactoredLinear]:
    """Let all large layers of a twin keep their gradients factored; return them."""
    found = []
    for name, layer in list(model.named_modules()):
        if type(layer) is InPlaceLinear and layer.weight.requires_grad and _fits(layer, kernels):
            found.append(FactoredLinear(layer, kernels))
            model.set_submodule(name, found[-1])
    return found


def _fits(layer: nn.Linear, kernels: Kernels) -> bool:
    """Return whether the kernels can take the layer in both precisions."""
    whole = layer.weight.dtype == torch.float32 and layer.weight.is_contiguous()
    return whole and kernels.matrix_units and layer.in_features % 2 == 0
