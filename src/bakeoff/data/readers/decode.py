"""One encoded image: what its header says, and its pixels, by what it holds and not by its name.

Each function raises UnreadableError with a reason and what to do, to which its caller adds the
file.
"""

from __future__ import annotations

import warnings
from collections.abc import Iterator
from contextlib import contextmanager, suppress
from io import BytesIO
from typing import NamedTuple

import numpy as np
from numpy.typing import NDArray
from PIL import ExifTags, Image, ImageFile, ImageOps, UnidentifiedImageError

from bakeoff.errors import UnreadableError
from bakeoff.text import shortened, visible

MOST_PIXELS = 100_000_000
"""Of an image as it is stored: more would take gigabytes to unpack."""

_MEND = "get the file again, or take it out"

# What cameras, scanners and browsers write. Not all that Pillow knows: some formats start other
# programs (EPS), and some take nearly any bytes for theirs (TGA).
_FORMATS = (
    "JPEG", "PNG", "GIF", "BMP", "TIFF", "WEBP", "PPM", "JPEG2000", "AVIF", "MPO", "QOI",
)  # fmt: skip

_GREY = {"1", "L", "LA", "La"}
_TURNS = {
    2: Image.Transpose.FLIP_LEFT_RIGHT,
    3: Image.Transpose.ROTATE_180,
    4: Image.Transpose.FLIP_TOP_BOTTOM,
    5: Image.Transpose.TRANSPOSE,
    6: Image.Transpose.ROTATE_270,
    7: Image.Transpose.TRANSVERSE,
    8: Image.Transpose.ROTATE_90,
}
"""EXIF's orientation -> what brings the image upright. Source: EXIF 2.32, tag 0x0112."""


class Header(NamedTuple):
    """What is known of an image before it is unpacked."""

    format: str
    mode: str
    """As Pillow has it: `L`, `RGB`, `I;16`, `P`."""
    height: int
    """Pixels, once it is upright."""
    width: int
    colour: bool
    """Whether it may hold anything but greys."""
    transparent: bool
    """Whether it may have pixels that one sees through."""
    turned: bool
    """Whether its EXIF tag says that it lies."""
    animated: bool
    profiled: bool
    """Whether it has a colour profile that is not sRGB's."""

    @property
    def kind(self) -> str:
        """How it is stored, in words: `JPEG RGB 640 x 480`, width first."""
        return f"{self.format} {self.mode} {self.width} x {self.height}"

    @property
    def deep(self) -> bool:
        """Whether its values are of more than 8 bits."""
        return _is_deep(self.mode)


class Target(NamedTuple):
    """What an image is brought to."""

    channels: int
    """1, grey, or 3, RGB."""
    height: int
    width: int
    fit: str | None
    """`crop`, `pad` or `stretch`; None where it must be of this size."""


def look(content: bytes) -> Header:
    """Return what the header says. Nothing is unpacked, but the checksums of a PNG are compared."""
    with _opened(content) as image:
        orientation = _orientation(image, content)
        width, height = image.size
        # Pillow turns TIFF itself, and has done so with the size.
        if orientation >= 5 and image.format != "TIFF":
            width, height = height, width
        header = Header(
            format=image.format or "",
            mode=image.mode,
            height=height,
            width=width,
            colour=_has_colour(image),
            transparent=image.has_transparency_data,
            turned=orientation != 1,
            # A photograph in MPO is followed by smaller copies of itself.
            animated=image.format != "MPO" and getattr(image, "is_animated", False),
            # Version 4 of profiles has its name in two bytes a letter.
            profiled=b"sRGB" not in (image.info.get("icc_profile") or b"sRGB").replace(b"\0", b""),
        )
    if header.format == "PNG":
        with _opened(content) as image:
            image.verify()
    return header


