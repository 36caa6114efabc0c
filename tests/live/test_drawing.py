from __future__ import annotations

import io

import numpy as np
import pytest
from numpy.typing import NDArray
from PIL import Image

from bakeoff.data.dataset import Dataset
from bakeoff.errors import UnreadableError
from bakeoff.live.drawing import NOTHING, Form, drawn, form_of
from bakeoff.study.protocol import Protocol
from benchmarks.drawn_digits import STROKES, drawn_with_a_pen, smooth

MNIST = Form((1, 28, 28), "crop", 20, light=True)


def canvas(
    digit: int, left: float = 80, top: float = 50, height: float = 160, pen: float = 16
) -> NDArray[np.uint8]:
    """Return a digit that is drawn white on black on a canvas of 280 x 280."""
    corner = (left, top)
    strokes = [smooth(points) * (0.7 * height, height) + corner for points in STROKES[digit]]
    return drawn_with_a_pen(strokes, 280, pen)


def encoded(pixels: NDArray[np.uint8], kind: str = "PNG") -> bytes:
    buffer = io.BytesIO()
    Image.fromarray(pixels).save(buffer, kind)
    return buffer.getvalue()


def read(
    pixels: NDArray[np.uint8], form: Form = MNIST, *, centre: bool = True
) -> NDArray[np.uint8]:
    """Return the one plane that networks receive of a drawing."""
    image = drawn(encoded(pixels), form, centre=centre).image
    assert image is not None
    assert image.shape == form.shape
    plane: NDArray[np.uint8] = image[0]
    return plane


def with_opacity(colour: int, opacity: NDArray[np.uint8]) -> NDArray[np.uint8]:
    """Return ink of one colour on nothing, as a canvas of the page has it."""
    plane = np.where(opacity > 0, colour, 0).astype(np.uint8)
    return np.dstack([plane, plane, plane, opacity])


@pytest.mark.parametrize("digit", range(10))
def test_a_drawing_has_the_form_of_mnist(digit: int) -> None:
    ink = read(canvas(digit)).astype(float)
    rows, columns = np.flatnonzero(ink.any(axis=1)), np.flatnonzero(ink.any(axis=0))
    sides = rows[-1] - rows[0] + 1, columns[-1] - columns[0] + 1
    assert max(sides) == 20
    assert ink.max() == 255
    centre = [(ink.sum(axis=1 - axis) @ np.arange(28)) / ink.sum() for axis in (0, 1)]
    assert np.abs(np.array(centre) - 13.5).max() <= 0.5


@pytest.mark.parametrize("digit", range(10))
@pytest.mark.parametrize("by", [(-40, -70), (50, 70), (3, -50)])
def test_where_it_is_drawn_changes_nothing(digit: int, by: tuple[int, int]) -> None:
    moved = np.roll(canvas(digit), by, (0, 1))
    assert np.array_equal(read(moved), read(canvas(digit)))


@pytest.mark.parametrize("digit", range(10))
@pytest.mark.parametrize("height", [80, 240])
def test_how_large_it_is_drawn_changes_little(digit: int, height: float) -> None:
    found = read(canvas(digit, 40, 20, height, height / 10)).astype(int)
    shifted = [
        np.abs(np.roll(found, (down, across), (0, 1)) - read(canvas(digit))).mean()
        for down in (-1, 0, 1)
        for across in (-1, 0, 1)
    ]
    assert min(shifted) < 10  # Another digit is 40 away.


@pytest.mark.parametrize("pen", [1, 3, 40])
def test_thin_and_thick_pens_leave_full_contrast_in_the_box(pen: float) -> None:
    ink = read(canvas(3, pen=pen))
    assert ink.max() == 255
    assert np.flatnonzero(ink.any(axis=1)).size == 20


@pytest.mark.parametrize("digit", range(10))
def test_dark_on_light_is_the_same_drawing(digit: int) -> None:
    assert np.array_equal(read(255 - canvas(digit)), read(canvas(digit)))


@pytest.mark.parametrize("colour", [0, 90, 255])
def test_ink_on_nothing_is_read_by_its_opacity(colour: int) -> None:
    found = read(with_opacity(colour, canvas(4)))
    assert np.array_equal(found, read(canvas(4)))


def test_a_sheet_with_transparent_corners_is_read_by_its_colours() -> None:
    opacity = np.full((280, 280), 255, np.uint8)
    opacity[:20, :20] = 0
    paper = 255 - canvas(4)
    found = read(np.dstack([paper, paper, paper, opacity]))
    assert np.array_equal(found, read(canvas(4)))


def test_grey_ink_on_uneven_paper_is_the_same_drawing() -> None:
    paper = np.random.default_rng(0).normal(225, 3, (280, 280)) - 0.5 * canvas(7)
    found = read(np.clip(paper, 0, 255).astype(np.uint8)).astype(int)
    assert np.abs(found - read(canvas(7))).mean() < 6


