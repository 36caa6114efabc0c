from __future__ import annotations

import io
import tracemalloc
import warnings
import zlib
from collections.abc import Callable
from typing import Any

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st
from numpy.typing import NDArray
from PIL import Image, ImageFile

from bakeoff.data.readers import decode as decode_module
from bakeoff.data.readers.decode import MOST_PIXELS, Header, Target, decode, look
from bakeoff.errors import UnreadableError

RAMP = np.arange(12, dtype=np.uint8).reshape(3, 4) * 20
"""Grey, 3 high and 4 wide, no two pixels alike."""
COLOURS = np.stack([RAMP, RAMP[::-1], 255 - RAMP], axis=2)
GREY_3_4, RGB_3_4 = Target(1, 3, 4, None), Target(3, 3, 4, None)


def encoded(image: Image.Image | NDArray[Any], kind: str = "PNG", **how: Any) -> bytes:
    stream = io.BytesIO()
    picture = image if isinstance(image, Image.Image) else Image.fromarray(image)
    picture.save(stream, kind, **how)
    return stream.getvalue()


def refused(content: bytes, target: Target = RGB_3_4) -> str:
    with pytest.raises(UnreadableError) as caught:
        _ = look(content), decode(content, target)
    return str(caught.value)


@pytest.mark.parametrize("kind", ["PNG", "BMP", "TIFF", "PPM", "GIF"])
def test_grey_and_colours_are_what_they_were(kind: str) -> None:
    assert decode(encoded(RAMP, kind), GREY_3_4).tolist() == [RAMP.tolist()]
    if kind != "GIF":
        pixels = decode(encoded(COLOURS, kind), RGB_3_4)
        assert pixels.dtype == np.uint8
        assert pixels.flags.c_contiguous
        assert pixels.tolist() == COLOURS.transpose(2, 0, 1).tolist()


def test_a_header_is_read_as_it_is_stored() -> None:
    header = look(encoded(COLOURS, "JPEG"))
    assert header == Header("JPEG", "RGB", 3, 4, True, False, False, False, False)
    assert header.kind == "JPEG RGB 4 x 3"


@pytest.mark.parametrize(
    ("profile", "profiled"),
    [
        (b"", False),
        (b"desc sRGB IEC61966-2.1", False),
        ("mluc sRGB built-in".encode("utf-16-be"), False),
        (b"desc Adobe RGB (1998)", True),
    ],
)
def test_a_colour_profile_other_than_srgb_is_seen(profile: bytes, profiled: bool) -> None:
    for kind in ("PNG", "JPEG", "TIFF", "WEBP"):
        assert look(encoded(COLOURS, kind, icc_profile=profile)).profiled is profiled


def test_grey_becomes_three_channels_and_colour_one() -> None:
    assert decode(encoded(RAMP), RGB_3_4).tolist() == [RAMP.tolist()] * 3
    grey = decode(encoded(COLOURS), GREY_3_4)[0]
    luma = COLOURS @ [0.299, 0.587, 0.114]  # ITU-R BT.601.
    assert np.abs(grey - luma).max() <= 1


TURNS: dict[int, Callable[[NDArray[Any]], NDArray[Any]]] = {
    1: lambda stored: stored,
    2: lambda stored: stored[:, ::-1],
    3: lambda stored: stored[::-1, ::-1],
    4: lambda stored: stored[::-1],
    5: lambda stored: stored.T,
    6: lambda stored: np.rot90(stored, -1),
    7: lambda stored: stored[::-1, ::-1].T,
    8: np.rot90,
}


@pytest.mark.parametrize("kind", ["PNG", "TIFF", "WEBP"])
@pytest.mark.parametrize("orientation", TURNS)
def test_an_image_is_turned_upright(kind: str, orientation: int) -> None:
    exif = Image.Exif()
    exif[0x0112] = orientation
    content = encoded(COLOURS, kind, exif=exif, **({"lossless": True} if kind == "WEBP" else {}))
    header = look(content)
    upright = np.stack([TURNS[orientation](COLOURS[..., each]) for each in range(3)])
    assert (header.height, header.width) == upright.shape[1:]
    assert header.turned == (orientation != 1)
    pixels = decode(content, Target(3, header.height, header.width, None))
    assert pixels.tolist() == upright.tolist()


