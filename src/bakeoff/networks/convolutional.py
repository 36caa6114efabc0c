"""Networks with 5 x 5 convolutions; each 2 x 2 pooling halves height and width."""

from __future__ import annotations

from collections import OrderedDict

from torch import nn


def cnn_1conv(image_shape: tuple[int, int, int], classes: int) -> nn.Module:
    """One convolution of 32 filters, then a hidden layer of 1,024 units."""
    channels, height, width = image_shape
    return nn.Sequential(
        OrderedDict(
            conv1=nn.Conv2d(channels, 32, kernel_size=5, padding="same"),
            relu1=nn.ReLU(),
            pool1=nn.MaxPool2d(2),
            flatten=nn.Flatten(),
            hidden=nn.Linear(32 * (height // 2) * (width // 2), 1024),
            relu2=nn.ReLU(),
            output=nn.Linear(1024, classes),
        )
    )


def cnn_2conv(image_shape: tuple[int, int, int], classes: int) -> nn.Module:
    """Two convolutions of 32 and 64 filters, then a hidden layer of 1,024 units."""
    return _two_convolutions(image_shape, classes, between=OrderedDict())


def cnn_2conv_dropout(image_shape: tuple[int, int, int], classes: int) -> nn.Module:
    """As `cnn_2conv`, with half of the flattened features dropped while training."""
    return _two_convolutions(image_shape, classes, between=OrderedDict(dropout=nn.Dropout(0.5)))


def _two_convolutions(
    image_shape: tuple[int, int, int], classes: int, between: OrderedDict[str, nn.Module]
) -> nn.Module:
    channels, height, width = image_shape
    return nn.Sequential(
        OrderedDict(
            conv1=nn.Conv2d(channels, 32, kernel_size=5, padding="same"),
            relu1=nn.ReLU(),
            pool1=nn.MaxPool2d(2),
            conv2=nn.Conv2d(32, 64, kernel_size=5, padding="same"),
            relu2=nn.ReLU(),
            pool2=nn.MaxPool2d(2),
            flatten=nn.Flatten(),
            **between,
            hidden=nn.Linear(64 * (height // 4) * (width // 4), 1024),
            relu3=nn.ReLU(),
            output=nn.Linear(1024, classes),
        )
    )
