"""A network as a seed starts it."""

from __future__ import annotations

import torch
from torch import nn

from bakeoff.errors import NetworkError, did_you_mean
from bakeoff.files.memory import usable_memory
from bakeoff.networks.catalogue import network
from bakeoff.networks.given import MisfitError, hold_still, load_given
from bakeoff.networks.initialisation import SCHEMES
from bakeoff.networks.network import Network
from bakeoff.networks.randomness import OwnGenerator, own_numbers

_COPIES = 3
"""Of all weights that a training step needs at least: their gradients, and one moment of each."""


def build(
    name: str, image_shape: tuple[int, int, int], classes: int, *, initialisation: str, seed: int
) -> nn.Module:
    """Return the network called `name` as `start` starts it.

    Raises StudyError where there is no such network.
    """
    return start(network(name), image_shape, classes, initialisation=initialisation, seed=seed)


def start(
    made_from: Network,
    image_shape: tuple[int, int, int],
    classes: int,
    *,
    initialisation: str,
    seed: int,
) -> nn.Module:
    """Return a network with weights that depend on `seed` alone, or as they were given.

    Of given ones a last layer of another number of classes starts as the seed has it.

    PyTorch's global generator is neither drawn from nor seeded, unless the network's code does so:
    then it is set back. Raises NetworkError where the
    network's code fails, or leaves nothing that can be trained; MisfitError where given weights,
    or the patterns of what is trained, are not of this network.
    """
    given = made_from.given
    if given is not None and given.tensors is None and initialisation != "framework-default":
        raise MisfitError(
            "recipe.initialisation",
            f"{initialisation} would overwrite the weights of {given.origin}; leave it out",
        )
    with own_numbers(seed):
        model = made_from.make(image_shape, classes)
        _check(made_from.name, model)
        SCHEMES[initialisation](model)
    if given is not None:
        load_given(made_from.name, model, given, classes)
    if made_from.trainable is not None:
        hold_still(made_from.name, model, made_from.trainable)
    return model


def too_large(made_from: Network, image_shape: tuple[int, int, int], classes: int) -> str | None:
    """Return why a network does not fit into memory, or None where it may.

    Told from shapes, before it has any numbers: to run out of memory would end the process.
    """
    try:
        with OwnGenerator(0), torch.device("meta"):
            model = made_from.make(image_shape, classes)
    except Exception:  # Code that cannot be run so is run in earnest next.
        return None
    needed, there = _COPIES * sum(each.nbytes for each in model.parameters()), usable_memory()
    if needed <= there:
        return None
    numbers = sum(each.numel() for each in model.parameters())
    return (
        f"{made_from.name} does not fit into memory: the training of its {numbers:,} parameters "
        f"takes {needed / 1e9:,.0f} GB at least, of {there / 1e9:,.0f} GB; make it smaller"
    )


def _check(name: str, model: nn.Module) -> None:
    for key, value in model.state_dict(keep_vars=True).items():
        if not isinstance(value, torch.Tensor):
            raise NetworkError(
                f"{name} keeps {key}, which is no tensor (get_extra_state?); let it keep tensors"
            )
        if value.is_meta:
            raise NetworkError(
                f"{name} has no values for {key} (it is on the device meta); make it on the CPU"
            )
        if value.requires_grad and value.dtype != torch.float32:
            kind = str(value.dtype).removeprefix("torch.")
            raise NetworkError(f"{name} has {key} in {kind}, and float32 is trained; use .float()")
    _check_places(name, model)
    if not any(each.requires_grad for each in model.parameters()):
        raise NetworkError(
            f"{name} has no parameters that can be trained; layers must be attributes of it, or "
            "stand in an nn.ModuleList, after super().__init__() in its __init__"
        )


def _check_places(name: str, model: nn.Module) -> None:
    """Raise NetworkError where `looked_at`, the places that a network wants seen, are not there."""
    places = getattr(model, "looked_at", ())
    modules = [key for key, _ in model.named_modules() if key]
    if not isinstance(places, tuple | list) or not all(isinstance(each, str) for each in places):
        raise NetworkError(f"{name}: looked_at must be a tuple of names of modules, not {places!r}")
    for each in places:
        if each not in modules:
            hint = did_you_mean(each, modules)
            raise NetworkError(f"{name}: looked_at names {each!r}, no module of it; {hint}")