@pytest.mark.parametrize("exif", [b"Exif\0\0nonsense", b"Exif\0\0II*\0\xff\xff\xff\x7f"])
def test_a_damaged_tag_turns_nothing(exif: bytes) -> None:
    content = encoded(RAMP, "JPEG", quality=100, exif=exif)
    assert not look(content).turned
    assert np.abs(decode(content, GREY_3_4)[0].astype(int) - RAMP).max() <= 3


@pytest.mark.parametrize("kind", ["PNG", "TIFF"])
def test_16_bits_are_scaled_by_their_range(kind: str) -> None:
    deep = RAMP.astype(np.uint16) * 257
    content = encoded(deep, kind)
    header = look(content)
    assert header.deep
    assert not header.colour
    assert decode(content, GREY_3_4)[0].tolist() == RAMP.tolist()
    assert decode(content, RGB_3_4).tolist() == [RAMP.tolist()] * 3


def test_16_bits_whose_first_byte_is_the_highest_are_the_same() -> None:
    big = Image.frombytes("I;16B", (4, 3), (RAMP.astype(">u2") * 257).tobytes())
    assert decode(encoded(big, "TIFF"), GREY_3_4)[0].tolist() == RAMP.tolist()


def test_a_pgm_of_16_bits_is_scaled_too() -> None:
    content = b"P5 4 3 65535\n" + (RAMP.astype(">u2") * 257).tobytes()
    assert decode(content, GREY_3_4)[0].tolist() == RAMP.tolist()


def test_12_bits_are_scaled_by_theirs() -> None:
    content = encoded(np.full((1, 2), 65535, np.uint16), "TIFF")
    # The tag BitsPerSample (258), SHORT, one of them, whose value is 16.
    tag = b"\x02\x01\x03\x00\x01\x00\x00\x00\x10\x00"
    assert content.count(tag) == 1
    packed = content.replace(tag, tag[:-2] + b"\x0c\x00")
    assert look(packed).mode == "I;16"
    assert decode(packed, Target(1, 1, 2, None))[0, 0, 0] == 255


def test_fractions_are_read_from_0_to_1_alone() -> None:
    sound = encoded((RAMP / 255).astype(np.float32), "TIFF")
    assert decode(sound, GREY_3_4)[0].tolist() == RAMP.tolist()
    assert refused(encoded(RAMP.astype(np.float32), "TIFF")) == (
        "values from 0 to 220 in 32 bits, of which 0 to 1 are read; write it in 8 or 16 bits"
    )
    assert "nan" in refused(encoded(np.full((3, 4), np.nan, np.float32), "TIFF"))
    assert "values from -1 to -1" in refused(encoded(np.full((3, 4), -1, np.int32), "TIFF"))


def test_one_bit_is_black_or_white() -> None:
    content = encoded(Image.fromarray(RAMP > 100).convert("1"))
    assert look(content).mode == "1"
    assert decode(content, GREY_3_4)[0].tolist() == (np.where(RAMP > 100, 255, 0)).tolist()


@pytest.mark.parametrize("kind", ["PNG", "GIF", "BMP", "TIFF"])
def test_a_palette_is_its_colours_and_grey_where_they_all_are(kind: str) -> None:
    places = Image.frombytes("P", (4, 3), bytes(range(12)))
    greys, reds = places.copy(), places.copy()
    greys.putpalette([level for index in range(12) for level in [240 - 20 * index] * 3])
    reds.putpalette([level for index in range(12) for level in (240 - 20 * index, 0, 7)])
    assert look(encoded(greys, kind)).mode == look(encoded(reds, kind)).mode == "P"
    assert not look(encoded(greys, kind)).colour
    assert decode(encoded(greys, kind), GREY_3_4)[0].tolist() == (240 - RAMP).tolist()
    assert look(encoded(reds, kind)).colour
    red, green, blue = decode(encoded(reds, kind), RGB_3_4)
    assert red.tolist() == (240 - RAMP).tolist()
    assert np.all(green == 0)
    assert np.all(blue == 7)


