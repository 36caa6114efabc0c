"""What is random inside a network during an epoch, and where it stands between two steps."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from contextlib import contextmanager

import torch
from torch import nn

from bakeoff.engine import reseed
from bakeoff.engine.dropout import dropout_layers
from bakeoff.networks.positions import Stream
from bakeoff.networks.randomness import seeded


class Draws:
    """The streams that a network draws from while one epoch lasts."""

    def __init__(self, streams: Mapping[str, Stream]) -> None:
        self._streams = streams

    @classmethod
    @contextmanager
    def begun(cls, twin: nn.Module, seed: int) -> Iterator[Draws]:
        """Let all that `twin`, which `fast` made, draws follow from `seed`, while this lasts."""
        reseed(twin, seed)
        with seeded(twin, seed) as shared:
            layers = enumerate(dropout_layers(twin))
            yield cls(
                {f"dropout {place}": Stream(layer.position, layer.go_to) for place, layer in layers}
                | shared
            )

    def positions(self) -> dict[str, torch.Tensor]:
        """Return where each stream stands, by its name."""
        return {name: stream.position() for name, stream in self._streams.items()}

    def go_to(self, positions: Mapping[str, torch.Tensor]) -> None:
        """Take the streams to where `positions` found them.

        Raises ValueError, in one line, where they cannot be these streams'.
        """
        for name, expected in self.positions().items():
            found = positions.get(name)
            if found is None or (found.dtype, found.shape) != (expected.dtype, expected.shape):
                raise ValueError(f"random numbers from {name} are missing")
            try:
                self._streams[name].go_to(found)
            except (ValueError, TypeError, OverflowError, RuntimeError) as error:
                raise ValueError(f"random numbers from {name} cannot stand there") from error
        if unknown := sorted(positions.keys() - self._streams.keys()):
            raise ValueError(f"random numbers from {unknown[0]}, of which this network draws none")
