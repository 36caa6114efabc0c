"""The networks that this process may make: those that ship, and those whose code was loaded.

Code from elsewhere is loaded once, by whoever was told to (`training.code`), and found here by what
it is known by. So nothing that merely draws or compares can come to run any.
"""

from __future__ import annotations

import json
from collections.abc import Mapping
from dataclasses import replace
from typing import Any

from bakeoff.errors import NetworkError
from bakeoff.networks.catalogue import network
from bakeoff.networks.given import Given
from bakeoff.networks.network import Network

_LOADED: dict[tuple[str, str, str], Network] = {}
_GIVEN: dict[str, Given] = {}

Arguments = Mapping[str, Any] | None


def remember(architecture: str, arguments: Arguments, source: str | None, loaded: Network) -> None:
    """Let `loaded` be the network of this name and arguments whose code is known by `source`."""
    _LOADED[_key(architecture, arguments, source)] = loaded


def is_known(architecture: str, arguments: Arguments, source: str | None) -> bool:
    """Return whether this process may make that network."""
    return ":" not in architecture or _key(architecture, arguments, source) in _LOADED


def remember_given(given: Given) -> None:
    """Let networks start from these weights, which are known by their hash."""
    _GIVEN[given.sha256] = given


def is_given(sha256: str) -> bool:
    """Return whether this process has the weights with this hash."""
    return sha256 in _GIVEN


def network_of(
    architecture: str,
    arguments: Arguments,
    source: str | None,
    weights: str | None = None,
    trainable: tuple[str, ...] | None = None,
) -> Network:
    """Return a network that ships, or one whose code was loaded; raise NetworkError else.

    weights: the hash of those that it starts from. trainable: patterns of what training moves.
    """
    if ":" not in architecture:
        found = network(architecture, arguments)
    elif (key := _key(architecture, arguments, source)) in _LOADED:
        found = _LOADED[key]
    else:
        raise NetworkError(
            f"{architecture}: its code is not loaded; --trust-code loads what a run keeps"
        )
    given = found.given if weights is None else _GIVEN[weights]
    return replace(found, given=given, trainable=trainable)


def _key(architecture: str, arguments: Arguments, source: str | None) -> tuple[str, str, str]:
    return architecture, json.dumps(arguments or {}, sort_keys=True), source or ""