def decode(content: bytes, target: Target) -> NDArray[np.uint8]:
    """Return the pixels, uint8 [channels, height, width], upright and as `target` says.

    Values of 16 bits are scaled by their range, 32-bit fractions from 0 to 1; transparent pixels
    show a white ground; of an animation it is the first frame. What is too large or too small is
    resampled bicubically, over all pixels that fall into one; a JPEG of at least twice that size
    may be unpacked smaller than it is.
    """
    with _opened(content) as image:
        if target.fit and image.format in ("JPEG", "MPO"):
            _shrink(image, 2 * max(target.height, target.width))
        image.load()
        turn = _TURNS.get(_orientation(image, content))
        upright: Image.Image = image if turn is None else image.transpose(turn)
        pixels = _fitted(_flat(upright, "RGB" if target.channels == 3 else "L"), target)
        array = np.asarray(pixels, np.uint8)
    height, width = array.shape[:2]
    if (height, width) != (target.height, target.width):
        raise UnreadableError(f"damaged, its header promises another size; {_MEND}")
    return np.ascontiguousarray(np.moveaxis(array.reshape(height, width, -1), 2, 0))


def resampled(images: NDArray[np.uint8], target: Target) -> NDArray[np.uint8]:
    """Return decoded images [n, channels, height, width] in the size of `target`, as `decode` does.

    They have its channels already.
    """
    found = np.empty((len(images), *target[:3]), np.uint8)
    for image, place in zip(images.transpose(0, 2, 3, 1), found, strict=True):
        pixels = Image.fromarray(image if target.channels == 3 else image[:, :, 0])
        array = np.asarray(_fitted(pixels, target), np.uint8)
        place[:] = np.moveaxis(array.reshape(target.height, target.width, -1), 2, 0)
    return found


def grey_and_opacity(content: bytes) -> NDArray[np.uint8]:
    """Return what is drawn, upright and as large as it is: uint8 [2, height, width].

    Grey values, as they are below what shines through, and opacity, 255 where nothing does.
    """
    with _opened(content) as image:
        image.load()
        turn = _TURNS.get(_orientation(image, content))
        upright: Image.Image = image if turn is None else image.transpose(turn)
        if _is_deep(upright.mode):
            grey = np.asarray(_scaled(upright))
            return np.stack([grey, np.full_like(grey, 255)])
        if not upright.has_transparency_data:
            grey = np.asarray(_flat(upright, "L"))
            return np.stack([grey, np.full_like(grey, 255)])
        seen = upright.convert("RGBA")
        return np.stack([np.asarray(seen.convert("RGB").convert("L")), np.asarray(seen)[:, :, 3]])


def averaged(grey: NDArray[np.uint8], height: int, width: int) -> NDArray[np.uint8]:
    """Return grey values [any, any] as [height, width]: means of what falls into each pixel.

    What is enlarged is interpolated bicubically.
    """
    larger = height > len(grey) or width > len(grey[0])
    way = Image.Resampling.BICUBIC if larger else Image.Resampling.BOX
    return np.asarray(Image.fromarray(grey).resize((width, height), way))


@contextmanager
def _opened(content: bytes) -> Iterator[ImageFile.ImageFile]:
    """Open an image of at most MOST_PIXELS; turn whatever Pillow raises into one reason."""
    if not content:
        raise UnreadableError(f"empty (0 bytes); {_MEND}")
    try:
        with _own_settings(), _open(content) as image:
            yield image
    except UnreadableError:
        raise
    except UnidentifiedImageError as error:
        raise UnreadableError(f"{_what_it_is(content)}; {_MEND}") from error
    # Its parsers raise all that there is: OSError, SyntaxError, struct.error, IndexError.
    except Exception as error:
        reason = shortened(visible(str(error) or type(error).__name__))
        raise UnreadableError(f"damaged ({reason}); {_MEND}") from error


@contextmanager
def _own_settings() -> Iterator[None]:
    """Let Pillow read as we mean it, whatever others in this process have asked it for."""
    # Its limit speaks of pixels alone, and would come before ours can name the size. What is cut
    # off would be filled with grey where a network's file has said so.
    before = Image.MAX_IMAGE_PIXELS, ImageFile.LOAD_TRUNCATED_IMAGES
    Image.MAX_IMAGE_PIXELS, ImageFile.LOAD_TRUNCATED_IMAGES = None, False
    try:
        # It warns of what it mends, and of sizes that are our own affair.
        with warnings.catch_warnings():
            warnings.simplefilter("ignore")
            yield
    finally:
        Image.MAX_IMAGE_PIXELS, ImageFile.LOAD_TRUNCATED_IMAGES = before


def _open(content: bytes) -> ImageFile.ImageFile:
    Image.init()
    formats = [each for each in _FORMATS if each in Image.OPEN]
    image = Image.open(BytesIO(content), formats=formats)
    width, height = image.size
    if width * height > MOST_PIXELS:
        raise UnreadableError(
            f"{width} x {height} are {width * height:,} pixels, at most {MOST_PIXELS:,} are "
            "unpacked; make it smaller, or take it out"
        )
    return image


