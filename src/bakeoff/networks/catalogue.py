"""What may stand after `architecture =`."""

from __future__ import annotations

from collections.abc import Mapping
from pathlib import Path
from typing import Any

from bakeoff.errors import NetworkError, StudyError, look_up
from bakeoff.networks.convolutional import cnn_1conv, cnn_2conv, cnn_2conv_dropout
from bakeoff.networks.linear import logistic_regression, mlp_2x200
from bakeoff.networks.network import Architecture, Network
from bakeoff.networks.normalised import cnn_3conv, cnn_5conv, cnn_7conv
from bakeoff.networks.small import small_cnn, small_resnet, small_vit
from bakeoff.networks.sources import defined_in, read_source

ARCHITECTURES: dict[str, Architecture] = {
    "logistic-regression": logistic_regression,
    "mlp-2x200": mlp_2x200,
    "cnn-1conv": cnn_1conv,
    "cnn-2conv": cnn_2conv,
    "cnn-2conv-dropout": cnn_2conv_dropout,
    "cnn-3conv": cnn_3conv,
    "cnn-5conv": cnn_5conv,
    "cnn-7conv": cnn_7conv,
    "small-cnn": small_cnn,
    "small-resnet": small_resnet,
    "small-vit": small_vit,
}
"""Those that ship, by name."""


def architecture(name: str) -> Architecture:
    """Return the architecture called `name` that ships.

    Raises StudyError, with the nearest name, where there is none.
    """
    return look_up(name, ARCHITECTURES, "unknown architecture", StudyError)


def network(
    architecture: str, arguments: Mapping[str, Any] | None = None, base: Path = Path()
) -> Network:
    """Return the network that a study means.

    architecture: `FILE.py:NAME`, `package.module:NAME`, `timm:NAME`, `torchvision:NAME`, or the
    name of one that ships. The code of a file or package is run for it, as `networks.guest` says.
    arguments: what it is called with, beside what its signature asks for of the data.
    base: the folder that FILE starts from, where the study lies.
    Raises StudyError for an unknown name, NetworkError for whatever is wrong with the code.
    """
    where, _, name = architecture.rpartition(":")
    if not where:
        return _shipped(architecture, arguments or {}, base)
    # What runs other people's code, and the packages it needs, is imported where it is needed.
    from bakeoff.networks.calling import called
    from bakeoff.networks.from_code import from_file, from_package
    from bakeoff.networks.from_zoo import from_timm, from_torchvision, trained_by_timm

    given = arguments or {}
    if where.endswith(".py"):
        source = read_source(_file(where, base))
        found = from_file(source, name)
        return Network(name, called(found, name, given, source), source)
    if where in ("timm", "torchvision"):
        found, version = (from_timm if where == "timm" else from_torchvision)(name)
        make = called(found, architecture, given, None)
        if where == "timm" and given.get("pretrained"):
            trained, _ = trained_by_timm(name)
            version += f", weights {trained.sha256[:16]}"
            return Network(name, make, version=version, given=trained)
        return Network(name, make, version=version)
    found, version = from_package(where, name)
    return Network(name, called(found, name, given, None), version=version)


def _shipped(name: str, arguments: Mapping[str, Any], base: Path) -> Network:
    if name.endswith(".py"):
        known = ", ".join(f"{name}:{each}" for each in defined_in(_file(name, base)))
        hint = f"as {known}" if known else "but it defines no function and no class"
        raise StudyError(f"architecture {name!r} names a file; say which network in it, {hint}")
    make = architecture(name)
    if arguments:
        raise NetworkError(f"{name} takes no argument {next(iter(arguments))!r}; it takes none")
    return Network(name, make)


def _file(name: str, base: Path) -> Path:
    return base / Path(name).expanduser()
