"""Numbers as images: axes, scale and colour."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from typing import Any

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st
from numpy.typing import NDArray

from bakeoff.data.readers.pixels import images_of, in_colour, layout_of, scale_of
from bakeoff.errors import DataError


@dataclass(frozen=True, eq=False)
class Held:
    """Rows in memory."""

    values: NDArray[Any]
    where: str = "a: x"

    @property
    def dtype(self) -> np.dtype[Any]:
        return self.values.dtype

    @property
    def type_name(self) -> str:
        return self.values.dtype.name

    @property
    def shape(self) -> tuple[int, ...]:
        return self.values.shape

    def name(self, row: int) -> str:
        return f"{self.where}[{row}]"

    def blocks(self, rows: Sequence[int] | NDArray[np.int64]) -> Iterator[NDArray[Any]]:
        for row in rows:
            yield self.values[[row]]


def read(values: NDArray[Any], channels: int = 1, size: Any = None) -> NDArray[np.uint8]:
    array = Held(values)
    blocks = images_of(
        array, range(len(values)), layout_of(array, size), scale_of([array]), channels
    )
    return np.concatenate(list(blocks))


COLOURS = np.arange(2 * 4 * 5 * 3, dtype=np.uint8).reshape(2, 4, 5, 3)


def test_channels_may_be_last_or_first() -> None:
    upright = COLOURS.transpose(0, 3, 1, 2)
    np.testing.assert_array_equal(read(COLOURS, 3), upright)
    np.testing.assert_array_equal(read(upright, 3), upright)
    assert layout_of(Held(COLOURS)).axes == "[n, height, width, channels]"
    assert layout_of(Held(upright)).axes == "[n, channels, height, width]"


@pytest.mark.parametrize("shape", [(2, 4, 5, 1), (2, 1, 4, 5), (2, 4, 5), (2, 20)])
def test_grey_images_may_have_a_channel_or_none(shape: tuple[int, ...]) -> None:
    grey = np.arange(40, dtype=np.uint8).reshape(2, 1, 4, 5)
    size = (4, 5) if len(shape) == 2 else None
    np.testing.assert_array_equal(read(grey.reshape(shape), size=size), grey)


@pytest.mark.parametrize(
    ("shape", "complaint"),
    [
        ((2, 3, 8, 3), "[2, 3, 8, 3] may be [n, height, width, channels] or"),
        ((2, 1, 1, 1), "[2, 1, 1, 1] may be [n, height, width, channels] or"),
        ((2, 8, 8, 2), "[2, 8, 8, 2] has no axis of 1, 3 or 4 channels; give grey or colour"),
        ((2,), "[2] is no images; give [n, height, width], "),
        ((2, 1, 1, 8, 8), "[2, 1, 1, 8, 8] is no images; give [n, height, width], "),
        ((2, 0, 8), "images of 0 x 8 pixels; sides of 1 to 4,096 are read"),
        ((1, 4097, 1), "images of 4,097 x 1 pixels; sides of 1 to 4,096 are read"),
        ((2, 20), "20 pixels are not a square, neither grey nor in three colours; give "),
    ],
)
def test_what_can_be_read_in_two_ways_or_in_none_is_refused(
    shape: tuple[int, ...], complaint: str
) -> None:
    with pytest.raises(DataError) as caught:
        layout_of(Held(np.zeros(shape, np.uint8)))
    assert str(caught.value).startswith(f"a: x: {complaint}")


@pytest.mark.parametrize("together", [True, False])
def test_flat_colours_are_unfolded_so_that_neighbours_are_alike(together: bool) -> None:
    # A slope in each colour, of another height and direction, as shades of a photograph.
    slope = np.arange(16)
    red = np.add.outer(slope, slope) * 4
    images = np.stack([red, 120 - red // 2, np.tile(slope * 9, (16, 1))])[np.newaxis]
    images = images.astype(np.uint8)
    flat = images.transpose(0, 2, 3, 1) if together else images
    np.testing.assert_array_equal(read(flat.reshape(1, -1), 3), images)


@pytest.mark.parametrize(
    ("values", "expected", "note"),
    [
        (np.array([0, 7, 255], np.uint8), [0, 7, 255], ""),
        (np.array([0, 1, 1], np.uint8), [0, 255, 255], "uint8 from 0 to 1, times 255, rounded to "
         "whole numbers"),
        (np.array([False, True, True]), [0, 255, 255], "bool from 0 to 1, times 255, rounded to "
         "whole numbers"),
        (np.array([0, 0.5, 1]), [0, 128, 255], "float64 from 0 to 1, times 255, rounded to whole "
         "numbers"),
        (np.array([0, 7, 255.0]), [0, 7, 255], "float64 from 0 to 255, taken as bytes"),
        (np.array([0, 7.6, 200]), [0, 8, 200], "float64 from 0 to 200, rounded to whole numbers"),
        (np.array([0, 16, 3], np.int64), [0, 16, 3], "int64 from 0 to 16, taken as bytes"),
        (np.array([0, 257, 65535], np.uint16), [0, 1, 255], "uint16 from 0 to 65535, 16 bits, of "
         "which 65,535 become 255, rounded"),
        (np.array([0, 2048, 4095], np.uint16), [0, 128, 255], "uint16 from 0 to 4095, 12 bits, of "
         "which 4,095 become 255, rounded"),
        (np.array([0, 0, 0]), [0, 0, 0], "int64 from 0 to 0, taken as bytes"),
    ],
)  # fmt: skip
def test_numbers_become_bytes_by_a_rule_that_is_said(
    values: NDArray[Any], expected: list[int], note: str
) -> None:
    assert read(values.reshape(3, 1, 1)).ravel().tolist() == expected
    assert scale_of([Held(values.reshape(3, 1, 1))]).note == note


@given(st.lists(st.integers(0, 255), min_size=1, max_size=20), st.sampled_from(["f2", "f4", "f8"]))
def test_bytes_that_were_divided_by_255_come_back(values: list[int], dtype: str) -> None:
    pixels = np.array([*values, 255], np.uint8).reshape(-1, 1, 1)
    assert (read((pixels / 255).astype(dtype)).ravel() == pixels.ravel()).all()


@pytest.mark.parametrize(
    ("values", "complaint"),
    [
        (np.array([1.0, -1]), "[1]: -1 is no pixel; "),
        (np.array([0, 70000]), "[1]: 70000 is no pixel; "),
        (np.array([0, 256, 255]), "[1]: 256 is no pixel; "),
        (np.array([0, 0, np.nan]), "[2]: nan is no pixel; "),
        (np.array([np.inf, 0]), "[0]: inf is no pixel; "),
        (np.array(["a", "b"]), ": <U1 is no pixels; give numbers"),
        (np.array([1j, 1]), ": complex128 is no pixels; give numbers"),
    ],
)
def test_numbers_that_are_no_pixels_are_refused(values: NDArray[Any], complaint: str) -> None:
    if complaint.endswith("; "):
        complaint += "give numbers from 0 to 1, 0 to 255 or 0 to 65535, not yet normalised"
    with pytest.raises(DataError) as caught:
        scale_of([Held(values)])
    assert str(caught.value) == f"a: x{complaint}"


def test_all_parts_are_scaled_alike() -> None:
    dark, light = np.array([0, 100.0]), np.array([0, 4095.0])
    scale = scale_of([Held(dark), Held(light)])
    assert scale(dark).tolist() == [0, 6]
    with pytest.raises(DataError) as caught:
        scale_of([Held(dark, "a: x_train"), Held(dark.astype(np.uint8), "a: x_test")])
    assert str(caught.value) == (
        "a: x_test: uint8, and a: x_train: float64, so their pixels may differ in scale; save both "
        "as one type"
    )


def test_colours_become_grey_and_grey_becomes_colours() -> None:
    pure = np.array([[255, 0, 0], [0, 255, 0], [0, 0, 255], [255, 255, 255]], np.uint8)
    grey = in_colour(pure.reshape(4, 3, 1, 1), 1)
    # ITU-R BT.601: 0.299, 0.587 and 0.114 of 255.
    assert grey.ravel().tolist() == [76, 150, 29, 255]
    assert in_colour(grey, 3)[0].ravel().tolist() == [76, 76, 76]


def test_what_one_sees_through_is_white() -> None:
    pixel = np.array([[10, 20, 30, 0], [10, 20, 30, 255], [0, 0, 0, 51]], np.uint8)
    seen = in_colour(pixel.reshape(3, 4, 1, 1), 3)
    assert seen.reshape(3, 3).tolist() == [[255, 255, 255], [10, 20, 30], [204, 204, 204]]
