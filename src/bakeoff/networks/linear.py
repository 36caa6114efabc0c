"""Networks without convolutions: every pixel is a number of its own."""

from __future__ import annotations

from torch import nn


def logistic_regression(image_shape: tuple[int, int, int], classes: int) -> nn.Module:
    """One linear layer: each class has a weight image, and the best match wins."""
    channels, height, width = image_shape
    return nn.Sequential(
        nn.Flatten(),
        nn.Linear(channels * height * width, classes),
    )


def mlp_2x200(image_shape: tuple[int, int, int], classes: int) -> nn.Module:
    """Two hidden layers of 200 units."""
    channels, height, width = image_shape
    return nn.Sequential(
        nn.Flatten(),
        nn.Linear(channels * height * width, 200),
        nn.ReLU(),
        nn.Linear(200, 200),
        nn.ReLU(),
        nn.Linear(200, classes),
    )
