"""Which code of other people this user has had run: by its hash, wherever it lies."""

from __future__ import annotations

import os
from contextlib import suppress
from pathlib import Path

from bakeoff.files.private import is_private, make_missing, state_folder


def trust(sha256: str) -> None:
    """Remember that this user had code of this hash run; do nothing where that is not safe."""
    folder = _folder()
    with suppress(OSError):
        if folder is not None:
            make_missing(folder)
            if is_private(folder):
                (folder / sha256).touch()


def is_trusted(sha256: str) -> bool:
    """Return whether this user had code of this hash run before, or said that it may."""
    folder = _folder()
    with suppress(OSError):
        return folder is not None and is_private(folder) and os.path.lexists(folder / sha256)
    return False


def _folder() -> Path | None:
    state = state_folder()
    return None if state is None else state / "trusted"