@pytest.mark.parametrize(
    ("mode", "kind"), [("CMYK", "TIFF"), ("CMYK", "JPEG"), ("LAB", "TIFF"), ("YCbCr", "JPEG")]
)
@pytest.mark.parametrize("target", [RGB_3_4, GREY_3_4])
def test_other_colours_are_read_as_rgb(mode: str, kind: str, target: Target) -> None:
    flat = Image.new("RGB", (4, 3), (200, 60, 20))
    red = Image.new("LAB", (4, 3), (116, 180, 179))  # L* 45, a* 52, b* 51.
    image = red if mode == "LAB" else flat.convert(mode)
    content = encoded(image, kind)
    assert look(content).colour
    pixels = decode(content, target).reshape(target.channels, -1)[:, 0].astype(int)
    expected = [200, 60, 20] if target.channels == 3 else [97]
    assert np.abs(pixels - expected).max() <= 16


def with_alpha(image: Image.Image, alpha: int) -> Image.Image:
    image.putalpha(Image.fromarray(np.full((3, 4), alpha, np.uint8)))
    return image


@pytest.mark.parametrize("mode", ["L", "RGB"])
def test_what_one_sees_through_shows_white(mode: str) -> None:
    black = Image.new(mode, (4, 3))
    clear, half, solid = (encoded(with_alpha(black.copy(), alpha)) for alpha in (0, 128, 255))
    assert look(clear).transparent
    assert look(clear).colour == (mode == "RGB")
    target = RGB_3_4 if mode == "RGB" else GREY_3_4
    assert np.all(decode(clear, target) == 255)
    assert np.all(decode(half, target) == 127)
    assert np.all(decode(solid, target) == 0)


def test_a_transparent_value_shows_white() -> None:
    grey = encoded(Image.fromarray(RAMP), transparency=40)
    deep = encoded(Image.fromarray(RAMP.astype(np.uint16) * 257), transparency=40 * 257)
    colours = Image.frombytes("P", (4, 3), bytes(range(12)))
    colours.putpalette([level for index in range(12) for level in (20 * index, 0, 0)])
    expected = np.where(RAMP == 40, 255, RAMP).tolist()
    for content in (grey, deep):
        assert look(content).transparent
        assert decode(content, GREY_3_4)[0].tolist() == expected
    assert decode(encoded(colours, transparency=2), RGB_3_4)[0].tolist() == expected


@pytest.mark.parametrize("kind", ["GIF", "PNG", "WEBP", "TIFF"])
def test_of_an_animation_the_first_frame_is_read(kind: str) -> None:
    frames = [Image.new("RGB", (4, 3), (level, level, level)) for level in (30, 200, 90)]
    content = encoded(frames[0], kind, save_all=True, append_images=frames[1:])
    assert look(content).animated
    assert np.abs(decode(content, RGB_3_4).astype(int) - 30).max() <= 1


def test_a_photograph_with_a_smaller_copy_of_itself_is_no_animation() -> None:
    copy = Image.new("RGB", (2, 2), (200, 200, 200))
    content = encoded(COLOURS, "MPO", save_all=True, append_images=[copy])
    assert look(content).format == "MPO"
    assert not look(content).animated


@pytest.mark.parametrize("kind", ["GIF", "PNG", "WEBP", "TIFF", "JPEG"])
def test_a_single_frame_is_no_animation(kind: str) -> None:
    assert not look(encoded(COLOURS, kind)).animated


def striped(height: int, width: int) -> NDArray[np.uint8]:
    """Return an image whose middle square is white, and whose long ends are black."""
    image = np.zeros((height, width), np.uint8)
    side, top, left = min(height, width), (height - width) // 2, (width - height) // 2
    image[max(top, 0) : max(top, 0) + side, max(left, 0) : max(left, 0) + side] = 255
    return image


