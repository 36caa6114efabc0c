"""What one image looks like through one trained network, as plain arrays."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Literal

import numpy as np
from numpy.typing import NDArray

from bakeoff.text import counted

Kind = Literal["convolution", "fully connected layer", "recurrent layer", "activation", "place"]
"""Of what maps are: of a layer; of an activation that maps run into which are not followed from a
layer; of a place that the network names itself."""


@dataclass(frozen=True, eq=False)
class Activation:
    """An activation that the maps of a layer ran into."""

    name: str
    """As PyTorch calls its layer: ReLU, GELU."""
    between: tuple[str, ...]
    """What the maps went through on the way, in this order: pooling, normalising."""
    before: NDArray[np.float32]
    """[channels, height, width], what went into the activation."""
    after: NDArray[np.float32]
    """[channels, height, width], what came out of it."""


@dataclass(frozen=True, eq=False)
class LayerMaps:
    """What one layer says about one image.

    A token of a transformer is the place of its patch; what has no places in the image has a width
    of 1, or of the steps of a sequence.
    """

    name: str
    """As the network calls it, "convolution 2" where it has no name for it; for an activation by
    itself the module that ran before it."""
    kind: Kind
    number: int
    """Which of its kind, from 1."""
    output: NDArray[np.float32]
    """[channels, height, width]."""
    activation: Activation | None
    """None where the output runs into no activation before the next layer."""

    @property
    def last(self) -> NDArray[np.float32]:
        """What is seen last at this place, [channels, height, width]: after the activation."""
        return self.output if self.activation is None else self.activation.after

    @property
    def responses(self) -> NDArray[np.float32]:
        """The largest absolute value of each channel, [channels], after the activation."""
        strongest: NDArray[np.float32] = np.abs(self.last).max(axis=(1, 2))
        return strongest


@dataclass(frozen=True, eq=False)
class Filters:
    """The filters of the first convolution; the patch embedding of a transformer is one, too."""

    weights: NDArray[np.float32]
    """[filters, channels, height, width]."""
    responses: NDArray[np.float32]
    """[filters], as `LayerMaps.responses`."""
    dead: tuple[int, ...] | None
    """Those that are nowhere above zero after the activation; None where they run into none."""
    images: int
    """On so many test images, the first ones."""

    @property
    def told(self) -> str:
        """How many there are, and how many never respond."""
        told = counted(len(self.weights), "filter")
        if self.dead is None:
            return f"{told}, without an activation"
        dead, where = len(self.dead), f"in {counted(self.images, 'test image')}"
        if not dead:
            return f"{told}, none of them dead {where}"
        return f"{told}, {dead} of them dead: nowhere above zero {where}"


@dataclass(frozen=True, eq=False)
class Occlusion:
    """What covering a part of the image takes from what the network says of it."""

    classes: tuple[int, int]
    """The class of the largest logit, and that of the next."""
    drops: NDArray[np.float32]
    """[2, rows, columns]: by how much the log-odds of each fall, in nats, for each covering."""
    maps: NDArray[np.float32]
    """[2, height, width]: the same for each pixel, the mean of the coverings that reach it."""
    passes: int
    """Forward passes of one image that it took."""
    seconds: float
    """That these took."""

    @property
    def cost(self) -> str:
        """What it took."""
        return f"{self.passes} forward passes in {self.seconds:,.2f} seconds"


@dataclass(frozen=True, eq=False)
class Inside:
    """What a network shows of itself when it is given one image."""

    probabilities: NDArray[np.float32]
    """[classes], softmax of the network's logits."""
    occlusion: Occlusion
    filters: Filters | None
    """None without convolutions."""
    places: tuple[LayerMaps, ...]
    """Where maps are shown, in the order in which the image passes them."""
    attention: NDArray[np.float32] | None
    """[rows, columns] of patches, attention rolled out, sums to 1; None where none is seen."""
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


@dataclass(frozen=True, eq=False)
class View(Inside):
    """One test image seen through one trained network: the very weights that were scored."""

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
    channel: int | None
    """Which is shown of each layer that has it; None for the one that responds most."""

    @property
    def label_name(self) -> str:
        """The name of the true class."""
        return self.classes[self.label]

    @property
    def predicted_name(self) -> str:
        """The name of the predicted class."""
        return self.classes[self.predicted]
