"""The view inside a network as pictures: where it looks, filters, maps, attention, weights."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from functools import cached_property

import numpy as np
from numpy.typing import NDArray

from bakeoff.comparison.words import listed
from bakeoff.findings.view import Filters, LayerMaps, View
from bakeoff.report.pictures.raster import (
    COLOURS,
    Pixels,
    coloured,
    data_uri,
    diverging,
    enlarged,
    fitted,
    photograph,
    shining_through,
    tiles,
)

LARGE = 5
"""How many filters are shown large; the map shown large is that of the first of them."""
MOST_CHANNELS = 64
"""How many filters and maps of a layer are shown at most."""
EVIDENCE = (
    "How much the log-odds of a class fall, in nats, where that part of the image is covered by "
    "the mean training image: orange speaks for the class, blue against it."
)

_TILE = 32
"""Picture elements of a map in a grid, at most."""


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
    """One place in a network: its maps before and after the activation, or its output alone."""

    title: str
    """By its place, with what lies between it and the maps: First convolution, after pooling."""
    name: str
    """As the network calls the layer."""
    activation: str | None
    channel: int
    """The one that is shown alone."""
    one: OneScale
    all: OneScale
    """Every channel, as a grid; of many those that respond most."""
    which: str
    """The channels of the grid, in words."""
    zeros: float
    """Share of the values that the activation set to zero, in [0, 1]."""


@dataclass(frozen=True)
class FilterPictures:
    """The filters of the first convolution, in one colour scale."""

    large: tuple[Picture, ...]
    all: Picture
    which: str
    """The filters of the grid, in words."""
    channels: int
    """Three are shown as the colours that they are; more or two as their mean."""
    size: str
    """Height and width: 5 × 5."""
    limit: float

    @property
    def in_colour(self) -> bool:
        """Whether a weight has the colour of its three channels, grey at zero."""
        return self.channels == COLOURS


@dataclass(frozen=True, eq=False)
class ViewPictures:
    """All pictures of one view."""

    view: View
    original: Picture
    evidence: OneScale
    """For the class that the network says, and for the next."""
    filters: FilterPictures | None
    layers: tuple[Layer, ...]
    attention: Picture | None
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
    photo = photograph(view.image, light_on_dark=view.light_on_dark)
    label = f"test image {view.index}, labelled {view.label_name}"
    return ViewPictures(
        view=view,
        original=Picture(photo, label, "the image"),
        evidence=_evidence(view, photo),
        filters=None if view.filters is None else _filters(view.filters, view.channel),
        layers=tuple(_layer(maps, view.channel) for maps in view.places),
        attention=None if view.attention is None else _attention(view.attention, photo),
        weights=None if view.class_weights is None else _weights(view.class_weights, view.classes),
    )


def _evidence(view: View, photo: Pixels) -> OneScale:
    maps = view.occlusion.maps
    limit = float(np.abs(maps).max())
    return OneScale(
        tuple(
            Picture(
                shining_through(photo, diverging(values, limit)),
                f"evidence for {view.classes[place]}",
                f"for {view.classes[place]}",
            )
            for place, values in zip(view.occlusion.classes, maps, strict=True)
        ),
        limit,
    )


def _attention(shares: NDArray[np.float32], photo: Pixels) -> Picture:
    """Return shares [rows, columns] of patches as one picture as large as the image."""
    (height, width), (rows, columns) = photo.shape[:2], shares.shape
    down, across = np.arange(height) * rows // height, np.arange(width) * columns // width
    colours = diverging(shares[np.ix_(down, across)], float(shares.max()))
    return Picture(shining_through(photo, colours), "attention, rolled out", "attention")


def _weights(images: NDArray[np.float32], classes: Sequence[str]) -> OneScale:
    """Return one image [height, width] for each class as pictures."""
    limit = float(np.abs(images).max())
    return OneScale(
        tuple(
            Picture(diverging(values, limit), f"weights of class {name}", name)
            for values, name in zip(images, classes, strict=True)
        ),
        limit,
    )


def _order(responses: NDArray[np.float32], channel: int | None) -> list[int]:
    """Return channels as they are shown: as they respond, or one that is asked for before all."""
    every = range(len(responses))
    if channel in every:
        return sorted(every, key=lambda each: each != channel)
    return sorted(every, key=lambda each: -responses[each])


def _which(shown: int, count: int, what: str, channel: int | None) -> str:
    """Return which of all filters or channels a grid shows, in words."""
    told = f"all {count} {what}" if shown == count else f"{shown} of {count} {what}"
    return told if channel is not None else f"{told}, those that respond most first"


def _filters(found: Filters, channel: int | None) -> FilterPictures:
    count, channels, height, width = found.weights.shape
    shown = _order(found.responses, channel)[:MOST_CHANNELS]
    in_colour = channels == COLOURS
    values = found.weights[shown] if in_colour else found.weights[shown].mean(axis=1)
    limit = float(np.abs(values).max())
    drawn = [coloured(each, limit) if in_colour else diverging(each, limit) for each in values]
    names, which = [f"filter {n}" for n in shown], _which(len(shown), count, "filters", channel)
    # Lines as wide as a weight would hide among the weights.
    times = max(1, 30 // max(height, width))
    apart = tiles([enlarged(pixels, times) for pixels in drawn], _columns(len(shown)), gap=3)
    return FilterPictures(
        large=tuple(
            Picture(pixels, name, name) for pixels, name in zip(drawn[:LARGE], names, strict=False)
        ),
        all=Picture(apart, which, which),
        which=which,
        channels=channels,
        size=f"{height} × {width}",
        limit=limit,
    )


def _columns(count: int) -> int:
    """Return how many columns a grid of `count` pictures has."""
    return 8 if count <= 64 else 16


def _layer(maps: LayerMaps, asked: int | None) -> Layer:
    ran, shown, zeros = maps.activation, {"output": maps.output}, 0.0
    if ran is not None:
        shown = {f"before {ran.name}": ran.before, f"after {ran.name}": ran.after}
        zeros = float(np.mean((ran.after == 0) & (ran.before != 0)))
    order = _order(maps.responses, asked)[:MOST_CHANNELS]
    which = _which(len(order), len(maps.output), "channels", asked)
    alone = f"{maps.name}, channel {order[0]}"
    return Layer(
        title=_title(maps),
        name=maps.name,
        activation=ran.name if ran else None,
        channel=order[0],
        one=_maps({stage: each[order[:1]] for stage, each in shown.items()}, alone),
        all=_maps({stage: each[order] for stage, each in shown.items()}, f"{maps.name}, {which}"),
        which=which,
        zeros=zeros,
    )


def _title(maps: LayerMaps) -> str:
    ran = maps.activation
    if maps.kind == "place":
        return maps.name
    if maps.kind == "activation" and ran is not None:
        return f"{ran.name} after {maps.name}" if maps.name else ran.name
    after = f", after {listed(ran.between)}" if ran is not None and ran.between else ""
    return f"{ordinal(maps.number)} {maps.kind}{after}"


def _maps(stages: Mapping[str, NDArray[np.float32]], whose: str) -> OneScale:
    """Return maps [channels, height, width], each stage with its caption, as pictures."""
    limit = max(float(np.abs(maps).max()) for maps in stages.values())
    pictures = []
    for caption, maps in stages.items():
        drawn = [diverging(values, limit) for values in maps]
        if len(maps) > 1:
            drawn = [_as_a_tile(pixels) for pixels in drawn]
        pictures.append(Picture(tiles(drawn, _columns(len(maps))), f"{whose} {caption}", caption))
    return OneScale(tuple(pictures), limit)


def _as_a_tile(pixels: Pixels) -> Pixels:
    """Return a map as it stands in a grid: a line of one element is thin beside sixteen."""
    side = max(pixels.shape[:2])
    return fitted(pixels, _TILE) if side > _TILE else enlarged(pixels, max(1, 16 // side))


def ordinal(number: int) -> str:
    """Return First to Sixth, then 7th, 11th, 21st."""
    places = ("First", "Second", "Third", "Fourth", "Fifth", "Sixth")
    if number <= len(places):
        return places[number - 1]
    teen = number % 100 in range(11, 14)
    return f"{number}{'th' if teen else {1: 'st', 2: 'nd', 3: 'rd'}.get(number % 10, 'th')}"
