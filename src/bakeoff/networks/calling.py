"""How a network is called: by keyword, with what its signature asks for."""

from __future__ import annotations

import inspect
from collections.abc import Callable, Iterator, Mapping, Sequence
from typing import Any

import torch
from torch import nn
from torch.nn.parameter import is_lazy

from bakeoff.errors import NetworkError, did_you_mean
from bakeoff.networks.guest import guest, untrained
from bakeoff.networks.network import Architecture
from bakeoff.networks.sources import Source
from bakeoff.networks.trouble import told

Shape = tuple[int, int, int]

CLASSES = ("num_classes", "n_classes", "classes")
CHANNELS = ("in_channels", "in_chans", "channels")
SIZES = ("image_size", "input_size", "img_size")
"""What numbers of classes, channels and pixels are called. Of each the first that a signature has
is given: beside `in_channels`, `channels` means something else."""

_NAMED = (inspect.Parameter.POSITIONAL_OR_KEYWORD, inspect.Parameter.KEYWORD_ONLY)


def called(
    found: Callable[..., Any], name: str, arguments: Mapping[str, Any], source: Source | None
) -> Architecture:
    """Return what makes a network by calling `found`.

    name: what messages call it. arguments: the study's, which go before all else.
    Raises NetworkError where they do not fit the signature. So does what is returned, where an
    argument is missing, the code fails, or no `nn.Module` comes of it.
    """
    parameters = _parameters(found, name)
    takes_all = any(each.kind is each.VAR_KEYWORD for each in parameters.values())
    named = {key: each for key, each in parameters.items() if each.kind in _NAMED}
    for key in arguments:
        if key not in named and not takes_all:
            hint = did_you_mean(key, named) if named else "it takes none"
            raise NetworkError(f"{name} takes no argument {key!r}; {hint}")
    file = name if source is None else str(source.file)

    def make(image_shape: Shape, classes: int) -> nn.Module:
        given = dict(_given(named, image_shape, classes)) | dict(arguments)
        missing = [
            key
            for key, each in parameters.items()
            if each.default is each.empty
            and key not in given
            and each.kind in (*_NAMED, each.POSITIONAL_ONLY)
        ]
        if missing:
            raise NetworkError(
                f"{name} needs {' and '.join(missing)}, which nobody gives; "
                f"say arguments = {{ {missing[0]} = … }} in the study"
            )
        with told(name, source), guest(file):
            with untrained():
                made = found(**given)
            if not isinstance(made, nn.Module):
                kind = type(made).__name__
                raise NetworkError(f"{name} gave a {kind}, and a network is a torch.nn.Module")
            if any(map(is_lazy, _tensors(made))):
                _settle(made, image_shape)
        return made

    return make


def _parameters(found: Callable[..., Any], name: str) -> Mapping[str, inspect.Parameter]:
    try:
        return inspect.signature(found).parameters
    except (ValueError, TypeError) as error:
        raise NetworkError(f"{name} does not say which arguments it takes") from error


def _given(
    named: Mapping[str, inspect.Parameter], image_shape: Shape, classes: int
) -> Iterator[tuple[str, Any]]:
    """Yield what a signature asks for of what is known of the data."""
    channels, height, width = image_shape
    yield from _first(named, CLASSES, classes)
    yield from _first(named, CHANNELS, channels)
    if "image_shape" in named:
        yield "image_shape", image_shape
    for key in SIZES:
        if key in named:
            default = named[key].default
            if default == channels * height * width:
                return  # The number of inputs, and that it is.
            sides = len(default) if isinstance(default, Sequence) else 0
            yield key, _size(image_shape, sides)
            return


def _first(
    named: Mapping[str, inspect.Parameter], keys: Sequence[str], value: int
) -> Iterator[tuple[str, int]]:
    """Yield the first of the keys, unless its default says that it means no number."""
    for key in keys:
        if key in named:
            default = named[key].default
            if default in (None, inspect.Parameter.empty) or type(default) is int:
                yield key, value
            return


def _size(image_shape: Shape, sides: int) -> int | tuple[int, ...]:
    """Return the size as a default of so many numbers has it; the side of a square as one."""
    _, height, width = image_shape
    if sides == 3:
        return image_shape
    return height if height == width and not sides else (height, width)


def _tensors(model: nn.Module) -> Iterator[torch.Tensor]:
    yield from model.parameters()
    yield from model.buffers()


@torch.no_grad()
def _settle(model: nn.Module, image_shape: Shape) -> None:
    """Let lazy layers learn their shapes from one empty image; nothing else changes."""
    model.eval()
    model(torch.zeros(1, *image_shape))
    model.train()
