"""The networks that this process may make: those that ship, and those whose code was loaded.

Code from elsewhere is loaded once, by whoever was told to (`training.code`), and found here by what
it is known by. So nothing that merely draws or compares can come to run any.
"""

from __future__ import annotations

import json
from collections.abc import Mapping
from typing import Any

from bakeoff.errors import NetworkError
from bakeoff.networks.catalogue import network
from bakeoff.networks.network import Network

_LOADED: dict[tuple[str, str, str], Network] = {}

Arguments = Mapping[str, Any] | None


def remember(architecture: str, arguments: Arguments, source: str | None, loaded: Network) -> None:
    """Let `loaded` be the network of this name and arguments whose code is known by `source`."""
    _LOADED[_key(architecture, arguments, source)] = loaded


def is_known(architecture: str, arguments: Arguments, source: str | None) -> bool:
    """Return whether this process may make that network."""
    return ":" not in architecture or _key(architecture, arguments, source) in _LOADED


def network_of(architecture: str, arguments: Arguments, source: str | None) -> Network:
    """Return a network that ships, or one whose code was loaded; raise NetworkError else."""
    if ":" not in architecture:
        return network(architecture, arguments)
    found = _LOADED.get(_key(architecture, arguments, source))
    if found is None:
        raise NetworkError(
            f"{architecture}: its code is not loaded; --trust-code loads what a run keeps"
        )
    return found


def _key(architecture: str, arguments: Arguments, source: str | None) -> tuple[str, str, str]:
    return architecture, json.dumps(arguments or {}, sort_keys=True), source or ""
