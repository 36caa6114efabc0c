"""Pictures of items, from a folder in which each is called as its item is."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path

import numpy as np
from numpy.typing import NDArray

from bakeoff.data.readers.decode import Target, decode, look
from bakeoff.errors import DataError, UnreadableError
from bakeoff.files.reading import read_file

_KINDS = ("", ".png", ".jpg", ".jpeg", ".webp", ".bmp", ".gif", ".tif", ".tiff")
"""What the name of an item may lack of that of its file."""
_LARGEST_FILE = 100_000_000
_LONGEST_SIDE = 160
"""Pixels on the page."""


@dataclass(frozen=True)
class ItemPictures:
    """The picture of an item by its place; None where the folder has none."""

    folder: Path | None
    items: Sequence[str]

    def __getitem__(self, index: int) -> NDArray[np.uint8] | None:
        """Return it, uint8 [3, height, width], at most 160 pixels wide and high.

        Raises DataError for a file that is no image.
        """
        file = self._file(self.items[index])
        if file is None:
            return None
        try:
            content = read_file(file, _LARGEST_FILE)
            header = look(content)
            shrink = min(1.0, _LONGEST_SIDE / max(header.height, header.width))
            height, width = (max(round(shrink * side), 1) for side in (header.height, header.width))
            return decode(content, Target(3, height, width, "stretch"))
        except UnreadableError as error:
            raise DataError(f"{file}: {error}") from error

    def _file(self, item: str) -> Path | None:
        """Return the file of an item; names lead nowhere outside the folder."""
        if self.folder is None:
            return None
        root = self.folder.resolve()
        for kind in _KINDS:
            file = root / f"{item}{kind}"
            try:
                if file.is_file() and file.resolve().is_relative_to(root):
                    return file
            except (OSError, ValueError):  # Not the name of a file.
                continue
        return None
