"""Where training starts: weights that were trained elsewhere, and parameters that stay as they are.

Only safetensors are read: other kinds of files of weights can run code.
"""

from __future__ import annotations

import hashlib
import textwrap
from collections.abc import Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass
from fnmatch import fnmatchcase
from itertools import chain
from pathlib import Path
from types import MethodType

import torch
from torch import nn

from bakeoff.errors import NetworkError, UnreadableError, did_you_mean
from bakeoff.files.reading import read_file
from bakeoff.files.tensors import from_safetensors

LARGEST_FILE = 16_000_000_000
"""Bytes."""


class MisfitError(NetworkError):
    """Weights or patterns that are not of the network they are given for."""

    def __init__(self, key: str, line: str) -> None:
        super().__init__(line)
        self.key = key
        """Of the entrant: `weights`, `trainable` or `recipe.initialisation`."""


@dataclass(frozen=True)
class Given:
    """Weights that a network starts from, trained elsewhere."""

    origin: str
    """The file as the study calls it, or the network of a zoo that brings them along."""
    sha256: str
    """Of the file, or of all tensors that the zoo's network has."""
    tensors: Mapping[str, torch.Tensor] | None
    """By their names in the network; None where the network loads them as it is made."""


def read_given(file: Path, origin: str) -> tuple[Given, bytes]:
    """Return the weights of a safetensors file, and its content; raise NetworkError."""
    try:
        content = read_file(file, LARGEST_FILE)
    except UnreadableError as error:
        raise NetworkError(f"{error}; give a file of weights, FILE.safetensors") from error
    try:
        tensors = from_safetensors(content, str(file))
    except UnreadableError as error:
        raise NetworkError(
            f"{error}, and no other kind of weights is read, since they can run code; write them "
            'anew: safetensors.torch.save_file(network.state_dict(), "FILE.safetensors")'
        ) from error
    for key, value in tensors.items():
        if not value.isfinite().all():
            raise NetworkError(
                f"{file}: {key} is not finite; give weights that a training ended with"
            )
    return Given(origin, hashlib.sha256(content).hexdigest(), tensors), content


def anew(name: str, model: nn.Module, given: Given, classes: int) -> tuple[str, ...]:
    """Return which weights of `model`, called `name`, start anew: a last layer of other classes.

    The model may have no numbers. Raises MisfitError where anything else does not fit. A count of
    batches may be missing: old files have none.
    """
    own, there = model.state_dict(), given.tensors
    if there is None:
        return ()
    of_another, others = "give weights of this network", dict[str, torch.Size]()
    for key in sorted(there.keys() - own.keys()):
        line = f"{given.origin} has {key}, which {name} has not; {of_another}"
        raise MisfitError("weights", line)
    for key, value in own.items():  # A file has no order.
        if key not in there:
            if key.endswith("num_batches_tracked"):
                continue
            line = f"{given.origin} has no {key}, which {name} has; {_hint(key, there)}"
            raise MisfitError("weights", line)
        shape = there[key].shape
        if shape == value.shape:
            continue
        others[key] = shape
        is_last = value.shape[:1] == (classes,) and value.shape[1:] == shape[1:]
        if not is_last or len({each[0] for each in others.values()}) > 1:
            line = f"{key} is {list(shape)} in {given.origin} and {list(value.shape)} in {name}"
            raise MisfitError("weights", f"{line}; {of_another}")
    return tuple(others)


def load_given(name: str, model: nn.Module, given: Given, classes: int) -> None:
    """Let `model` start from given weights, but for those that start anew; raise MisfitError."""
    fresh, own = anew(name, model, given, classes), model.state_dict()
    if given.tensors is not None:
        model.load_state_dict(own | {k: v for k, v in given.tensors.items() if k not in fresh})


def hold_still(name: str, model: nn.Module, trainable: Sequence[str]) -> None:
    """Let training move those parameters alone whose names fit a pattern, as `head.*`.

    A layer that keeps running statistics computes as in evaluation while none of what it keeps fits
    one, so they stay, too. Raises MisfitError where a pattern fits no parameter that could move.
    """
    could = [key for key, each in _named(model) if each.requires_grad]
    for pattern in trainable:
        if not any(fnmatchcase(key, pattern) for key in could):
            hint = _hint(pattern, could)
            raise MisfitError("trainable", f"{pattern!r} fits no parameter of {name}; {hint}")
    moving = {id(each) for key, each in _named(model) if _fits(key, trainable)}
    for parameter in model.parameters():
        parameter.requires_grad_(parameter.requires_grad and id(parameter) in moving)
    for path, layer in model.named_modules():
        buffers = [key for key, _ in layer.named_buffers(recurse=False)]
        if any(key.startswith("running_") for key in buffers):
            kept = chain(buffers, (key for key, _ in layer.named_parameters(recurse=False)))
            if not any(_fits(f"{path}.{key}".lstrip("."), trainable) for key in kept):
                layer.training = False
                # Copied with the layer, and then of the copy.
                layer.train = MethodType(_train_inside, layer)


def _hint(name: str, known: Iterable[str]) -> str:
    """Return the nearest name, or some of them all: a network has hundreds."""
    return textwrap.shorten(did_you_mean(name, known), 100, placeholder=" ...")


def _named(model: nn.Module) -> Iterator[tuple[str, nn.Parameter]]:
    """Yield all parameters by all their names: tied ones have several."""
    return model.named_parameters(remove_duplicate=False)


def _fits(name: str, patterns: Sequence[str]) -> bool:
    return any(fnmatchcase(name, pattern) for pattern in patterns)


def _train_inside(layer: nn.Module, mode: bool = True) -> nn.Module:
    """Set the mode of what a layer holds, and not its own."""
    for child in layer.children():
        child.train(mode)
    return layer
