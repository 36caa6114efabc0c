"""The architectures by name."""

from __future__ import annotations

from collections.abc import Callable

from torch import nn

from bakeoff.errors import StudyError, look_up
from bakeoff.networks.convolutional import cnn_1conv, cnn_2conv, cnn_2conv_dropout
from bakeoff.networks.linear import logistic_regression, mlp_2x200
from bakeoff.networks.normalised import cnn_3conv
from bakeoff.networks.small import small_cnn, small_resnet, small_vit

Architecture = Callable[[tuple[int, int, int], int], nn.Module]
"""(channels, height, width), number of classes -> a network that maps float32 images
[n, channels, height, width] to logits [n, classes]."""

ARCHITECTURES: dict[str, Architecture] = {
    "logistic-regression": logistic_regression,
    "mlp-2x200": mlp_2x200,
    "cnn-1conv": cnn_1conv,
    "cnn-2conv": cnn_2conv,
    "cnn-2conv-dropout": cnn_2conv_dropout,
    "cnn-3conv": cnn_3conv,
    "small-cnn": small_cnn,
    "small-resnet": small_resnet,
    "small-vit": small_vit,
}


def architecture(name: str) -> Architecture:
    """Return the architecture called `name`.

    Raises StudyError, with the nearest name, where there is none.
    """
    return look_up(name, ARCHITECTURES, "unknown architecture", StudyError)
