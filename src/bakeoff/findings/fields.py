"""What part of the image a unit of a map sees, found by trying: whatever the layers are called.

A row of the image is made "not a number", and so becomes every unit that sees any of it; likewise
each column. What comes out is the field of the network that ran, its padding, pooling and
shortcuts included; where a layer looks at the whole image, as attention does, it is all of it.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from typing import NamedTuple

import numpy as np
import torch
from numpy.typing import NDArray
from torch import nn

from bakeoff.findings.speaking import Key, key_of
from bakeoff.findings.trace import Trace

MOST_SIDES = 200
"""Height and width of an image together, above which it would take too many passes."""


class Along(NamedTuple):
    """What units see along one side: unit i sees from i * step + offset on, cut at the edges."""

    step: int
    offset: int
    length: int


@torch.no_grad()
def fields(
    model: nn.Module,
    image_shape: tuple[int, int, int],
    pixels: Callable[[torch.Tensor], torch.Tensor],
    looked_at: Sequence[str] = (),
) -> Mapping[Key, tuple[Along, Along]]:
    """Return what a unit of each place sees of an image, down and across.

    A place is missing where its units do not see alike. The model is in evaluation mode.
    """
    channels, height, width = image_shape
    if height + width > MOST_SIDES:
        return {}
    images = torch.zeros((height + width, channels, height, width), dtype=torch.uint8)
    seen = pixels(images)
    for row in range(height):
        seen[row, :, row] = torch.nan
    for column in range(width):
        seen[height + column, :, :, column] = torch.nan
    with Trace(model, _which_are_none, looked_at) as trace:
        model(seen)
    found = {}
    for maps in (*trace.maps, *trace.named):
        touched = np.asarray(maps.last.max(axis=0) > 0)
        down = _along(np.asarray(touched[:height].any(axis=2)))
        across = _along(np.asarray(touched[height:].any(axis=1)))
        if down and across:
            found[key_of(maps)] = down, across
    return found


def _which_are_none(maps: torch.Tensor) -> NDArray[np.float32]:
    """Return which are not numbers, [channels, n, height, width]."""
    none: NDArray[np.float32] = maps.isnan().movedim(1, 0).float().numpy()
    return none


def _along(touched: NDArray[np.bool_]) -> Along | None:
    """Return what units see along a side; touched: [pixels, units], which see which."""
    side, units = touched.shape
    if not touched.any(axis=0).all():
        return None
    starts = touched.argmax(axis=0)
    ends = side - touched[::-1].argmax(axis=0)
    within = [np.diff(each)[keep[:-1] & keep[1:]]
              for each, keep in ((starts, starts > 0), (ends, ends < side))]  # fmt: skip
    steps = np.concatenate(within)
    step = int(steps[0]) if len(steps) else 0
    places = np.arange(units) * step
    begun, ended = starts > 0, ends < side
    offset = int((starts - places)[begun][0]) if begun.any() else -int(places[-1])
    length = int((ends - places)[ended][0]) - offset if ended.any() else side - offset
    alike = np.array_equal(np.maximum(places + offset, 0), starts) and np.array_equal(
        np.minimum(places + offset + length, side), ends
    )
    return Along(step, offset, length) if alike else None
