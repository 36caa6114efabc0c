"""The view inside a network as pictures: filters, feature maps around activations, weights."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from functools import cached_property

import numpy as np
from numpy.typing import NDArray

from bakeoff.comparison.words import listed
from bakeoff.findings.view import ConvolutionMaps, View
from bakeoff.report.pictures.raster import (
    COLOURS,
    Pixels,
    coloured,
    data_uri,
    diverging,
    enlarged,
    photograph,
    tiles,
)

LARGE = 5
"""How many filters are shown large: the first, for the maps shown large are of the first."""


@dataclass(frozen=True, eq=False)
class Picture:
    """A raster with what it shows in words."""

    pixels: Pixels
    alt: str
    caption: str = ""
    """What stands below it, where something does."""

    @cached_property
    def uri(self) -> str:
        """The picture as a PNG inside the page."""
        return data_uri(self.pixels)

    @property
    def width(self) -> int:
        """Picture elements across."""
        return int(self.pixels.shape[1])

    @property
    def height(self) -> int:
        """Picture elements down."""
        return int(self.pixels.shape[0])


COLOUR_BAR = Picture(diverging(np.linspace(-1, 1, 129)[None], 1.0), "colour scale")
"""The colour scale from its lowest to its highest value."""


@dataclass(frozen=True)
class OneScale:
    """Pictures in one colour scale from -limit to limit."""

    pictures: tuple[Picture, ...]
    limit: float


@dataclass(frozen=True)
class Layer:
    """One convolution: its maps before and after the activation, or its output alone."""

    title: str
    """By its place, with what lies between it and the maps: First convolution, after pooling."""
    channels: int
    activation: str | None
    first: OneScale
    """Channel 0 alone."""
    all: OneScale
    """Every channel, as a grid."""
    zeros: float
    """Share of the values that the activation set to zero, in [0, 1]."""


@dataclass(frozen=True)
class Filters:
    """The filters of the first convolution, in one colour scale."""

    large: tuple[Picture, ...]
    all: Picture
    count: int
    channels: int
    """Three are shown as the colours that they are; more or two as their mean."""
    size: str
    """Height and width: 5 × 5."""
    limit: float

    @property
    def in_colour(self) -> bool:
        """Whether a weight has the colour of its three channels, grey at zero."""
        return self.channels == COLOURS


@dataclass(frozen=True)
class ViewPictures:
    """All pictures of one view."""

    view: View
    original: Picture
    filters: Filters | None
    layers: tuple[Layer, ...]
    weights: OneScale | None
    """The weight image of each class of a linear network."""

    @property
    def summary(self) -> str:
        """One line that says what the network has to show, as it is printed: 5 × 5."""
        return self.view.summary.replace(" x ", " × ")

    @property
    def high(self) -> str:
        """How high pixel values look in the picture of the image."""
        return "dark" if self.view.light_on_dark else "light"


def view_pictures(view: View) -> ViewPictures:
    """Return the pictures of a view."""
    weights = None
    if view.class_weights is not None:
        limit = float(np.abs(view.class_weights).max())
        drawn = [diverging(values, limit) for values in view.class_weights]
        weights = OneScale(
            tuple(
                Picture(pixels, f"weights of class {name}", name)
                for pixels, name in zip(drawn, view.classes, strict=True)
            ),
            limit,
        )
    return ViewPictures(
        view=view,
        original=Picture(
            photograph(view.image, light_on_dark=view.light_on_dark),
            f"test image {view.index}, labelled {view.label_name}",
            "the image",
        ),
        filters=None if view.filters is None else _filters(view.filters),
        layers=tuple(_layer(number, maps) for number, maps in enumerate(view.convolutions, 1)),
        weights=weights,
    )


def _filters(filters: NDArray[np.float32]) -> Filters:
    """Return filters [filters, channels, height, width] as pictures."""
    count, channels, height, width = filters.shape
    in_colour = channels == COLOURS
    values = filters if in_colour else filters.mean(axis=1)
    limit = float(np.abs(values).max())
    drawn = [coloured(each, limit) if in_colour else diverging(each, limit) for each in values]
    names, every = [f"filter {number}" for number in range(count)], f"all {count} filters"
    # Lines as wide as a weight would hide among the weights.
    apart = tiles([enlarged(pixels, 6) for pixels in drawn], _columns(count), gap=3)
    return Filters(
        large=tuple(
            Picture(pixels, name, name) for pixels, name in zip(drawn[:LARGE], names, strict=False)
        ),
        all=Picture(apart, every, every),
        count=count,
        channels=channels,
        size=f"{height} × {width}",
        limit=limit,
    )


def _columns(count: int) -> int:
    """Return how many columns a grid of `count` pictures has."""
    return 8 if count <= 64 else 16


def _layer(number: int, maps: ConvolutionMaps) -> Layer:
    title, shown, zeros = f"{ordinal(number)} convolution", {"output": maps.output}, 0.0
    ran = maps.activation
    if ran is not None:
        shown = {f"before {ran.name}": ran.before, f"after {ran.name}": ran.after}
        zeros = float(np.mean((ran.after == 0) & (ran.before != 0)))
        title += f", after {listed(ran.between)}" if ran.between else ""
    channels = len(maps.output)
    return Layer(
        title=title,
        channels=channels,
        activation=ran.name if ran else None,
        first=_maps({stage: each[:1] for stage, each in shown.items()}, f"{maps.name}, channel 0"),
        all=_maps(shown, f"{maps.name}, all {channels} channels"),
        zeros=zeros,
    )


def _maps(stages: Mapping[str, NDArray[np.float32]], whose: str) -> OneScale:
    """Return maps [channels, height, width], each stage with its caption, as pictures."""
    limit = max(float(np.abs(maps).max()) for maps in stages.values())
    pictures = []
    for caption, maps in stages.items():
        # A line of one picture element is thin beside sixteen.
        times = max(1, 16 // maps.shape[2]) if len(maps) > 1 else 1
        drawn = [enlarged(diverging(values, limit), times) for values in maps]
        pictures.append(Picture(tiles(drawn, _columns(len(maps))), f"{whose} {caption}", caption))
    return OneScale(tuple(pictures), limit)


def ordinal(number: int) -> str:
    """Return First to Sixth, then 7th, 11th, 21st."""
    places = ("First", "Second", "Third", "Fourth", "Fifth", "Sixth")
    if number <= len(places):
        return places[number - 1]
    teen = number % 100 in range(11, 14)
    return f"{number}{'th' if teen else {1: 'st', 2: 'nd', 3: 'rd'}.get(number % 10, 'th')}"
