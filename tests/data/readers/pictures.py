"""Small images for tests of readers."""

from __future__ import annotations

import io
from pathlib import Path

from PIL import Image


def picture(
    kind: str = "PNG",
    mode: str = "L",
    colour: int | tuple[int, ...] = 0,
    size: tuple[int, int] = (4, 3),
) -> bytes:
    """Return an image of one colour; its size is (width, height)."""
    stream = io.BytesIO()
    Image.new(mode, size, colour).save(stream, kind)
    return stream.getvalue()


def put(root: Path, *names: str, content: bytes | None = None) -> None:
    """Write an image, or what is given, under each name below `root`."""
    for name in names:
        file = root / name
        file.parent.mkdir(parents=True, exist_ok=True)
        file.write_bytes(picture() if content is None else content)
