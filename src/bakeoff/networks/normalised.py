"""Convolutional networks that learn much from each image: their convolutions are normalised."""

from __future__ import annotations

from collections import OrderedDict

from torch import nn


def cnn_3conv(image_shape: tuple[int, int, int], classes: int) -> nn.Module:
    """Three normalised convolutions of 16, 64 and 64 filters, and no hidden layer.

    It was made to reach a high accuracy within one pass over the images. Each convolution is
    normalised (Ioffe & Szegedy, "Batch Normalization", 2015, algorithm 1), so that it bears a
    high learning rate; normalising needs no bias before it. Pooling comes before normalising,
    which leaves a quarter of the numbers to normalise and to cut at zero. The first convolution
    sees each pixel, with a stride of 1: half the places cost accuracy. It does not pad, since the
    border of a digit's image is empty, and with images of 28 x 28 both poolings meet even sides.
    Without a large hidden layer it has a forty-seventh of the parameters of `cnn_2conv`.
    """
    channels, height, width = image_shape
    positions = (height - 4) // 4 * ((width - 4) // 4)
    return nn.Sequential(
        OrderedDict(
            conv1=nn.Conv2d(channels, 16, kernel_size=5, bias=False),
            pool1=nn.MaxPool2d(2),
            norm1=nn.BatchNorm2d(16),
            relu1=nn.ReLU(),
            conv2=nn.Conv2d(16, 64, kernel_size=3, padding=1, bias=False),
            pool2=nn.MaxPool2d(2),
            norm2=nn.BatchNorm2d(64),
            relu2=nn.ReLU(),
            conv3=nn.Conv2d(64, 64, kernel_size=3, padding=1, bias=False),
            norm3=nn.BatchNorm2d(64),
            relu3=nn.ReLU(),
            flatten=nn.Flatten(),
            output=nn.Linear(64 * positions, classes),
        )
    )


def cnn_5conv(image_shape: tuple[int, int, int], classes: int) -> nn.Module:
    """Five normalised convolutions of 32 to 128 filters, the mean over all places, logits.

    It was made for the highest accuracy that costs half an hour of a core without AMX. Most of its
    work is done on maps of a quarter of the places and of a sixteenth, where a filter costs little.
    The first convolution sees each pixel, as in `cnn_3conv`. The last one takes every second place,
    and the mean over what is left (Lin, Chen & Yan, "Network in Network", 2013, section 3.2), nine
    places of an image of 28 x 28, needs a ninth of the weights of a layer that sees each of them.
    """
    return nn.Sequential(
        OrderedDict(
            conv1=nn.Conv2d(image_shape[0], 32, kernel_size=5, bias=False),
            pool1=nn.MaxPool2d(2),
            norm1=nn.BatchNorm2d(32),
            relu1=nn.ReLU(),
            conv2=nn.Conv2d(32, 48, kernel_size=3, padding=1, bias=False),
            norm2=nn.BatchNorm2d(48),
            relu2=nn.ReLU(),
            conv3=nn.Conv2d(48, 64, kernel_size=3, padding=1, bias=False),
            pool3=nn.MaxPool2d(2),
            norm3=nn.BatchNorm2d(64),
            relu3=nn.ReLU(),
            conv4=nn.Conv2d(64, 128, kernel_size=3, padding=1, bias=False),
            norm4=nn.BatchNorm2d(128),
            relu4=nn.ReLU(),
            conv5=nn.Conv2d(128, 128, kernel_size=3, stride=2, padding=1, bias=False),
            norm5=nn.BatchNorm2d(128),
            relu5=nn.ReLU(),
            mean=nn.AdaptiveAvgPool2d(1),
            flatten=nn.Flatten(),
            output=nn.Linear(128, classes),
        )
    )


def cnn_7conv(image_shape: tuple[int, int, int], classes: int) -> nn.Module:
    """Seven normalised convolutions of 32 to 192 filters, the mean over all places, logits.

    Three times the work of `cnn_5conv`, nearly all of it where it had least: two convolutions more,
    and wider ones, on maps of a quarter of the places and of a sixteenth of them. The last two do
    not pad, so that of an image of 28 x 28 the mean is over four places, each of which has seen the
    whole. Of an image with a side below 24 nothing would be left, and they pad.
    """
    channels, height, width = image_shape
    last = 0 if min(height, width) >= 24 else 1
    return nn.Sequential(
        OrderedDict(
            conv1=nn.Conv2d(channels, 32, kernel_size=5, bias=False),
            pool1=nn.MaxPool2d(2),
            norm1=nn.BatchNorm2d(32),
            relu1=nn.ReLU(),
            conv2=nn.Conv2d(32, 64, kernel_size=3, padding=1, bias=False),
            norm2=nn.BatchNorm2d(64),
            relu2=nn.ReLU(),
            conv3=nn.Conv2d(64, 64, kernel_size=3, padding=1, bias=False),
            norm3=nn.BatchNorm2d(64),
            relu3=nn.ReLU(),
            conv4=nn.Conv2d(64, 128, kernel_size=3, padding=1, bias=False),
            pool4=nn.MaxPool2d(2),
            norm4=nn.BatchNorm2d(128),
            relu4=nn.ReLU(),
            conv5=nn.Conv2d(128, 160, kernel_size=3, padding=1, bias=False),
            norm5=nn.BatchNorm2d(160),
            relu5=nn.ReLU(),
            conv6=nn.Conv2d(160, 192, kernel_size=3, padding=last, bias=False),
            norm6=nn.BatchNorm2d(192),
            relu6=nn.ReLU(),
            conv7=nn.Conv2d(192, 192, kernel_size=3, padding=last, bias=False),
            norm7=nn.BatchNorm2d(192),
            relu7=nn.ReLU(),
            mean=nn.AdaptiveAvgPool2d(1),
            flatten=nn.Flatten(),
            output=nn.Linear(192, classes),
        )
    )
