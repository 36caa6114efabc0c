"""One forward pass written down: each convolution, and the activation that its maps run into.

While a `Trace` is entered it is handed every function of PyTorch that Python calls with tensors,
so that a layer `nn.ReLU`, `F.relu(x)` and `x.relu_()` are the same to it. It follows the output of
a convolution through pooling, normalising, padding, adding and multiplying (by the other branch of
a residual block, too) up to the first activation: a function that works element by element and that
PyTorch has a layer for. What went in and what came out are copied before they can be overwritten.

An activation of the network's own is seen as the functions that it is made of, `x * sigmoid(x)` as
a sigmoid. One of plain arithmetic, a clamp, and what is scripted or compiled is not seen; nor are
maps followed that are joined with others, permuted, or mixed by another layer. Such a convolution
is left without an activation, never given one that it does not run into.
"""

from __future__ import annotations

import re
from collections.abc import Callable, Mapping, Sequence
from dataclasses import replace
from typing import Any

import numpy as np
import torch
from numpy.typing import NDArray
from torch import nn
from torch.overrides import TorchFunctionMode

from bakeoff.findings.view import Activation, ConvolutionMaps

_MIXING = {"MultiheadAttention", "Softmax", "Softmax2d", "Softmin", "LogSoftmax", "GLU"}
_ACTIVATIONS = {name.lower(): name for name in nn.modules.activation.__all__ if name not in _MIXING}
"""The function's name without underscores -> the layer's: leakyrelu -> LeakyReLU."""

_BETWEEN = {
    r".*pool2d": "pooling",
    r".*_norm": "normalising",
    r"[ir]?add": "adding",
    r"[ir]?mul": "multiplying",
    r"pad": "padding",
}
_CHANGES_NO_NUMBER = re.compile(r".*dropout\d?d?|to|clone|contiguous|flatten|reshape|view")

_Way = tuple[str, ...]
"""What the maps of a convolution went through."""


class Trace(TorchFunctionMode):
    """Writes down the pass of one image, [1, channels, height, width], through `model`.

    Attributes:
        convolutions: in the order in which the image passes them.
        filters: the weights of each of them, [filters, channels, height, width].
        linear: the weights of each linear layer, [out, in].
        layers: how many functions changed a number.

    """

    def __init__(self, model: nn.Module) -> None:
        super().__init__()
        self.convolutions: list[ConvolutionMaps] = []
        self.filters: list[torch.Tensor] = []
        self.linear: list[torch.Tensor] = []
        self.layers = 0
        self._layer_names = {
            id(weights): name.rpartition(".")[0] for name, weights in model.named_parameters()
        }
        # By the identity of a tensor, which must be kept for as long, or another one may take it.
        self._followed: dict[int, tuple[torch.Tensor, dict[int, _Way]]] = {}

    def __torch_function__(
        self,
        function: Callable[..., Any],
        types: Sequence[type],
        args: Sequence[Any] = (),
        kwargs: Mapping[str, Any] | None = None,
    ) -> Any:
        """Call `function` and write down what it does to the maps that are followed."""
        kwargs = kwargs or {}
        name = function.__name__.strip("_")
        inputs = [each for each in (*args, *kwargs.values()) if isinstance(each, torch.Tensor)]
        ways = self._ways_to(inputs)
        activation = _activation(name, kwargs) if ways else None
        # It may work in place, so its input is copied before it is gone.
        before = _copy(inputs[0]) if activation else None
        output = function(*args, **kwargs)
        if not isinstance(output, torch.Tensor):
            return output
        self.layers += _CHANGES_NO_NUMBER.fullmatch(name) is None
        if activation and before is not None:
            self._activated(activation, ways, before, _copy(output))
        if name == "linear":
            self.linear.append(_weights(args, kwargs))
        if name == "conv2d":
            self._convolved(_weights(args, kwargs), output)
            gone_on: dict[int, _Way] = {len(self.convolutions) - 1: ()}
        else:
            gone_on = _gone_on(name, ways)
        self._followed[id(output)] = output, gone_on
        return output

    def _ways_to(self, inputs: Sequence[torch.Tensor]) -> dict[int, _Way]:
        """Return, by the number of the convolution, how maps without activation came here."""
        found: dict[int, _Way] = {}
        for each in inputs:
            found |= self._followed[id(each)][1] if id(each) in self._followed else {}
        return {n: way for n, way in found.items() if self.convolutions[n].activation is None}

    def _convolved(self, weights: torch.Tensor, output: torch.Tensor) -> None:
        self.filters.append(weights)
        name = self._layer_names.get(id(weights)) or f"convolution {len(self.filters)}"
        self.convolutions.append(ConvolutionMaps(name, _copy(output), activation=None))

    def _activated(
        self,
        name: str,
        ways: Mapping[int, _Way],
        before: NDArray[np.float32],
        after: NDArray[np.float32],
    ) -> None:
        """Give the activation to each convolution whose maps, channel by channel, ran into it."""
        for number, way in ways.items():
            maps = self.convolutions[number]
            if before.ndim == maps.output.ndim and len(before) == len(maps.output):
                found = Activation(name, way, before, after)
                self.convolutions[number] = replace(maps, activation=found)


def _activation(function: str, kwargs: Mapping[str, Any]) -> str | None:
    """Return what an activation's layer is called; None for any other function."""
    # PyTorch's layer ReLU6 calls this function, of which it is a case.
    if function == "hardtanh" and (kwargs.get("min_val"), kwargs.get("max_val")) == (0, 6):
        return "ReLU6"
    return _ACTIVATIONS.get(function.replace("_", ""))


def _gone_on(function: str, ways: Mapping[int, _Way]) -> dict[int, _Way]:
    """Return how the maps of each convolution came out of a function; none where they ended."""
    if _CHANGES_NO_NUMBER.fullmatch(function):
        return dict(ways)
    for pattern, word in _BETWEEN.items():
        if re.fullmatch(pattern, function):
            return {n: way if way[-1:] == (word,) else (*way, word) for n, way in ways.items()}
    return {}


def _weights(args: Sequence[Any], kwargs: Mapping[str, Any]) -> torch.Tensor:
    """Return the second argument of `conv2d` and `linear`."""
    weights: torch.Tensor = args[1] if len(args) > 1 else kwargs["weight"]
    return weights


def _copy(tensor: torch.Tensor) -> NDArray[np.float32]:
    """Return what a tensor holds of the one image."""
    held: NDArray[np.float32] = tensor[0].float().numpy().copy()
    return held
