"""The look inside a network as pictures: filters, feature maps before and after ReLU, weights."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from bakeoff.findings.look import ConvolutionMaps, Look
from bakeoff.report.pictures.raster import Pixels, data_uri, diverging, enlarged, grey, tiles

LARGE = 5
"""How many filters are shown large: the first, for the maps shown large are of the first."""


@dataclass(frozen=True)
class Picture:
    """A raster with what it shows in words."""

    pixels: Pixels
    alt: str

    @property
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


@dataclass(frozen=True)
class Pair:
    """The same maps before and after ReLU, in one colour scale from -limit to limit."""

    before: Picture
    after: Picture
    limit: float


@dataclass(frozen=True)
class Layer:
    """One convolution."""

    title: str
    """By its place: First convolution."""
    name: str
    """As the network calls it."""
    channels: int
    first: Pair
    """Channel 0 alone."""
    all: Pair
    """Every channel, as a grid."""
    cut_off: float
    """Share of the values before ReLU that are not above zero, in [0, 1]."""


@dataclass(frozen=True)
class Filters:
    """The filters of the first convolution, in one colour scale."""

    large: tuple[Picture, ...]
    all: Picture
    count: int
    size: str
    """Height and width: 5 × 5."""
    limit: float


@dataclass(frozen=True)
class Weights:
    """The weight image of each class of a linear network, in one colour scale."""

    pictures: tuple[Picture, ...]
    limit: float


@dataclass(frozen=True)
class LookPictures:
    """All pictures of one look."""

    look: Look
    original: Picture
    filters: Filters | None
    layers: tuple[Layer, ...]
    weights: Weights | None

    @property
    def summary(self) -> str:
        """One line that says what the network has to show, as it is printed: 5 × 5."""
        return self.look.summary.replace(" x ", " × ")


def colour_bar() -> Picture:
    """Return the colour scale from its lowest to its highest value."""
    return Picture(diverging(np.linspace(-1, 1, 129)[None], 1.0), "colour scale")


def largest(*arrays: NDArray[np.float32]) -> float:
    """Return the largest magnitude, which a colour scale centred on zero must reach."""
    return max((float(np.abs(array).max(initial=0)) for array in arrays), default=0.0)


_MANY = 64


def wide(count: int) -> int:
    """Return how many columns a grid of `count` pictures has: 8 up to 64 of them."""
    return 8 if count <= _MANY else 16


def _pair(before: NDArray[np.float32], after: NDArray[np.float32], words: str) -> Pair:
    """Return maps [channels, height, width] as pictures of one scale."""
    limit = largest(before, after)
    columns = wide(len(before))
    drawn = [tiles([diverging(m, limit) for m in maps], columns) for maps in (before, after)]
    return Pair(
        Picture(drawn[0], f"{words} before ReLU"), Picture(drawn[1], f"{words} after ReLU"), limit
    )


_PLACES = ("First", "Second", "Third", "Fourth", "Fifth", "Sixth")


def _layer(place: int, maps: ConvolutionMaps) -> Layer:
    ordinal = _PLACES[place] if place < len(_PLACES) else f"{place + 1}th"
    return Layer(
        title=f"{ordinal} convolution",
        name=maps.name,
        channels=len(maps.before),
        first=_pair(maps.before[:1], maps.after[:1], f"{maps.name}, channel 0"),
        all=_pair(maps.before, maps.after, f"{maps.name}, all {len(maps.before)} channels"),
        cut_off=float(np.mean(maps.before <= 0)),
    )


def _filters(filters: NDArray[np.float32]) -> Filters:
    """Return filters [filters, channels, height, width]; several input channels as their mean."""
    flat = filters.mean(axis=1)
    limit = largest(flat)
    drawn = [diverging(values, limit) for values in flat]
    # Lines as wide as a weight would hide among the weights.
    apart = tiles([enlarged(pixels, 6) for pixels in drawn], wide(len(drawn)), gap=3)
    return Filters(
        large=tuple(
            Picture(pixels, f"filter {number}") for number, pixels in enumerate(drawn[:LARGE])
        ),
        all=Picture(apart, f"all {len(drawn)} filters"),
        count=len(drawn),
        size=f"{flat.shape[1]} × {flat.shape[2]}",
        limit=limit,
    )


def _weights(weights: NDArray[np.float32], classes: tuple[str, ...]) -> Weights:
    limit = largest(weights)
    names = classes or tuple(str(number) for number in range(len(weights)))
    return Weights(
        pictures=tuple(
            Picture(diverging(values, limit), f"weights of class {name}")
            for values, name in zip(weights, names, strict=True)
        ),
        limit=limit,
    )


def look_pictures(look: Look, classes: tuple[str, ...] = ()) -> LookPictures:
    """Return the pictures of a look; `classes` names the weight images."""
    return LookPictures(
        look=look,
        original=Picture(grey(look.image), f"test image {look.index}, a {look.label}"),
        filters=None if look.filters is None else _filters(look.filters),
        layers=tuple(_layer(place, maps) for place, maps in enumerate(look.convolutions)),
        weights=None if look.class_weights is None else _weights(look.class_weights, classes),
    )
