"""The look inside a network, as pictures and on its sheet."""

from __future__ import annotations

from dataclasses import replace
from xml.etree import ElementTree as ET

import numpy as np
import pytest
from numpy.typing import NDArray

from bakeoff.findings.view import Activation, Filters, Kind, LayerMaps, View
from bakeoff.report.pictures.raster import diverging, enlarged
from bakeoff.report.pictures.view_sheet import WIDTH, Sheet, draw_view
from bakeoff.report.pictures.views import ordinal, view_pictures
from tests.report.pictures import ANIMALS, view, weight_look

SVG = "{http://www.w3.org/2000/svg}"


def drawing(seen: View) -> str:
    return draw_view(view_pictures(seen))


def texts(seen: View) -> list[str]:
    """Return the lines of the drawing; fails where it is not well-formed."""
    drawn = ET.fromstring(drawing(seen))  # noqa: S314  # drawn by ourselves
    return ["".join(text.itertext()) for text in drawn.iter(f"{SVG}text")]


def titles(seen: View) -> list[str]:
    """Return what the pictures of the drawing are said to show."""
    drawn = ET.fromstring(drawing(seen))  # noqa: S314  # drawn by ourselves
    return ["".join(image.itertext()).strip() for image in drawn.iter(f"{SVG}image")]


def with_activation(found: Activation | None) -> View:
    output = np.full((4, 14, 14), -1, np.float32)
    return replace(view("e"), places=(LayerMaps("c", "convolution", 1, output, found),))


def filters_of(weights: NDArray[np.float32]) -> Filters:
    return Filters(weights, np.zeros(len(weights), np.float32), dead=(), images=100)


def test_all_filters_stand_apart_in_one_picture_and_one_scale() -> None:
    seen = view("some-entrant")
    shown = view_pictures(seen).filters
    assert seen.filters is not None
    assert shown is not None
    assert (shown.which, len(shown.large), shown.size) == ("all 32 filters", 5, "5 × 5")
    assert shown.limit == pytest.approx(np.abs(seen.filters.weights).max())
    # Six picture elements a weight and lines of three between filters, eight filters in a row.
    grid = shown.all.pixels
    assert grid.shape == (4 * 30 + 3 * 3, 8 * 30 + 7 * 3, 3)
    for number, weights in enumerate(seen.filters.weights[:, 0]):
        top, left = number // 8 * 33, number % 8 * 33
        tile = grid[top : top + 30 : 6, left : left + 30 : 6]
        np.testing.assert_array_equal(tile, diverging(weights, shown.limit))


def test_filters_of_three_channels_have_colours_and_no_scale_of_orange_and_blue() -> None:
    filters = np.zeros((2, 3, 5, 5), np.float32)
    filters[1, 0] = -0.5
    seen = replace(view("e"), filters=filters_of(filters), places=())
    shown = view_pictures(seen).filters
    assert shown is not None
    assert shown.in_colour
    grey, cyan = (picture.pixels[0, 0].tolist() for picture in shown.large)
    assert (grey, cyan) == ([128, 128, 128], [0, 128, 128])
    # The one is that of the evidence.
    assert titles(seen).count("colour scale") == 1
    assert "Grey is zero; full colours are 0.5 away from it." in texts(seen)


def test_filters_of_many_channels_are_shown_as_their_mean() -> None:
    filters = np.arange(4, dtype=np.float32).reshape(1, 4, 1, 1)
    shown = view_pictures(replace(view("e"), filters=filters_of(filters))).filters
    assert shown is not None
    assert (shown.in_colour, shown.channels, shown.limit) == (False, 4, 1.5)


def test_before_and_after_an_activation_share_one_scale() -> None:
    seen = view("some-entrant")
    for layer, maps in zip(view_pictures(seen).layers, seen.places, strict=True):
        assert layer.all.limit == pytest.approx(np.abs(maps.output).max())
        assert layer.one.limit == pytest.approx(np.abs(maps.output[0]).max())
        # Where ReLU lets a value pass, its colour stays; where not, it is the colour of zero.
        passed = maps.output[0] > 0
        before, after = (picture.pixels for picture in layer.one.pictures)
        np.testing.assert_array_equal(before[passed], after[passed])
        assert np.unique(after[~passed].reshape(-1, 3), axis=0).tolist() == [[250, 249, 246]]
        assert layer.zeros == np.mean(maps.output < 0)


def test_an_activation_and_what_came_before_it_are_named() -> None:
    before = np.array([[[-1, 1]], [[2, 3]]], np.float32)
    gelu = Activation(
        "GELU", ("pooling", "normalising", "adding"), before, before * np.float32(0.5)
    )
    seen = replace(view("e"), places=(LayerMaps("c", "convolution", 1, before, gelu),))
    (layer,) = view_pictures(seen).layers
    assert layer.title == "First convolution, after pooling, normalising and adding"
    assert [picture.caption for picture in layer.all.pictures] == ["before GELU", "after GELU"]
    first, second = (picture.pixels for picture in layer.one.pictures)
    np.testing.assert_array_equal(first, diverging(before[0], 1))
    np.testing.assert_array_equal(second, diverging(before[0] / 2, 1))
    assert f"{layer.title}, channel 0" in texts(seen)
    # GELU sets nothing to zero here, and so nothing is said of it.
    assert layer.zeros == 0
    assert not any("to zero" in text for text in texts(seen))