@pytest.mark.parametrize(("height", "width"), [(20, 40), (40, 20), (300, 100), (4, 9)])
def test_crop_keeps_the_middle(height: int, width: int) -> None:
    pixels = decode(encoded(striped(height, width)), Target(1, 10, 10, "crop"))[0]
    assert pixels.shape == (10, 10)
    assert pixels[2:8, 2:8].min() >= 250


@pytest.mark.parametrize(("height", "width"), [(20, 40), (40, 20), (1, 5000)])
def test_pad_keeps_all_and_fills_with_black(height: int, width: int) -> None:
    pixels = decode(encoded(np.full((height, width), 255, np.uint8)), Target(1, 10, 20, "pad"))[0]
    rows, columns = np.flatnonzero(pixels.any(axis=1)), np.flatnonzero(pixels.any(axis=0))
    scale = min(10 / height, 20 / width)
    assert (len(rows), len(columns)) == (max(1, height * scale), max(1, width * scale))
    assert np.all(pixels[np.ix_(rows, columns)] == 255)
    assert abs(rows[0] - (9 - rows[-1])) <= 1
    assert abs(columns[0] - (19 - columns[-1])) <= 1


def test_stretch_changes_proportions() -> None:
    halves = np.repeat([[0, 255]], 20, axis=0).repeat(5, axis=1).astype(np.uint8)
    pixels = decode(encoded(halves), Target(1, 6, 40, "stretch"))[0]
    assert pixels.shape == (6, 40)
    assert np.all(pixels[:, :15] == 0)
    assert np.all(pixels[:, 25:] == 255)


@pytest.mark.parametrize("fit", ["crop", "pad", "stretch"])
def test_what_is_of_the_size_stays_as_it_is(fit: str) -> None:
    assert decode(encoded(RAMP), Target(1, 3, 4, fit))[0].tolist() == RAMP.tolist()


def test_all_pixels_count_where_an_image_shrinks() -> None:
    board = np.indices((64, 64)).sum(axis=0) % 2 * 255
    pixels = decode(encoded(board.astype(np.uint8)), Target(1, 8, 8, "stretch"))
    assert np.abs(pixels.astype(int) - 127).max() <= 2


@pytest.mark.parametrize(
    ("width", "height", "unpacked"),
    [
        (1280, 960, (160, 120)),  # An eighth,
        (1280, 961, (1280, 961)),  # which must divide both sides,
        (1200, 900, (300, 225)),
        (600, 450, (300, 225)),
        (320, 240, (160, 120)),
        (300, 228, (150, 114)),
        (200, 118, (200, 118)),  # and leave twice the size.
    ],
)
def test_a_jpeg_that_shrinks_is_what_it_is_unpacked_whole(
    width: int, height: int, unpacked: tuple[int, int], monkeypatch: pytest.MonkeyPatch
) -> None:
    noise = np.random.default_rng(0).integers(0, 256, (30, 40, 3), dtype=np.uint8)
    photo = Image.fromarray(noise).resize((width, height), Image.Resampling.BICUBIC)
    content = encoded(photo, "JPEG", quality=95)
    with Image.open(io.BytesIO(content)) as opened:
        whole = np.asarray(opened.resize((40, 28), Image.Resampling.BICUBIC)).transpose(2, 0, 1)
    sizes = []
    convert = decode_module._flat

    def seen(image: Image.Image, mode: str) -> Image.Image:
        sizes.append(image.size)
        return convert(image, mode)

    monkeypatch.setattr(decode_module, "_flat", seen)
    pixels = decode(content, Target(3, 28, 40, "stretch"))
    assert sizes == [unpacked]
    assert np.abs(pixels.astype(int) - whole).mean() < 1.5


