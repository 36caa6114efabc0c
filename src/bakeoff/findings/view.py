"""What one image looks like through one trained network, as plain arrays."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray


@dataclass(frozen=True)
class Activation:
    """An activation that the maps of a convolution ran into."""

    name: str
    """As PyTorch calls its layer: ReLU, GELU."""
    between: tuple[str, ...]
    """What the maps went through on the way, in this order: pooling, normalising."""
    before: NDArray[np.float32]
    """[channels, height, width], what went into the activation."""
    after: NDArray[np.float32]
    """[channels, height, width], what came out of it."""


@dataclass(frozen=True)
class ConvolutionMaps:
    """What one convolution says about one image."""

    name: str
    """As the network calls it; "convolution 2" where it has no name for it."""
    output: NDArray[np.float32]
    """[channels, height, width]."""
    activation: Activation | None
    """None where the output runs into no activation before the next layer."""


@dataclass(frozen=True)
class View:
    """One image seen through one trained network: the very weights that were scored."""

    entrant: str
    seed: int
    index: int
    """Which test image."""
    image: NDArray[np.uint8]
    """[channels, height, width]."""
    light_on_dark: bool
    """Whether the image is shown as its negative, as `Dataset.light_on_dark` says."""
    classes: tuple[str, ...]
    """The name of each class."""
    label: int
    probabilities: NDArray[np.float32]
    """[classes], softmax of the network's logits."""
    filters: NDArray[np.float32] | None
    """[filters, channels, height, width] of the first convolution; None without convolutions."""
    convolutions: tuple[ConvolutionMaps, ...]
    """In the order in which the image passes them."""
    class_weights: NDArray[np.float32] | None
    """[classes, height, width] where one linear layer maps pixels to classes, else None."""
    summary: str
    """One line that says what the network has to show."""

    @property
    def predicted(self) -> int:
        """The class of the largest probability."""
        return int(self.probabilities.argmax())

    @property
    def probability(self) -> float:
        """The probability of the predicted class, in [0, 1]."""
        return float(self.probabilities.max())

    @property
    def label_name(self) -> str:
        """The name of the true class."""
        return self.classes[self.label]

    @property
    def predicted_name(self) -> str:
        """The name of the predicted class."""
        return self.classes[self.predicted]
