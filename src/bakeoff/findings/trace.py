"""One forward pass written down: each layer, the activation its maps run into, and attention.

While a `Trace` is entered it is handed every function of PyTorch that Python calls with tensors,
so that a layer `nn.ReLU`, `F.relu(x)` and `x.relu_()` are the same to it. It follows the output of
a convolution or a fully connected layer through pooling, normalising, padding, adding and
multiplying (by the other branch of a residual block, too) up to the first activation: a function
that works element by element and that PyTorch has a layer for. What went in and what came out are
copied before they can be overwritten. An activation that runs on anything else, as on maps that
were joined or permuted, is written down by itself, under the name of the layer that ran before it.

An activation of the network's own is seen as the functions that it is made of, `x * sigmoid(x)` as
a sigmoid. One of plain arithmetic, a clamp, those inside a recurrent layer, and what is scripted or
compiled are not seen. A layer is never given an activation that it does not run into.
"""

from __future__ import annotations

import math
import re
import weakref
from collections.abc import Callable, Mapping, Sequence
from dataclasses import replace
from functools import partial
from typing import Any, NamedTuple, Self

import numpy as np
import torch
from numpy.typing import NDArray
from torch import nn
from torch._C import DisableTorchFunction
from torch.overrides import TorchFunctionMode
from torch.utils.hooks import RemovableHandle

from bakeoff.findings.attention import heeded
from bakeoff.findings.view import Activation, Kind, LayerMaps

_MIXING = {"MultiheadAttention", "Softmax", "Softmax2d", "Softmin", "LogSoftmax", "GLU"}
_ACTIVATIONS = {name.lower(): name for name in nn.modules.activation.__all__ if name not in _MIXING}
"""The function's name without underscores -> the layer's: leakyrelu -> LeakyReLU."""

_LAYERS: dict[str, Kind] = {
    "conv2d": "convolution",
    "linear": "fully connected layer",
    **dict.fromkeys(("lstm", "gru", "rnn_tanh", "rnn_relu"), "recurrent layer"),
}

_BETWEEN = {
    r".*pool2d": "pooling",
    r".*_norm": "normalising",
    r"[ir]?add": "adding",
    r"[ir]?mul": "multiplying",
    r"pad": "padding",
}
_CHANGES_NO_NUMBER = re.compile(r".*dropout\d?d?|to|clone|contiguous|flatten|reshape|view")

_Way = tuple[str, ...]
"""What the maps of a layer went through."""


class _Followed(NamedTuple):
    """What is known of a tensor that a function returned."""

    tensor: weakref.ref[torch.Tensor]
    """Another one may take its identity when it is gone."""
    ways: Mapping[int, _Way]
    """By the number of a layer in `maps`, how its maps came here without activation."""
    channels_last: bool
    """As fully connected and recurrent layers leave them; a convolution leaves them first."""
    activated: int | None
    """The number of the layer whose activation this came out of."""