def png(width: int, height: int) -> bytes:
    """Return a PNG of one bit a pixel, made without its pixels in memory."""

    def chunk(name: bytes, content: bytes) -> bytes:
        check = zlib.crc32(name + content).to_bytes(4, "big")
        return len(content).to_bytes(4, "big") + name + content + check

    packer = zlib.compressobj(9)
    row = bytes(1 + (width + 7) // 8)
    pixels = b"".join(packer.compress(row) for _ in range(height)) + packer.flush()
    size = width.to_bytes(4, "big") + height.to_bytes(4, "big")
    head = b"\x89PNG\r\n\x1a\n" + chunk(b"IHDR", size + b"\x01\0\0\0\0")
    return head + chunk(b"IDAT", pixels) + chunk(b"IEND", b"")


def test_a_bomb_is_named_with_its_size_and_not_unpacked() -> None:
    content = png(20_000, 20_000)
    look(encoded(RAMP))  # What Pillow imports at its first image is not counted.
    tracemalloc.start()
    message = refused(content)
    peak = tracemalloc.get_traced_memory()[1]
    tracemalloc.stop()
    assert message == (
        "20000 x 20000 are 400,000,000 pixels, at most 100,000,000 are unpacked; make it smaller, "
        "or take it out"
    )
    assert peak < 10_000_000


def test_what_pillow_warns_of_is_read_without_a_word() -> None:
    large = png(10_000, MOST_PIXELS // 10_000)  # Pillow warns from 89 million pixels on.
    with warnings.catch_warnings():
        warnings.simplefilter("error")
        assert look(large).width == 10_000


def test_what_others_asked_pillow_for_is_theirs(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(Image, "MAX_IMAGE_PIXELS", 5)  # Less than half of an image.
    monkeypatch.setattr(ImageFile, "LOAD_TRUNCATED_IMAGES", True)
    content = encoded(COLOURS, "JPEG")
    look(content)
    assert refused(content[:-40]).startswith("damaged")
    assert Image.MAX_IMAGE_PIXELS == 5
    assert ImageFile.LOAD_TRUNCATED_IMAGES


@pytest.mark.parametrize(
    ("content", "reason"),
    [
        (b"", "empty (0 bytes)"),
        (b"no image", "not an image of a kind that is read"),
        (b"\n<!DOCTYPE html><p>404", "a web page, not an image"),
        (
            b"version https://git-lfs.github.com/spec/v1\n",
            "a pointer of Git LFS, not an image (`git lfs pull` brings it)",
        ),
        (
            b"%!PS-Adobe-3.0 EPSF-3.0\n%%BoundingBox: 0 0 9 9\n",
            "not an image of a kind that is read",
        ),
    ],
    ids=["empty", "text", "page", "pointer", "postscript"],
)
def test_what_is_no_image_is_said(content: bytes, reason: str) -> None:
    assert refused(content) == f"{reason}; get the file again, or take it out"


@pytest.mark.parametrize("kind", ["PNG", "JPEG", "GIF", "BMP", "TIFF", "WEBP"])
@pytest.mark.parametrize("share", [0.3, 0.6, 0.9])
def test_a_truncated_file_is_damaged(kind: str, share: float) -> None:
    noise = np.random.default_rng(1).integers(0, 256, (40, 50, 3), dtype=np.uint8)
    content = encoded(Image.fromarray(noise), kind)
    message = refused(content[: int(len(content) * share)], Target(3, 40, 50, None))
    assert message.endswith("; get the file again, or take it out")


def test_a_png_with_one_other_byte_is_damaged() -> None:
    content = bytearray(encoded(RAMP, compress_level=0))
    content[content.index(b"IDAT") + 20] ^= 1
    with pytest.raises(UnreadableError, match=r"^damaged \(broken PNG file"):
        look(bytes(content))


SOUND = [encoded(COLOURS, kind) for kind in ("PNG", "JPEG", "GIF", "BMP", "TIFF", "WEBP")]


@given(st.sampled_from(SOUND), st.lists(st.tuples(st.integers(0, 2000), st.integers(0, 255))))
def test_any_bytes_are_an_image_or_refused_in_one_line(
    sound: bytes, changes: list[tuple[int, int]]
) -> None:
    content = bytearray(sound)
    for place, value in changes:
        content[place % len(content)] = value
    try:
        header = look(bytes(content))
        pixels = decode(bytes(content), Target(3, 5, 5, "crop"))
    except UnreadableError as error:
        reason = str(error)
    else:
        assert pixels.shape == (3, 5, 5)
        reason = header.kind
    assert "\n" not in reason
    assert 0 < len(reason) < 200
