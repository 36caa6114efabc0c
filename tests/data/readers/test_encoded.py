from __future__ import annotations

import io
from typing import Any

import numpy as np
import pytest
from PIL import Image

from bakeoff.data.readers import encoded
from bakeoff.data.readers.encoded import encoded_stock
from bakeoff.data.readers.stock import Stock
from bakeoff.errors import DataError
from bakeoff.study.protocol import Protocol
from tests.data.readers.pictures import picture


def image(mode: str = "L", width: int = 4, height: int = 3) -> bytes:
    return picture(mode=mode, size=(width, height))


def stock(*images: bytes, groups: list[str] | None = None, **protocol: Any) -> Stock:
    return encoded_stock(
        "photos",
        images,
        parts=[""] * len(images),
        labels=["cat"] * len(images),
        names=[f"cat/{number}.png" for number in range(len(images))],
        groups=groups,
        protocol=Protocol(dataset="./photos", **protocol),
        notes=["passed over: x"],
    )


def pixels(found: Stock) -> np.ndarray[Any, np.dtype[np.uint8]]:
    return np.concatenate(list(found.blocks(range(len(found.names)))))


@pytest.mark.parametrize(
    ("modes", "colour", "channels"),
    [
        ("L L", None, 1), ("L LA 1 I;16", None, 1), ("RGB RGB", None, 3), ("L RGB", None, 3),
        ("L RGBA", None, 3), ("L RGB", "grey", 1), ("L L", "rgb", 3),
    ],
)  # fmt: skip
def test_all_images_have_the_same_channels(modes: str, colour: str | None, channels: int) -> None:
    found = stock(*map(image, modes.split()), colour=colour)
    assert found.image_shape == (channels, 3, 4)
    assert pixels(found).shape == (len(modes.split()), channels, 3, 4)


def test_what_was_found_is_said() -> None:
    found = stock(image("RGB"), image("L"), image("LA"), image("P"), image("I;16"))
    assert found.kinds == ["PNG RGB 4 x 3", "PNG L 4 x 3", "PNG LA 4 x 3", "PNG P 4 x 3",
                           "PNG I;16 4 x 3"]  # fmt: skip
    assert found.notes == (
        "passed over: x",
        "1 image with an alpha channel or a transparent colour, laid on white (first cat/2.png)",
        "1 image of more than 8 bits, scaled to 8 (first cat/4.png)",
        "4 images in grey, turned into RGB (first cat/1.png)",
    )


@pytest.mark.parametrize(
    ("fit", "how"),
    [
        ("crop", "what is too long is cut at both ends"),
        ("pad", "what is too short is filled with black"),
        ("stretch", "their proportions change"),
    ],
)
def test_resizing_is_said(fit: str, how: str) -> None:
    found = stock(image(), image(width=9), image("RGB"), image_size=(3, 4), fit=fit, colour="grey")
    assert found.image_shape == (1, 3, 4)
    assert found.notes[1:] == (
        "1 image in colour, turned into grey (first cat/2.png)",
        f"1 image brought to 4 x 3 (width x height), resampled bicubically: {how} "
        "(first cat/1.png)",
    )
    assert pixels(found).shape == (3, 1, 3, 4)


def test_a_side_is_both() -> None:
    assert stock(image(), image(width=9), image_size=5).image_shape == (1, 5, 5)


@pytest.mark.parametrize("odd", [0, 1, 2])
def test_the_first_odd_size_is_named(odd: int) -> None:
    images = [image(width=80, height=70) for _ in range(3)]
    images[odd] = image(width=7)
    with pytest.raises(DataError) as caught:
        stock(*images)
    assert str(caught.value) == (
        f"photos: cat/{odd}.png is 7 x 3 (width x height), most are 80 x 70: bring all to one size "
        "with protocol.image_size = 64, say"
    )


def test_all_that_cannot_be_read_are_named() -> None:
    with pytest.raises(DataError) as caught:
        stock(image(), b"", image(), *[b"?"] * 7)
    assert str(caught.value) == (
        "photos: cat/1.png (and cat/3.png, cat/4.png, cat/5.png, cat/6.png, cat/7.png and 2 more): "
        "empty (0 bytes); get the file again, or take it out"
    )


@pytest.mark.parametrize("block", [1, 4_000_000])
def test_what_cannot_be_decoded_is_named(block: int, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(encoded, "_BLOCK", block)
    noise = np.random.default_rng(0).integers(0, 256, (30, 40), dtype=np.uint8)
    stream = io.BytesIO()
    Image.fromarray(noise).save(stream, "JPEG")
    whole = stream.getvalue()
    found = stock(whole, whole, whole[:-300], whole)
    assert sum(len(each) for each in found.blocks([1, 0])) == 2
    with pytest.raises(DataError, match=r"^photos: cat/2\.png: damaged \(.*truncated.*\); get the"):
        list(found.blocks([3, 0, 2, 1]))


def test_a_block_is_small(monkeypatch: pytest.MonkeyPatch) -> None:
    found = stock(*[image()] * 7)
    assert [len(block) for block in found.blocks(range(7))] == [7]
    monkeypatch.setattr(encoded, "_BLOCK", 2 * 12)
    assert [len(block) for block in found.blocks(range(7))] == [2, 2, 2, 1]
    monkeypatch.setattr(encoded, "_BLOCK", 1)
    assert [len(block) for block in found.blocks(range(3))] == [1, 1, 1]
    assert list(found.blocks([])) == []


def test_several_processes_give_the_same(monkeypatch: pytest.MonkeyPatch) -> None:
    images = [image("L", width=width) for width in (4, 9, 20)] * 5
    alone = stock(*images, image_size=6)
    monkeypatch.setattr(encoded, "_LOOKS_FOR_A_PROCESS", 1)
    monkeypatch.setattr(encoded, "_PIXELS_FOR_A_PROCESS", 1)
    monkeypatch.setattr(encoded, "_BLOCK", 2 * 36)
    monkeypatch.setattr(encoded, "usable_cores", lambda: 2)
    together = stock(*images, image_size=6)
    assert together.sha256 == alone.sha256
    assert together.kinds == alone.kinds
    assert np.array_equal(pixels(together), pixels(alone))


def test_a_process_that_ends_names_where_it_was(monkeypatch: pytest.MonkeyPatch) -> None:
    found = stock(*[image()] * 7)
    monkeypatch.setattr(encoded, "_PIXELS_FOR_A_PROCESS", 1)
    monkeypatch.setattr(encoded, "_BLOCK", 1)
    monkeypatch.setattr(encoded, "usable_cores", lambda: 2)
    monkeypatch.setattr("bakeoff.data.readers.decoders._PROGRAM", "raise SystemExit(3)")
    with pytest.raises(DataError) as caught:
        list(found.blocks([5, 2, 3]))
    assert str(caught.value) == (
        "photos: cat/5.png, or one after it: the process that decodes it was ended with code 3"
    )


def test_the_hash_is_of_all_that_was_found() -> None:
    found = stock(image(), image("RGB"))
    assert len(found.sha256) == 64
    assert found.sha256 == stock(image(), image("RGB"), image_size=7).sha256
    assert found.sha256 != stock(image("RGB"), image()).sha256
    assert found.sha256 != stock(image(), image("RGB"), groups=["a", "b"]).sha256
