"""Test cases of the user's own: DIR/own-images/CLASS/NNNN.png, small images as networks get them.

Nothing else of a run folder looks there: they are no part of the study, and no trial is chosen,
stopped or scored by them.
"""

from __future__ import annotations

import re
from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from bakeoff.data.readers.decode import Target, decode
from bakeoff.errors import StoreError, UnreadableError
from bakeoff.files.place import Place

OWN = "own-images"
MOST_IMAGES = 10_000
"""Of one class, so that four digits count them."""
_LARGEST = 60_000_000
_NAME = re.compile(r"[0-9]{4}\.png")


@dataclass(frozen=True, eq=False)
class OwnImage:
    """An image that the user kept, with what it shows."""

    name: str
    """Below own-images: `7/0002.png`."""
    label: int
    image: NDArray[np.uint8]
    """[channels, height, width]."""


def keep_own(folder: Place, label: str, png: bytes) -> Place:
    """Write an image of a class; return where it lies. Raises StoreError."""
    home = folder / OWN / _folder_of(label)
    taken = [int(name[:4]) for name in home.names() if _NAME.fullmatch(name)]
    number = max(taken, default=-1) + 1
    if number >= MOST_IMAGES:
        raise StoreError(f"{home}: holds {MOST_IMAGES:,} images already; take some out")
    file = home / f"{number:04}.png"
    file.write(png)
    return file


def own_images(
    folder: Place, classes: Sequence[str], shape: tuple[int, int, int]
) -> list[OwnImage]:
    """Return the images that the user kept, class by class.

    Raises StoreError, naming the file, where one cannot be read or is of another size.
    """
    return [
        OwnImage(f"{file.parent.name}/{file.name}", label, _read(file, shape))
        for label, name in enumerate(classes)
        for file in _files(folder / OWN / _folder_of(name))
    ]


def count_own(folder: Place, classes: Sequence[str]) -> int:
    """Return how many images the user kept."""
    return sum(len(_files(folder / OWN / _folder_of(name))) for name in classes)


def _files(home: Place) -> list[Place]:
    return [home / name for name in sorted(home.names()) if _NAME.fullmatch(name)]


def _read(file: Place, shape: tuple[int, int, int]) -> NDArray[np.uint8]:
    try:
        return decode(file.read(_LARGEST), Target(*shape, fit=None))
    except UnreadableError as error:
        mend = "; take it out" if "take it out" not in str(error) else ""
        where = "" if str(error).startswith(str(file)) else f"{file}: "
        raise StoreError(f"{where}{error}{mend}") from error


def _folder_of(label: str) -> str:
    """Return the folder of a class: its name, with what leads elsewhere written as %2F."""
    safe = label.replace("%", "%25").replace("/", "%2F")
    return f"%2E{safe[1:]}" if safe.startswith(".") else safe
