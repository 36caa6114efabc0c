"""How the weights start. Each scheme changes what it names and leaves the rest to PyTorch."""

from __future__ import annotations

from collections.abc import Callable

import torch
from torch import nn


def _framework_default(model: nn.Module) -> None:
    """Leave all layers as PyTorch starts them: uniform within 1 / sqrt(fan in)."""


@torch.no_grad()
def _absolute_xavier_normal(model: nn.Module) -> None:
    """Start convolutions at the absolute value of Xavier normal, with bias 0.01."""
    for layer in model.modules():
        if isinstance(layer, nn.Conv2d):
            nn.init.xavier_normal_(layer.weight).abs_()
            if layer.bias is not None:
                nn.init.constant_(layer.bias, 0.01)


@torch.no_grad()
def _xavier_normal(model: nn.Module) -> None:
    """Start convolutions at Xavier normal with bias 0 (Glorot & Bengio, 2010, eq. 12)."""
    for layer in model.modules():
        if isinstance(layer, nn.Conv2d):
            nn.init.xavier_normal_(layer.weight)
            if layer.bias is not None:
                nn.init.zeros_(layer.bias)


@torch.no_grad()
def _kaiming_normal(model: nn.Module) -> None:
    """Start every layer at Kaiming normal for ReLU with bias 0 (He et al., 2015, eq. 10)."""
    for layer in model.modules():
        if isinstance(layer, nn.Conv2d | nn.Linear):
            nn.init.kaiming_normal_(layer.weight, nonlinearity="relu")
            if layer.bias is not None:
                nn.init.zeros_(layer.bias)


SCHEMES: dict[str, Callable[[nn.Module], None]] = {
    "framework-default": _framework_default,
    "absolute-xavier-normal": _absolute_xavier_normal,
    "xavier-normal": _xavier_normal,
    "kaiming-normal": _kaiming_normal,
}
"""What starts the weights of a network, by its name in a recipe, drawn as PyTorch draws."""
