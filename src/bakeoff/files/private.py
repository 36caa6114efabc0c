"""The user's folders for caches and for what is remembered, and whether others can write there."""

from __future__ import annotations

import os
import pwd
import stat
from contextlib import suppress
from pathlib import Path

_BY_OTHERS = stat.S_IWGRP | stat.S_IWOTH


def cache_folder() -> Path | None:
    """Return `bakeoff` in the user's folder for caches, or None where there is no such folder.

    Only absolute paths count: any other would mean what lies in the current folder.
    """
    return _folder_of("XDG_CACHE_HOME", ".cache")


def state_folder() -> Path | None:
    """Return `bakeoff` in the user's folder for what outlives caches, as `cache_folder`."""
    return _folder_of("XDG_STATE_HOME", ".local/state")


def _folder_of(variable: str, below_home: str) -> Path | None:
    homes = (os.environ.get("HOME", ""), _home())
    asked = [Path(os.environ.get(variable, "")), *(Path(home, below_home) for home in homes)]
    return next((folder / "bakeoff" for folder in asked if folder.is_absolute()), None)


def _home() -> str:
    """Return what the system says of the user's home, where it knows the user."""
    with suppress(KeyError):
        return pwd.getpwuid(os.getuid()).pw_dir
    return ""


def make_missing(folder: Path) -> None:
    """Make the folder and those above it, the user's alone where they are new. Raises OSError."""
    for missing in reversed([each for each in (folder, *folder.parents) if not each.exists()]):
        missing.mkdir(mode=stat.S_IRWXU, exist_ok=True)


def is_private(folder: Path) -> bool:
    """Return whether the folder is the user's, and only the user and root can change its path.

    Raises OSError.
    """
    own, *above = [each.stat() for each in (folder.resolve(), *folder.resolve().parents)]
    return is_own(own) and all(
        # A sticky folder, as /tmp, lets nobody rename what is another's.
        status.st_uid in {0, os.getuid()}
        and (status.st_mode & stat.S_ISVTX or not status.st_mode & _BY_OTHERS)
        for status in above
    )


def is_own(status: os.stat_result) -> bool:
    """Return whether what has this status is the user's, and nobody else can write to it."""
    return status.st_uid == os.getuid() and not status.st_mode & _BY_OTHERS