class Trace(TorchFunctionMode):
    """Writes down the pass of images, [n, channels, height, width], through `model`.

    Attributes:
        maps: of each layer, in the order in which the images pass them.
        named: of each module in `looked_at`, likewise.
        filters: the weights of each convolution, [filters, channels, height, width].
        linear: the weights of each fully connected layer, [out, in].
        attention: of one image, [tokens, tokens] for each layer that computes it.
        grid: height and width of the maps of the last convolution.
        layers: how many functions changed a number.

    """

    def __init__(
        self,
        model: nn.Module,
        kept: Callable[[torch.Tensor], NDArray[np.float32]] | None = None,
        looked_at: Sequence[str] = (),
    ) -> None:
        """Prepare to keep what `kept` returns of maps [n, channels, height, width].

        Without it that is a copy of the first image's. looked_at: names of modules whose outputs
        are kept, too.
        """
        super().__init__()
        self.maps: list[LayerMaps] = []
        self.named: list[LayerMaps] = []
        self.filters: list[torch.Tensor] = []
        self.linear: list[torch.Tensor] = []
        self.attention: list[torch.Tensor] = []
        self.grid = (1, 1)
        self.layers = 0
        self._kept = kept or _first_image
        self._names = {
            id(weights): name.rpartition(".")[0] for name, weights in model.named_parameters()
        }
        self._latest = ""  # The module with weights that ran last.
        self._followed: dict[int, _Followed] = {}  # By the identity of a tensor.
        self._modules = {name: model.get_submodule(name) for name in looked_at}
        self._hooks: list[RemovableHandle] = []

    @property
    def convolutions(self) -> list[LayerMaps]:
        """The maps of each convolution."""
        return [maps for maps in self.maps if maps.kind == "convolution"]

    def __enter__(self) -> Self:
        """Begin to write down."""
        for name, module in self._modules.items():
            self._hooks.append(module.register_forward_hook(partial(self._came_out, name)))
        super().__enter__()  # type: ignore[no-untyped-call]
        return self

    def __exit__(self, *raised: object) -> None:
        """End it."""
        super().__exit__(*raised)  # type: ignore[no-untyped-call]
        while self._hooks:
            self._hooks.pop().remove()

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
        self._latest = next(filter(None, map(self._name_of, inputs)), self._latest)
        known = list(filter(None, map(self._known, inputs)))
        last = any(each.channels_last for each in known)
        activation = _activation(name, kwargs) if inputs and 2 <= inputs[0].ndim <= 4 else None
        # It may work in place, so its input is copied before it is gone.
        before = self._maps(inputs[0], last) if activation else None
        output = function(*args, **kwargs)
        heed = heeded(name, function, args, kwargs, output)
        if heed is not None:
            self.attention.append(heed)
        # A recurrent layer returns its last state, too.
        kind, main = _LAYERS.get(name), output[0] if isinstance(output, tuple) else output
        if not isinstance(main, torch.Tensor):
            return output
        self.layers += _CHANGES_NO_NUMBER.fullmatch(name) is None
        ways, activated = self._ways_to(known), None
        if activation and before is not None:
            ran = Activation(activation, (), before, self._maps(main, last))
            ways, activated = {}, self.activated(ran, ways)
        elif kind:
            ways, last = {len(self.maps): ()}, kind != "convolution"
            self._layer(kind, args, kwargs, main)
        else:
            ways, last = _gone_on(name, ways), last and _between(name) is not None
        self._followed[id(main)] = _Followed(weakref.ref(main), ways, last, activated)
        return output

    def _name_of(self, weights: torch.Tensor) -> str:
        return self._names.get(id(weights), "")

    def _known(self, tensor: torch.Tensor) -> _Followed | None:
        followed = self._followed.get(id(tensor))
        return followed if followed is not None and followed.tensor() is tensor else None

    def _ways_to(self, known: Sequence[_Followed]) -> dict[int, _Way]:
        """Return, by the number of the layer, how maps without activation came here."""
        found = {number: way for each in known for number, way in each.ways.items()}
        return {n: way for n, way in found.items() if self.maps[n].activation is None}

    def _maps(self, tensor: torch.Tensor, channels_last: bool) -> NDArray[np.float32]:
        """Return what is kept of a tensor, as maps."""
        maps = tensor.movedim(-1, 1) if channels_last else tensor
        if maps.ndim == 3:
            places, patches = maps.shape[2], math.prod(self.grid)
            # A token of each patch; one before them gathers what they say.
            if patches > 1 and places - patches in (0, 1):
                maps = maps[:, :, -patches:].unflatten(2, self.grid)
            else:
                maps = maps.unsqueeze(2)
        return self._kept(maps if maps.ndim == 4 else maps.reshape(*maps.shape[:2], 1, -1))

    def _layer(
        self, kind: Kind, args: Sequence[Any], kwargs: Mapping[str, Any], output: torch.Tensor
    ) -> None:
        """Write down what a layer returned."""
        if kind == "recurrent layer":
            # Whether the images come first is what it is called with last.
            weights, output = args[2][0], output if args[-1] else output.transpose(0, 1)
        else:
            weights = args[1] if len(args) > 1 else kwargs["weight"]
        if kind == "convolution":
            self.filters.append(weights)
            self.grid = output.shape[2], output.shape[3]
        elif kind == "fully connected layer":
            self.linear.append(weights)
        number = 1 + sum(maps.kind == kind for maps in self.maps)
        name = self._name_of(weights) or f"{kind} {number}"
        maps = self._maps(output, kind != "convolution")
        self.maps.append(LayerMaps(name, kind, number, maps, activation=None))

    def activated(self, ran: Activation, ways: Mapping[int, _Way]) -> int:
        """Give the activation to each layer whose maps, channel by channel, ran into it.

        Where there is none it stands by itself. Returns the number of the first of them.
        """
        into = [n for n in ways if len(ran.before) == len(self.maps[n].output)]
        for n in into:
            found = replace(ran, between=ways[n])
            self.maps[n] = replace(self.maps[n], activation=found)
        if not into:
            number = 1 + sum(maps.kind == "activation" for maps in self.maps)
            into = [len(self.maps)]
            self.maps.append(LayerMaps(self._latest, "activation", number, ran.before, ran))
        return into[0]

    def _came_out(self, name: str, module: nn.Module, given: object, output: object) -> None:
        """Write down what came out of a module that is looked at, and of what activation."""
        if not isinstance(output, torch.Tensor):
            return
        known, number = self._known(output), len(self.named) + 1
        if known is not None and known.activated is not None:
            maps = self.maps[known.activated]
            self.named.append(replace(maps, name=name, kind="place", number=number))
            return
        with DisableTorchFunction():
            came = self._maps(output, known is not None and known.channels_last)
        self.named.append(LayerMaps(name, "place", number, came, activation=None))


def _activation(function: str, kwargs: Mapping[str, Any]) -> str | None:
    """Return what an activation's layer is called; None for any other function."""
    # PyTorch's layer ReLU6 calls this function, of which it is a case.
    if function == "hardtanh" and (kwargs.get("min_val"), kwargs.get("max_val")) == (0, 6):
        return "ReLU6"
    return _ACTIVATIONS.get(function.replace("_", ""))


def _between(function: str) -> str | None:
    """Return the word for a function that maps go through; empty where it changes no number.

    None where they end.
    """
    if _CHANGES_NO_NUMBER.fullmatch(function):
        return ""
    return next((word for each, word in _BETWEEN.items() if re.fullmatch(each, function)), None)


def _gone_on(function: str, ways: Mapping[int, _Way]) -> dict[int, _Way]:
    """Return how the maps of each layer came out of a function; none where they ended."""
    word = _between(function)
    if word is None:
        return {}
    return {n: way if word in ("", *way[-1:]) else (*way, word) for n, way in ways.items()}


def _first_image(maps: torch.Tensor) -> NDArray[np.float32]:
    held: NDArray[np.float32] = maps[0].float().numpy().copy()
    return held
