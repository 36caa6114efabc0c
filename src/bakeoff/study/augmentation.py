"""How training images are changed anew in each epoch."""

from __future__ import annotations

from typing import Literal

from pydantic import Field

from bakeoff.study.frozen import Asked


class Augmentation(Asked):
    """How training images are changed, drawn anew for each image and epoch; None is not at all.

    Part of the protocol: all entrants of one trial seed see the same changed images. Validation and
    test images stay as they are. What comes from outside of an image is black.
    """

    shift: float | None = Field(default=None, gt=0)
    """The furthest that an image moves, in pixels, across and down."""
    flip: Literal[True] | None = None
    """Half of the images are mirrored, left to right."""
    rotate: float | None = Field(default=None, gt=0, le=180)
    """The largest angle, in degrees, either way."""
    scale: float | None = Field(default=None, gt=0, lt=1)
    """By how much an image grows or shrinks at most: 0.1 is to 0.9 or 1.1 of its sides."""
    shear: float | None = Field(default=None, gt=0, le=60)
    """How far upright lines lean at most, in degrees, either way."""
    elastic: float | None = Field(default=None, gt=0)
    """How far, in pixels, each of 4 x 4 points spread over the image is moved at most, across and
    down; what lies between moves smoothly (after P. Y. Simard et al., "Best Practices for
    Convolutional Neural Networks", 2003)."""
    cutout: int | None = Field(default=None, ge=1)
    """The side, in pixels, of a square somewhere in the image that is made black."""
    brightness: float | None = Field(default=None, gt=0, le=1)
    """What is added or taken at most, as a share of the whole range from black to white."""
    contrast: float | None = Field(default=None, gt=0, lt=1)
    """By how much differences from mid-grey grow or shrink at most: 0.2 is to 0.8 or 1.2."""
    mixup: float | None = Field(default=None, gt=0, le=10)
    """Each image is mixed with another one, and their labels in the same shares, which follow
    Beta(mixup, mixup) (H. Zhang et al., "mixup", 2018)."""
