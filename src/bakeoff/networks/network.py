"""A network as a study names it, wherever its code lies."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass

from torch import nn

from bakeoff.networks.given import Given
from bakeoff.networks.sources import Source

Architecture = Callable[[tuple[int, int, int], int], nn.Module]
"""(channels, height, width), number of classes -> a network that maps float32 images
[n, channels, height, width] to logits [n, classes]."""


@dataclass(frozen=True)
class Network:
    """What stands after `architecture =`, found and ready to be made."""

    name: str
    """What messages call it: `Net` of `net.py:Net`, or the whole name of one that ships."""
    make: Architecture
    source: Source | None = None
    """The code, where it is a file of the user's."""
    version: str = ""
    """Of the package that it comes from, as `timm 1.0.31`; empty for files and what ships."""
    given: Given | None = None
    """The weights that it starts from, where they were trained elsewhere."""
    trainable: tuple[str, ...] | None = None
    """Patterns of the names of parameters that training moves; None where it moves all."""