@pytest.mark.parametrize(
    "pixels",
    [
        np.zeros((280, 280), np.uint8),
        np.full((280, 280), 255, np.uint8),
        np.full((280, 280), 128, np.uint8),
        np.zeros((280, 280, 4), np.uint8),
        np.full((280, 280, 4), 255, np.uint8),
        np.zeros((1, 1), np.uint8),
    ],
    ids=["black", "white", "grey", "clear", "opaque", "one pixel"],
)
@pytest.mark.parametrize("centre", [True, False])
def test_empty_and_full_canvases_are_nothing(pixels: NDArray[np.uint8], centre: bool) -> None:
    found = drawn(encoded(pixels), MNIST, centre=centre)
    assert found.image is None
    assert [step.name for step in found.steps] == ["as drawn"]
    assert NOTHING == "nothing is drawn"


@pytest.mark.parametrize("place", [(0, 0), (140, 140), (279, 279)])
def test_a_dot_is_a_drawing(place: tuple[int, int]) -> None:
    pixels = np.zeros((280, 280), np.uint8)
    pixels[place] = 255
    assert read(pixels).max() == 255


@pytest.mark.parametrize("shape", [(1, 280), (280, 1), (2, 2), (3, 700)])
def test_canvases_of_any_size_are_read(shape: tuple[int, int]) -> None:
    pixels = np.zeros(shape, np.uint8)
    pixels[0, 0] = 255
    assert read(pixels).any()
    assert read(pixels, centre=False).shape == (28, 28)


def test_without_centring_all_of_the_canvas_is_made_small() -> None:
    found = read(canvas(1, 20, 20, 60), centre=False)
    assert np.flatnonzero(found.any(axis=1)).max() < 10
    steps = drawn(encoded(canvas(1)), MNIST, centre=False).steps
    assert [step.name for step in steps] == [
        "as drawn", "light on dark, full contrast", "all of it as 28 x 28",
    ]  # fmt: skip


def test_the_steps_lead_from_the_drawing_to_the_image() -> None:
    found = drawn(encoded(255 - canvas(2)), MNIST, centre=True)
    assert [step.name for step in found.steps] == [
        "as drawn",
        "light on dark, full contrast",
        "cropped",
        "in a box of 20 pixels",
        "its centre of mass in the middle of 28 x 28",
    ]
    assert found.image is not None
    assert np.array_equal(found.steps[-1].picture, found.image)


def test_the_form_is_read_off_the_training_images(mnist: Dataset, digits: Dataset) -> None:
    protocol = Protocol(dataset="mnist")
    assert form_of(mnist, protocol) == MNIST
    assert form_of(digits, protocol) == Form((1, 8, 8), "crop", 8, light=True)


def test_strokes_that_are_dark_on_light_are_left_so(mnist: Dataset) -> None:
    images = 255 - mnist.train_images[:500]
    dark = Dataset(
        "dark", mnist.classes, images, mnist.train_labels[:500], images[:1], np.zeros(1, int)
    )
    form = form_of(dark, Protocol(dataset="mnist"))
    assert form == Form((1, 28, 28), "crop", 20, light=False)
    assert np.array_equal(read(canvas(5), form), 255 - read(canvas(5)))


def test_photographs_are_fitted_as_the_protocol_has_it() -> None:
    images = np.random.default_rng(0).integers(0, 256, (50, 3, 16, 16)).astype(np.uint8)
    labels = np.zeros(50, int)
    photographs = Dataset("photographs", ("a",), images, labels, images, labels)
    form = form_of(photographs, Protocol(dataset="./there", image_size=16, fit="pad"))
    assert form == Form((3, 16, 16), "pad", None, light=False)
    wide = np.full((20, 40, 3), (200, 100, 50), np.uint8)
    found = drawn(encoded(wide), form, centre=True)
    assert found.image is not None
    assert found.image[:, 8, 8].tolist() == [200, 100, 50]
    assert found.image[:, 0, 8].tolist() == [0, 0, 0]
    assert [step.name for step in found.steps] == ["fitted into 16 x 16 (pad)"]


def test_test_images_that_come_back_are_what_they_were(mnist: Dataset) -> None:
    for image in mnist.test_images[:100]:
        assert np.array_equal(read(image[0]), image[0])


def test_a_large_picture_is_refused_by_its_header() -> None:
    with pytest.raises(UnreadableError) as refused:
        drawn(encoded(np.zeros((5001, 5000), np.uint8)), MNIST, centre=True)
    assert str(refused.value) == (
        "5000 x 5001 pixels, at most 25,000,000 are unpacked; make it smaller"
    )


def test_what_is_no_picture_is_refused() -> None:
    with pytest.raises(UnreadableError) as refused:
        drawn(b"<html>", MNIST, centre=True)
    assert str(refused.value) == "a web page, not an image; get the file again, or take it out"
