"""The contact sheet: every image in its place, every word on the sheet."""

from __future__ import annotations

import io

import numpy as np
import pytest
from numpy.typing import NDArray
from PIL import Image

from bakeoff.report.pictures.contact_sheet import (
    ContactSheet,
    Row,
    Shown,
    draw_contact_sheet,
    is_contact_sheet,
    small,
)
from bakeoff.report.pictures.raster import Pixels, png

RED, GREEN, BLUE = (200, 0, 0), (0, 200, 0), (0, 0, 200)


def one(colour: tuple[int, int, int], side: int = 64) -> Shown:
    return Shown(np.full((side, side, 3), colour, dtype=np.uint8), "a.png")


def drawn(*classes: Row, odd: tuple[Row, ...] = (), title: str = "photos") -> Pixels:
    sheet = ContactSheet(title, "3 images", [("train", 2), ("test", 1)], classes, odd)
    with Image.open(io.BytesIO(draw_contact_sheet(sheet))) as image:
        return np.asarray(image)


def box(pixels: Pixels, colour: tuple[int, int, int]) -> tuple[int, int, int, int]:
    """Return left, top, width and height of all that has a colour."""
    rows, columns = np.nonzero((pixels == colour).all(axis=2))
    return (
        int(columns.min()),
        int(rows.min()),
        int(np.ptp(columns)) + 1,
        int(np.ptp(rows)) + 1,
    )


def test_images_stand_in_rows_and_parts() -> None:
    first = Row("cat", "2 train, 1 test", [[one(RED), one(GREEN)], [one(BLUE)]])
    pixels = drawn(first, Row("dog", "", [[one((9, 9, 9))], []]))
    left, top, *size = box(pixels, RED)
    assert size == [64, 64]
    assert box(pixels, GREEN) == (left + 68, top, 64, 64)
    assert box(pixels, BLUE) == (left + 2 * 68 + 16, top, 64, 64)
    assert box(pixels, (9, 9, 9)) == (left, top + 68, 64, 64)


def test_the_odd_ones_stand_below_in_pairs() -> None:
    odd = Row("equal, in two parts", "", [[one(RED), one(RED)], [one(BLUE), one(BLUE)]])
    pixels = drawn(Row("cat", "", [[one(GREEN)], []]), odd=(odd,))
    assert box(pixels, RED)[1] > box(pixels, GREEN)[1] + 64
    assert box(pixels, RED)[2] == 132
    assert box(pixels, BLUE)[0] == box(pixels, RED)[0] + 132 + 20


def test_a_small_image_stands_in_the_middle_of_its_place() -> None:
    pixels = drawn(Row("cat", "", [[one(RED), one(GREEN, 32)], []]))
    left, top, *_ = box(pixels, RED)
    assert box(pixels, GREEN) == (left + 68 + 16, top + 16, 32, 32)


def test_long_names_stay_in_their_column() -> None:
    short = drawn(Row("cat", "", [[one(RED)], []]))
    long = drawn(Row("cat" * 99, "1,000 train, " * 9, [[one(RED)], []]), title="photos/" * 99)
    assert short.shape == long.shape
    left = box(short, RED)[0]
    ink = (long != short).any(axis=2)[70:]
    assert ink[:, : left - 8].any()
    assert not ink[:, left - 8 :].any()


@pytest.mark.parametrize(
    ("shape", "size"),
    [
        ((1, 8, 8), (64, 64)),
        ((1, 28, 28), (56, 56)),
        ((3, 64, 48), (64, 48)),
        ((3, 300, 200), (64, 43)),
        ((1, 1, 4096), (1, 64)),
        ((2, 65, 65), (64, 64)),
    ],
)
def test_every_image_fits(shape: tuple[int, ...], size: tuple[int, int]) -> None:
    image: NDArray[np.uint8] = np.full(shape, 7, dtype=np.uint8)
    assert small(image).shape == (*size, 3)
    assert (small(image) == 7).all()


def test_a_large_image_is_averaged_and_a_small_one_keeps_its_elements() -> None:
    stripes = np.zeros((1, 128, 128), dtype=np.uint8)
    stripes[:, ::2] = 100
    assert (small(stripes) == 50).all()
    corner = np.zeros((1, 2, 2), dtype=np.uint8)
    corner[0, 0, 0] = 255
    assert (small(corner)[:, :, 0] == 255).sum() == 32 * 32


def test_a_sheet_is_known_from_other_files() -> None:
    sheet = draw_contact_sheet(ContactSheet("a", "", [("train", 1)], [], []))
    assert is_contact_sheet(sheet)
    other = png(np.zeros((3, 3, 3), dtype=np.uint8))
    assert not is_contact_sheet(other)
    assert not is_contact_sheet(other + b"bakeoff contact sheet")
    assert not is_contact_sheet(b"bakeoff contact sheet")
    assert not is_contact_sheet(b"")


def test_the_same_images_give_the_same_bytes() -> None:
    sheet = ContactSheet("a", "", [("train", 1)], [Row("cat", "", [[one(RED)]])], [])
    assert draw_contact_sheet(sheet) == draw_contact_sheet(sheet)
