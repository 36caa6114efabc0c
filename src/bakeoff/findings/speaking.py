"""Which maps speak for an answer: gradient times activation, summed over each map.

To first order it is by how much the log-odds of the class would fall if the map were zero: the
layer's share of the answer (Shrikumar et al., "Not just a black box", 2016, section 2; log-odds as
in `findings.occlusion`).
"""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from typing import NamedTuple

import numpy as np
import torch
from numpy.typing import NDArray
from torch import nn

from bakeoff.findings.trace import Trace
from bakeoff.findings.view import LayerMaps

Key = tuple[str, str, int]
"""Name, kind and number of a place."""


def key_of(maps: LayerMaps) -> Key:
    """Return what a place is known by in every pass through its network."""
    return maps.name, maps.kind, maps.number


def speaking(
    model: nn.Module,
    image: NDArray[np.uint8],
    pixels: Callable[[torch.Tensor], torch.Tensor],
    looked_at: Sequence[str] = (),
) -> Mapping[Key, NDArray[np.float32]]:
    """Return how much each map speaks for the answer to an image [channels, height, width].

    For each place, [channels], in nats; a place is missing where its maps were overwritten in place
    later in the pass, or where no gradient comes to it. The model is in evaluation mode.
    """
    seen = pixels(torch.tensor(image[None])).requires_grad_()
    with _Kept(model, looked_at=looked_at) as trace:
        logits = model(seen)
    first = logits[0].double()
    answer = int(first.argmax())
    others = torch.cat([first[:answer], first[answer + 1 :]])
    places = [(maps, trace.tensors.get(id(maps.last))) for maps in (*trace.maps, *trace.named)]
    kept = [(maps, tensor) for maps, tensor in places if tensor and tensor.unchanged]
    if not kept:
        return {}
    gradients = torch.autograd.grad(
        first[answer] - others.logsumexp(0),
        [each.tensor for _, each in kept],
        allow_unused=True,
    )
    return {
        key_of(maps): trace.as_maps(gradient * each.tensor, each).sum(axis=(1, 2))
        for (maps, each), gradient in zip(kept, gradients, strict=True)
        if gradient is not None
    }


class _Tensor(NamedTuple):
    """What maps were made of."""

    tensor: torch.Tensor
    channels_last: bool
    version: int
    maps: NDArray[np.float32]
    """Held, so that nothing else takes its identity."""

    @property
    def unchanged(self) -> bool:
        return self.tensor.requires_grad and self.tensor._version == self.version  # noqa: SLF001


class _Kept(Trace):
    """Keeps the tensor of all maps that it writes down."""

    def __init__(self, model: nn.Module, looked_at: Sequence[str]) -> None:
        super().__init__(model, _without_gradient, looked_at)
        self.tensors: dict[int, _Tensor] = {}

    def _maps(self, tensor: torch.Tensor, channels_last: bool) -> NDArray[np.float32]:
        maps = super()._maps(tensor, channels_last)
        version = tensor._version  # noqa: SLF001
        self.tensors[id(maps)] = _Tensor(tensor, channels_last, version, maps)
        return maps

    def as_maps(self, tensor: torch.Tensor, like: _Tensor) -> NDArray[np.float32]:
        """Return a tensor as maps, in the form of another one's."""
        return super()._maps(tensor, like.channels_last)


def _without_gradient(maps: torch.Tensor) -> NDArray[np.float32]:
    held: NDArray[np.float32] = maps[0].detach().float().numpy().copy()
    return held
