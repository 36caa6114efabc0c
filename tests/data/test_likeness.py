from __future__ import annotations

import io
from dataclasses import replace
from importlib.util import find_spec
from pathlib import Path

import numpy as np
import pytest
from numpy.typing import NDArray
from PIL import Image

from bakeoff.data.dataset import Dataset
from bakeoff.data.likeness import look_over, near_pairs
from bakeoff.errors import DataError

from .drawn_stocks import Images, pictures, stock

Pair = tuple[int, int]


def pairs_of(images: Images, among: NDArray[np.int64] | None = None) -> set[Pair]:
    looks = look_over(stock(images, ["a"] * len(images)))
    found = near_pairs(looks, np.arange(len(images)) if among is None else among)
    return {(int(a), int(b)) for a, b in found}


def noisy(images: Images, deviation: float) -> Images:
    noise = np.random.default_rng(1).normal(0, deviation, images.shape)
    return np.clip(images + noise, 0, 255).astype(np.uint8)


def test_the_looks_of_hand_made_images() -> None:
    images = np.zeros((3, 1, 2, 4), dtype=np.uint8)
    images[1] = 9
    images[2, 0] = [[0, 8, 0, 8], [4, 4, 4, 4]]
    looks = look_over(stock(images, ["a"] * 3, at_once=2))
    assert looks.constant.tolist() == [True, True, False]
    assert looks.brightness.tolist() == [0, 9, 4]
    assert looks.thumbnails[2].tolist() == [[[0, 8, 0, 8], [4, 4, 4, 4]]]
    assert len(np.unique(looks.digests, axis=0)) == 3


def test_a_source_that_shrank_is_refused() -> None:
    of = stock(pictures(3), ["a"] * 3)
    shrunk = replace(of, blocks=lambda indices: of.blocks(indices[:2]))
    with pytest.raises(DataError, match=r"^photos: 2 images came of 3; it changed while it was"):
        look_over(shrunk)


def test_an_image_of_one_colour_is_constant_though_its_channels_differ() -> None:
    image = np.array([255, 0, 9], dtype=np.uint8).reshape(1, 3, 1, 1).repeat(4, 2).repeat(4, 3)
    assert look_over(stock(image, ["red"])).constant.tolist() == [True]


@pytest.mark.parametrize("side", [1, 15, 16, 17, 24, 100])
def test_a_thumbnail_has_the_mean_of_its_image(side: int) -> None:
    images = np.random.default_rng(side).integers(0, 256, (2, 3, side, side), dtype=np.uint8)
    looks = look_over(stock(images, ["a", "b"]))
    assert looks.thumbnails.shape == (2, 3, min(side, 16), min(side, 16))
    assert looks.brightness == pytest.approx(images.mean(axis=(1, 2, 3)), rel=1e-4)
    assert looks.thumbnails.mean() == pytest.approx(images.mean(), abs=0.5)


def test_pictures_that_differ_by_noise_brightness_or_contrast_are_nearly_equal() -> None:
    images = pictures(300)
    changed = [
        noisy(images, 8),
        np.clip(images.astype(np.int64) + 20, 0, 255).astype(np.uint8),
        (128 + (images.astype(np.float64) - 128) * 0.85).astype(np.uint8),
    ]
    for others in changed:
        found = pairs_of(np.concatenate([images, others]))
        wanted = {(number, number + 300) for number in range(300)}
        assert found <= wanted
        assert len(found) > 290


def test_photographs_that_were_stored_again_or_made_smaller_are_nearly_equal() -> None:
    found = find_spec("sklearn")
    assert found is not None
    assert found.origin is not None
    folder, rng, side = (
        Path(found.origin).parent / "datasets" / "images",
        np.random.default_rng(0),
        64,
    )
    originals, again, smaller = [], [], []
    for name in ("china.jpg", "flower.jpg"):
        with Image.open(folder / name) as photograph:
            for left, top in rng.integers(0, (440, 227), (100, 2)).tolist():
                piece = photograph.crop((left, top, left + 200, top + 200))
                stored = io.BytesIO()
                piece.save(stored, "JPEG", quality=75)
                originals.append(piece)
                again.append(Image.open(stored))
                smaller.append(piece.resize((100, 100), Image.Resampling.LANCZOS))
    images = np.stack(
        [
            np.asarray(each.resize((side, side), Image.Resampling.BILINEAR)).transpose(2, 0, 1)
            for each in (*originals, *again, *smaller)
        ]
    )
    pairs = pairs_of(images)
    for variant in (1, 2):
        alike = sum((number, number + variant * 200) in pairs for number in range(200))
        assert alike > 190


def test_other_pictures_and_those_of_other_colours_or_at_night_are_not() -> None:
    images = pictures(300)
    turned = images[:, ::-1]
    night = images // 4
    assert pairs_of(np.concatenate([images, turned, night])) == set()


def test_shifted_pictures_are_other_pictures() -> None:
    images = pictures(100)
    assert pairs_of(np.concatenate([images, np.roll(images, 4, axis=3)])) == set()


def test_images_that_show_nothing_are_not_compared() -> None:
    grey = np.full((200, 1, 16, 16), 128, dtype=np.uint8)
    assert pairs_of(noisy(grey, 0.5)) == set()
    assert pairs_of(np.zeros((5, 1, 1, 1), dtype=np.uint8)) == set()


@pytest.mark.parametrize("count", [0, 1, 2, 3])
def test_few_images_are_compared_too(count: int) -> None:
    one = pictures(1)
    expected = {(a, b) for a in range(count) for b in range(a + 1, count)}
    assert pairs_of(one.repeat(count, axis=0)) == expected


def test_only_those_asked_for_are_compared() -> None:
    images = pictures(1).repeat(4, axis=0)
    assert pairs_of(images, np.array([1, 3])) == {(1, 3)}


def test_where_all_are_alike_each_has_a_partner_and_the_work_stays_small() -> None:
    images = noisy(pictures(1).repeat(500, axis=0), 3)
    found = pairs_of(images)
    assert {index for pair in found for index in pair} == set(range(500))
    assert len(found) <= 500 * 2 * 8 * 4


def test_what_ships_is_told_apart(digits: Dataset, mnist: Dataset) -> None:
    both = np.concatenate([digits.train_images, digits.test_images])
    assert pairs_of(both) == set()
    # Ones alone are drawn so plainly that several fall on the same pixels.
    some = np.concatenate([mnist.train_images[:10_000], mnist.test_images[:2000]])
    assert pairs_of(some) == set()


def test_noisy_digits_are_found_among_all_others(mnist: Dataset) -> None:
    test = mnist.test_images[:1000]
    images = np.concatenate([mnist.train_images[:5000], test, noisy(test, 8)])
    found = pairs_of(images)
    wanted = {(5000 + number, 6000 + number) for number in range(1000)}
    assert found <= wanted
    assert len(found) > 970