def test_a_convolution_without_an_activation_shows_its_output_alone() -> None:
    seen = with_activation(None)
    (layer,) = view_pictures(seen).layers
    assert (layer.title, layer.activation) == ("First convolution", None)
    assert [picture.alt for picture in layer.all.pictures] == ["c, all 4 channels output"]
    assert not any("ReLU" in text for text in texts(seen) + titles(seen))


def test_what_an_activation_sets_to_zero_is_counted() -> None:
    before = np.array([[[-1, -2, 0, 3]]], np.float32)
    relu = Activation("ReLU", (), before, before.clip(min=0))
    seen = with_activation(relu)
    assert view_pictures(seen).layers[0].zeros == 0.5
    assert "ReLU sets 50.0\N{NO-BREAK SPACE}% of these values to zero." in texts(seen)


def test_lines_between_tiny_maps_are_thin() -> None:
    before = np.array([[[1, 2], [3, 4]], [[5, 6], [7, 8]]], np.float32)
    seen = with_activation(Activation("ReLU", (), before, before))
    grid = view_pictures(seen).layers[0].all.pictures[0].pixels
    assert grid.shape == (16, 16 + 1 + 16, 3)
    np.testing.assert_array_equal(grid[:, 17:], enlarged(diverging(before[1], 8), 8))


def test_look_shows_filters_maps_and_weights() -> None:
    shown = titles(view("some-entrant"))
    assert [t for t in shown if t.startswith("filter")] == [f"filter {n}" for n in range(5)]
    assert "all 32 filters" in shown
    assert "conv2, all 64 channels after ReLU" in shown
    weights = titles(weight_look("linear"))
    assert weights[0] == "test image 7, labelled 4"
    assert [t for t in weights if t.startswith("weights")] == [
        f"weights of class {n}" for n in range(10)
    ]


def test_classes_are_told_by_their_names() -> None:
    seen = replace(weight_look("linear"), classes=ANIMALS)
    assert view_pictures(seen).original.alt == "test image 7, labelled elk"
    said = texts(seen)
    assert "Label elk; the network says cat, 10.0\N{NO-BREAK SPACE}% sure." in said
    assert set(ANIMALS) <= set(said)
    assert {f"weights of class {name}" for name in ANIMALS} <= set(titles(seen))


def test_long_names_run_neither_out_of_the_sheet_nor_into_each_other() -> None:
    names = tuple(f"{number} {'word ' * 12}".strip() for number in range(10))
    drawn = ET.fromstring(drawing(replace(weight_look("l" * 64), classes=names)))  # noqa: S314
    size = {"22": 0.6 * 22, "16": 0.58 * 16, "14": 7.5}
    column = (WIDTH - 2 * 24 - 3 * 24) / 4
    captions = 0
    for text in drawn.iter(f"{SVG}text"):
        width = len(text.text or "") * size[text.attrib["font-size"]]
        caption = (text.text or "").endswith("…")
        captions += caption
        assert width <= (column if caption else WIDTH - 24)
    assert captions == 12


@pytest.mark.parametrize("limit", [1.0, 0.25, 0.0123, 0.000123])
def test_the_ends_of_a_scale_stand_beside_its_bar(limit: float) -> None:
    sheet = Sheet()
    sheet.scale(limit)
    low, high = sheet.texts
    (bar,) = sheet.pictures
    # Digits of a common typeface are at most 0.65 of the type's size wide.
    assert low.x + 0.65 * 14 * len(low.text) < bar.x
    assert bar.x + bar.width < high.x


def test_look_into_a_network_without_pictures_says_so() -> None:
    bare = replace(weight_look("mlp"), class_weights=None, summary="three layers <x>")
    assert "Three layers &lt;x&gt;." in drawing(bare)
    assert titles(bare) == [
        "test image 7, labelled 4", "evidence for 4", "evidence for 0", "colour scale"
    ]  # fmt: skip


@pytest.mark.parametrize(
    ("number", "word"),
    [
        (1, "First"), (6, "Sixth"), (7, "7th"), (11, "11th"), (12, "12th"), (13, "13th"),
        (20, "20th"), (21, "21st"), (22, "22nd"), (33, "33rd"), (101, "101st"), (111, "111th"),
    ],
)  # fmt: skip
def test_places_are_counted_as_one_says_them(number: int, word: str) -> None:
    assert ordinal(number) == word


