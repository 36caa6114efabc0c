"""What every trainer does, and the arrays that the others get."""

from __future__ import annotations

from typing import Protocol

import numpy as np
import torch
from numpy.typing import NDArray

from bakeoff.training.fit import Examples

VALIDATION_BATCH = 500
"""How many images the others score at a time, as bakeoff does."""


class Trainer(Protocol):
    """One task, to be trained by one library as often as asked, from the same weights."""

    def fresh(self) -> None:
        """Make ready: the first weights, a new optimizer. Not timed."""

    def fit(self) -> object:
        """Train all epochs, with a validation pass after each: what is timed."""

    def logits(self, images: torch.Tensor) -> torch.Tensor:
        """Return the logits [n, classes] of uint8 images [n, channels, height, width]."""


def pixels(examples: Examples, scale: float) -> NDArray[np.float32]:
    """Return scaled images, float32 [n, channels, height, width]: nothing is left to convert."""
    return (examples.images.float() * scale).numpy()
