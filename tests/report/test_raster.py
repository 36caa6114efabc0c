"""Arrays as pixels."""

from __future__ import annotations

import base64
import io

import numpy as np
import pytest
from numpy.typing import NDArray
from PIL import Image

from bakeoff.report.pictures.raster import (
    Lettering,
    coloured,
    data_uri,
    diverging,
    lettered,
    photograph,
    thumbnail,
    tiles,
)


def decoded(address: str) -> NDArray[np.uint8]:
    assert address.startswith("data:image/png;base64,")
    return np.asarray(Image.open(io.BytesIO(base64.b64decode(address.partition(",")[2]))))


def test_png_decodes_to_the_pixels() -> None:
    pixels = np.random.default_rng(1).integers(0, 256, (7, 5, 3), dtype=np.uint8)
    np.testing.assert_array_equal(decoded(data_uri(pixels)), pixels)


def test_a_thumbnail_is_the_image_or_the_means_of_squares_of_it() -> None:
    grey = np.array([[[0, 4, 10, 10, 7], [8, 12, 30, 30, 9]]], dtype=np.uint8)
    np.testing.assert_array_equal(decoded(thumbnail(grey)), grey[0])
    np.testing.assert_array_equal(decoded(thumbnail(grey, 4)), [[6, 20, 8]])
    colours = np.repeat(grey, 3, axis=0) + np.array([0, 1, 2], np.uint8)[:, None, None]
    np.testing.assert_array_equal(decoded(thumbnail(colours)), colours.transpose(1, 2, 0))


def test_only_what_is_light_on_dark_is_shown_as_its_negative() -> None:
    image = np.array([[[0, 250]]], dtype=np.uint8)
    assert photograph(image, light_on_dark=True).tolist() == [[[255, 255, 255], [5, 5, 5]]]
    assert photograph(image, light_on_dark=False).tolist() == [[[0, 0, 0], [250, 250, 250]]]


def test_three_channels_are_shown_in_their_colours() -> None:
    image = np.array([[[1, 4]], [[2, 5]], [[3, 6]]], dtype=np.uint8)
    assert photograph(image, light_on_dark=False).tolist() == [[[1, 2, 3], [4, 5, 6]]]


@pytest.mark.parametrize("channels", [2, 4])
def test_of_any_other_number_of_channels_the_first_is_shown(channels: int) -> None:
    image = np.arange(channels, dtype=np.uint8).reshape(channels, 1, 1) + 9
    assert photograph(image, light_on_dark=False).tolist() == [[[9, 9, 9]]]


def test_colour_scale_is_centred_on_zero() -> None:
    low, zero, high = diverging(np.array([[-2.0, 0.0, 2.0]]), 2.0)[0].astype(int)
    assert low[2] > low[0]  # blue below
    assert high[0] > high[2]  # orange above
    assert zero.min() > 240  # nearly white between


def test_weights_of_three_channels_are_colours_around_grey() -> None:
    weights = np.array([[[2.0, 0.0]], [[-2.0, 0.0]], [[0.0, 0.0]]])
    assert coloured(weights, 2.0).tolist() == [[[255, 0, 128], [128, 128, 128]]]
    assert coloured(np.zeros((3, 1, 1)), 0.0).tolist() == [[[128, 128, 128]]]


def test_tiles_stand_in_rows() -> None:
    ones = [np.full((2, 3, 3), value, dtype=np.uint8) for value in (1, 2, 3)]
    grid = tiles(ones, columns=2)
    assert grid.shape == (5, 7, 3)
    assert grid[0, 0, 0] == 1
    assert grid[0, 4, 0] == 2
    assert grid[3, 0, 0] == 3


def test_letters_that_the_font_lacks_stand_as_their_codes() -> None:
    def written(text: str) -> bytes:
        sheet = np.full((20, 200, 3), 255, np.uint8)
        return lettered(sheet, [Lettering(text, 0, 15, 12, "black", 200)]).tobytes()

    assert written("猫 cat") == written(r"\u732b cat") != written(" cat")
    assert written("Käse Ω") != written(r"K\xe4se Ω")