def responding(channel: int | None, *strongest: float) -> View:
    """Return a view of a layer of 1 x 2 maps, whose channels respond so strongly."""
    output = np.array([[[value, 0]] for value in strongest], np.float32)
    maps = LayerMaps("c", "convolution", 1, output, None)
    filters = Filters(output[:, None], maps.responses, dead=(), images=100)
    return replace(view("e"), places=(maps,), filters=filters, channel=channel)


def test_what_responds_most_comes_first() -> None:
    """Also where it is below zero; among equal ones the first."""
    shown = view_pictures(responding(None, 1, -3, 2, 2))
    (layer,) = shown.layers
    assert (layer.channel, layer.which) == (1, "all 4 channels, those that respond most first")
    assert layer.one.limit == 3
    assert layer.one.pictures[0].alt == "c, channel 1 output"
    first = layer.all.pictures[0].pixels[0, ::17][:4]
    np.testing.assert_array_equal(first, diverging(np.array([[-3, 2, 2, 1]]), 3)[0])
    assert shown.filters is not None
    assert [each.caption for each in shown.filters.large] == [f"filter {n}" for n in (1, 2, 3, 0)]


def test_a_channel_that_the_study_names_comes_first_where_there_is_one() -> None:
    shown = view_pictures(responding(2, 1, -3, 2))
    assert (shown.layers[0].channel, shown.layers[0].which) == (2, "all 3 channels")
    assert shown.filters is not None
    assert [each.caption for each in shown.filters.large] == ["filter 2", "filter 0", "filter 1"]
    assert view_pictures(responding(3, 1, -3, 2)).layers[0].channel == 1


def test_of_many_channels_some_are_shown_and_large_maps_are_averaged() -> None:
    output = np.zeros((100, 64, 64), np.float32)
    output[90] = 2
    seen = replace(
        view("e"), channel=None, places=(LayerMaps("c", "convolution", 1, output, None),)
    )
    (layer,) = view_pictures(seen).layers
    assert layer.which == "64 of 100 channels, those that respond most first"
    grid = layer.all.pictures[0].pixels
    assert grid.shape == (8 * 33 - 1, 8 * 33 - 1, 3)
    assert (grid[:32, :32] == diverging(np.array([[2.0]]), 2)[0, 0]).all()
    assert layer.one.pictures[0].pixels.shape == (64, 64, 3)


@pytest.mark.parametrize(
    ("kind", "activation", "title"),
    [
        ("fully connected layer", None, "Third fully connected layer"),
        ("recurrent layer", None, "Third recurrent layer"),
        ("activation", "GELU", "GELU after stem.norm"),
        ("place", "ReLU", "stem.norm"),
    ],
)
def test_places_have_titles(kind: Kind, activation: str | None, title: str) -> None:
    output = np.ones((1, 1, 1), np.float32)
    ran = Activation(activation, (), output, output) if activation else None
    seen = replace(view("e"), places=(LayerMaps("stem.norm", kind, 3, output, ran),))
    assert view_pictures(seen).layers[0].title == title


def test_the_image_shines_through_the_evidence() -> None:
    """Half as bright where it is black, in one scale for both classes."""
    image = np.zeros((1, 28, 28), np.uint8)
    image[0, 0] = 255
    maps = np.stack([np.full((28, 28), 4), np.full((28, 28), -2)]).astype(np.float32)
    seen = replace(view("e"), image=image, light_on_dark=False)
    seen = replace(seen, occlusion=replace(seen.occlusion, maps=maps))
    evidence = view_pictures(seen).evidence
    assert evidence.limit == 4
    for picture, value in zip(evidence.pictures, (4.0, -2.0), strict=True):
        colour = diverging(np.array([[value]]), 4)[0, 0]
        assert (picture.pixels[0] == colour).all()
        assert (picture.pixels[1:] == np.rint(colour / 2)).all()


def test_attention_lies_on_the_patches() -> None:
    seen = replace(
        view("e"),
        image=np.full((1, 4, 6), 255, np.uint8),
        light_on_dark=False,
        occlusion=replace(view("e").occlusion, maps=np.zeros((2, 4, 6), np.float32)),
        attention=np.array([[0.5, 0.25], [0.25, 0]], np.float32),
    )
    shown = view_pictures(seen).attention
    assert shown is not None
    expected = diverging(np.array([[0.5, 0.25], [0.25, 0]]), 0.5)
    np.testing.assert_array_equal(shown.pixels, expected.repeat(2, 0).repeat(3, 1))
    assert "What attention gathers from each patch" in texts(seen)


def test_entrants_that_say_something_else_stand_beside_it() -> None:
    other = replace(view("other"), probabilities=np.eye(10, dtype=np.float32)[2])
    drawn = draw_view(view_pictures(view("mine")), [view_pictures(other)])
    assert ">other says 2, and looks<" in drawn
    assert drawn.count("It takes 101 forward passes.") == 1
    assert "32 filters, 1 of them dead: nowhere above zero in 100 test images." in drawn
