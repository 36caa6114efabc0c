"""What a look inside a trained network finds, as plain arrays."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray


@dataclass(frozen=True)
class ConvolutionMaps:
    """What one convolution says about one image, before and after its ReLU."""

    name: str
    before: NDArray[np.float32]
    """[channels, height, width], the output of the convolution."""
    after: NDArray[np.float32]
    """[channels, height, width], the same after ReLU."""


@dataclass(frozen=True)
class Look:
    """One image seen through one trained network: the very weights that were scored."""

    entrant: str
    seed: int
    index: int
    """Which test image."""
    image: NDArray[np.uint8]
    """[channels, height, width]."""
    label: int
    probabilities: NDArray[np.float32]
    """[classes], softmax of the network's logits."""
    filters: NDArray[np.float32] | None
    """[filters, channels, height, width] of the first convolution; None without convolutions."""
    convolutions: tuple[ConvolutionMaps, ...]
    class_weights: NDArray[np.float32] | None
    """[classes, height, width] where one linear layer maps pixels to classes, else None."""
    summary: str
    """One line that says what the network has to show."""

    @property
    def predicted(self) -> int:
        """The class of the largest probability."""
        return int(self.probabilities.argmax())


@dataclass(frozen=True)
class Mistake:
    """A test image that a network got wrong."""

    index: int
    image: NDArray[np.uint8]
    """[channels, height, width]."""
    label: int
    predicted: int
    probability: float
    """What the network gave the class that it predicted, in [0, 1]."""
    known_wrong_label: bool
    """Whether human raters found this label wrong."""