def _shrink(image: ImageFile.ImageFile, least: int) -> None:
    """Let a JPEG be unpacked at an eighth, quarter or half, where `least` pixels a side remain."""
    for scale in (8, 4, 2):
        (width, more), (height, rest) = (divmod(side, scale) for side in image.size)
        # Where a row or column would be left over, all others would move.
        if not more and not rest and min(width, height) >= least:
            image.draft(None, (width, height))
            return


def _what_it_is(content: bytes) -> str:
    start = content[:200].lstrip(b"\xef\xbb\xbf \r\n\t").lower()
    if start.startswith((b"<!doctype", b"<html")):
        return "a web page, not an image"
    if start.startswith(b"version https://git-lfs"):
        return "a pointer of Git LFS, not an image (`git lfs pull` brings it)"
    return "not an image of a kind that is read"


def _orientation(image: ImageFile.ImageFile, content: bytes) -> int:
    """Return EXIF's orientation, 1 to 8; 1 where there is none, or none that can be read."""
    # Pillow unpacks a PNG to look for a tag behind its pixels, so nearly all of them in vain.
    if image.format == "PNG" and not (b"eXIf" in content or b"Raw profile type exif" in content):
        return 1
    with suppress(Exception):
        found = image.getexif().get(ExifTags.Base.Orientation, 1)
        return found if found in _TURNS else 1
    return 1


def _is_deep(mode: str) -> bool:
    return mode == "F" or mode.startswith("I")


def _has_colour(image: Image.Image) -> bool:
    if image.mode not in ("P", "PA") or image.palette is None:
        return image.mode not in _GREY and not _is_deep(image.mode)
    colours = bytes(image.palette.palette)
    if image.palette.rawmode == "RGB;L":  # TIFF: all reds, then all greens, then all blues.
        third = len(colours) // 3
        return not colours[:third] == colours[third : 2 * third] == colours[2 * third :]
    step = 4 if image.palette.rawmode == "BGRX" or image.palette.mode == "RGBA" else 3
    return not colours[::step] == colours[1::step] == colours[2::step]


def _flat(image: Image.Image, mode: str) -> Image.Image:
    """Return an image in 8 bits, `L` or `RGB`, that nothing shines through."""
    if _is_deep(image.mode):
        return _scaled(image).convert(mode)
    if image.has_transparency_data:
        image = image.convert("RGBA")
        image = Image.alpha_composite(Image.new("RGBA", image.size, "white"), image)
    if image.mode not in ("1", "L"):
        image = image.convert("RGB")  # Pillow knows a way to grey from here, not from all modes.
    return image.convert(mode)


def _scaled(image: Image.Image) -> Image.Image:
    """Return grey values of more than 8 bits in 8, the same for all images of one kind."""
    values = np.asarray(image)
    bits = getattr(image, "tag_v2", {}).get(258, (16,))[0]  # TIFF: BitsPerSample.
    most = 1 if image.mode == "F" else 2**bits - 1 if bits < 16 else 65535
    least, largest = values.min(), values.max()
    if not 0 <= least <= largest <= most:
        raise UnreadableError(
            f"values from {least:g} to {largest:g} in {8 * values.itemsize} bits, of which 0 to "
            f"{most:,} are read; write it in 8 or 16 bits"
        )
    grey = np.round(values * np.float32(255 / most)).astype(np.uint8)
    clear = image.info.get("transparency")
    if isinstance(clear, int):
        grey[values == clear] = 255
    return Image.fromarray(grey)


def _fitted(image: Image.Image, target: Target) -> Image.Image:
    size, good = (target.width, target.height), Image.Resampling.BICUBIC
    if target.fit == "crop":
        return ImageOps.fit(image, size, good)
    if target.fit == "stretch":
        return image.resize(size, good)
    if target.fit == "pad":
        scale = min(target.width / image.width, target.height / image.height)
        width, height = (max(1, round(side * scale)) for side in image.size)
        ground = Image.new(image.mode, size)
        middle = (target.width - width) // 2, (target.height - height) // 2
        ground.paste(image.resize((width, height), good), middle)
        return ground
    return image
