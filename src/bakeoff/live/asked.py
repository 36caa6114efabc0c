"""Images that were asked about, which later requests name."""

from __future__ import annotations

import hashlib
from collections import OrderedDict
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

_REMEMBERED = 256
"""Those that were asked about last."""


@dataclass(frozen=True, eq=False)
class Asked:
    """An image that was asked about."""

    image: NDArray[np.uint8]
    """[channels, height, width], as the networks receive it."""
    test: int | None
    """Which test image it is."""

    @property
    def name(self) -> str:
        """What later requests name it by: the same for the same pixels."""
        return hashlib.sha256(self.image.tobytes()).hexdigest()[:16]


class Memory:
    """The images that were asked about last, by name."""

    def __init__(self) -> None:
        self._asked: OrderedDict[str, Asked] = OrderedDict()

    def keep(self, asked: Asked) -> None:
        """Remember an image, and forget the one that nobody asked about for longest."""
        self._asked[asked.name] = asked
        self._asked.move_to_end(asked.name)
        while len(self._asked) > _REMEMBERED:
            self._asked.popitem(last=False)

    def find(self, name: object) -> Asked | None:
        """Return the image of a name; None where it is none, or was forgotten."""
        return self._asked.get(name) if isinstance(name, str) else None
