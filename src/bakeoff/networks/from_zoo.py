"""Networks of timm and torchvision, by name; those of timm with trained weights where asked."""

from __future__ import annotations

import hashlib
import importlib.metadata
import sys
import textwrap
import warnings
from collections.abc import Callable, Mapping, Set
from difflib import get_close_matches
from functools import cache
from types import ModuleType
from typing import Any

import torch
from torch import nn

from bakeoff.errors import NetworkError
from bakeoff.files.tensors import to_safetensors
from bakeoff.networks.given import Given
from bakeoff.networks.guest import guest
from bakeoff.networks.other_builds import import_module
from bakeoff.networks.randomness import own_numbers
from bakeoff.networks.stopping import StoppedError

_TRAINED_ELSEWHERE = {
    "cache_dir", "checkpoint_path", "pretrained", "pretrained_cfg", "pretrained_cfg_overlay",
    "weights", "weights_backbone",
}  # fmt: skip
"""Arguments that bring weights along. Of all these timm's `pretrained` is taken."""

_FETCHED = 1800.0
"""Seconds in which trained weights have to be here."""


def from_timm(name: str) -> tuple[Callable[..., nn.Module], str]:
    """Return what makes the network called `name` in timm, and `timm version`.

    Raises NetworkError where timm is not installed or has no such network.
    """
    timm = _zoo("timm")
    if not timm.is_model(name):
        raise NetworkError(f"timm has no network {name!r}; {_near(name, timm.list_models())}")

    def make(num_classes: int, in_chans: int, img_size: Any, **arguments: Any) -> Any:
        _refuse_weights("timm", name, arguments.keys() - {"pretrained"})
        if arguments.get("pretrained"):
            # Handed over, lest each network that is made asks for them elsewhere.
            arguments["pretrained_cfg_overlay"] = {"state_dict": dict(trained_by_timm(name)[1])}
        known = {"num_classes": num_classes, "in_chans": in_chans}
        return _sized(
            timm.create_model, name, "img_size", {"img_size": img_size} | known | arguments
        )

    return make, f"timm {importlib.metadata.version('timm')}"


@cache
def trained_by_timm(name: str) -> tuple[Given, Mapping[str, torch.Tensor]]:
    """Return what timm's `pretrained` starts the network called `name` from; fetch it at need.

    That is the state of the network as it is for the classes that it was trained for, whatever the
    data are. Raises NetworkError where the weights cannot be had.
    """
    try:
        with guest(name, _FETCHED), own_numbers(0):
            state = _zoo("timm").create_model(name, pretrained=True).state_dict()
    except (Exception, StoppedError) as error:
        said = textwrap.shorten(str(error) or type(error).__name__, 120, placeholder=" ...")
        raise NetworkError(
            f"timm:{name}: its trained weights are not on this machine and cannot be fetched "
            f'({said}); leave pretrained out, or say weights = "FILE.safetensors"'
        ) from error
    content = to_safetensors({key: value.contiguous() for key, value in state.items()})
    return Given(f"timm:{name}", hashlib.sha256(content).hexdigest(), None), state


def from_torchvision(name: str) -> tuple[Callable[..., nn.Module], str]:
    """Return what makes the classifier called `name` in torchvision, and `torchvision version`.

    Raises NetworkError where torchvision is not installed or has no such classifier.
    """
    models = _zoo("torchvision").models
    names = models.list_models(module=models)
    if name not in names:
        raise NetworkError(f"torchvision has no classifier {name!r}; {_near(name, names)}")

    def make(num_classes: int, in_channels: int, image_size: Any, **arguments: Any) -> Any:
        _refuse_weights("torchvision", name, arguments.keys())
        if in_channels != 3:
            raise NetworkError(
                f"torchvision:{name} takes images of 3 channels, and the data have {in_channels}; "
                'say colour = "rgb" in [protocol]'
            )
        given = {"image_size": image_size, "num_classes": num_classes} | arguments
        return _sized(models.get_model, name, "image_size", given)

    return make, f"torchvision {importlib.metadata.version('torchvision')}"


def _sized(create: Callable[..., Any], name: str, size: str, given: dict[str, Any]) -> Any:
    """Create a network, without the size where it takes images of any."""
    with warnings.catch_warnings():
        warnings.simplefilter("ignore")  # Of defaults that will change.
        try:
            return create(name, **given)
        except TypeError as error:
            if size not in str(error):
                raise
            return create(name, **{key: value for key, value in given.items() if key != size})


def _refuse_weights(zoo: str, name: str, keys: Set[str]) -> None:
    for key in sorted(_TRAINED_ELSEWHERE & keys):
        raise NetworkError(
            f"{zoo}:{name}: {key} would start it from weights that no record names; say "
            'weights = "FILE.safetensors" beside architecture instead'
        )


def _near(name: str, known: list[str]) -> str:
    """Return the nearest names: there are too many to show all."""
    nearest = get_close_matches(name, known, n=3)
    listed = " or ".join(map(repr, nearest))
    return f"did you mean {listed}?" if nearest else f"it has {len(known):,} others"


def _zoo(name: str) -> ModuleType:
    """Return the package called `name`, which takes seconds to import."""
    if name in sys.modules:
        return sys.modules[name]
    try:
        with guest(name), own_numbers(0):
            return import_module(name)
    except ModuleNotFoundError as error:
        missing = error.name or name
        raise NetworkError(f'{missing} is not installed; pip install "bakeoff[{name}]"') from error
    except (ImportError, RuntimeError, AttributeError, OSError) as error:
        said = str(error).partition("\n")[0]
        raise NetworkError(
            f"{name} cannot be imported beside torch {torch.__version__}: {said}; "
            f'pip install --upgrade "bakeoff[{name}]"'
        ) from error
