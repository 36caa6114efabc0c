"""The images below a folder, each real file once, in the order of their names."""

from __future__ import annotations

import os
import unicodedata
from collections.abc import Iterator, Sequence
from pathlib import Path

from bakeoff.errors import DataError

MOST_ENTRIES = 2_000_000
"""Files and folders below one folder; one with more is hardly the one that was meant."""

_HIDDEN = "hidden or left by the system"
_DEEPEST = 64  # Folders inside each other.

_SYSTEM = {"thumbs.db", "ehthumbs.db", "desktop.ini", "icon\r", "$recycle.bin", "__macosx"}
"""What systems leave in folders, beside what is hidden by a dot; in small letters."""

_IMAGES = {
    ".jpg", ".jpeg", ".jpe", ".jfif", ".png", ".apng", ".gif", ".bmp", ".tif", ".tiff", ".webp",
    ".ppm", ".pgm", ".pbm", ".pnm", ".jp2", ".j2k", ".jpx", ".avif", ".mpo", ".qoi",
}  # fmt: skip
"""How the names of images end, in small letters."""

_NOT_READ = {
    ".heic", ".heif", ".jxl", ".svg", ".psd", ".tga", ".pcx", ".sgi", ".ico", ".eps", ".exr",
    ".hdr", ".dcm", ".raw", ".dng", ".cr2", ".cr3", ".nef", ".arw", ".orf", ".rw2", ".raf",
}  # fmt: skip
"""How images end that would have to be converted first: never left out without a word."""

_STARTS = (
    b"\xff\xd8\xff", b"\x89PNG\r\n", b"GIF87a", b"GIF89a", b"II*\0", b"MM\0*", b"\0\0\0\x0cjP  ",
    b"qoif",
)  # fmt: skip
"""How images begin, for those whose names say nothing. Not BMP: texts may begin with BM, too."""


class Walk:
    """A way through a folder. What is passed over is remembered, to be said."""

    def __init__(self, root: Path) -> None:
        self.root = root
        self._entries = 0
        self._passed_over: dict[str, list[str]] = {}

    def name(self, path: Path) -> str:
        """Return what a person finds `path` by: the way to it from the root, in NFC."""
        return unicodedata.normalize("NFC", str(path.relative_to(self.root)))

    def pass_over(self, what: str, paths: Sequence[Path]) -> None:
        """Remember that `paths` are left out; `what` they are."""
        if paths:
            self._passed_over.setdefault(what, []).extend(map(self.name, paths))

    def passed_over(self) -> tuple[str, ...]:
        """Return one line that says what was left out; none where nothing was."""
        said = [
            f"{names[0]} ({what})" if len(names) == 1 else f"{len(names):,} {what}, as {names[0]}"
            for what, names in self._passed_over.items()
        ]
        return (f"passed over: {'; '.join(said)}",) if said else ()

    def listed(self, folder: Path) -> tuple[list[Path], list[Path]]:
        """Return the folders and the files of a folder, in the order of their names in NFC.

        Raises DataError, naming it, where it cannot be listed.
        """
        folders: list[Path] = []
        files: list[Path] = []
        for entry in self._entries_of(folder):
            path = Path(entry.path)
            kind = _HIDDEN if _is_hidden(entry.name) else _kind(entry)
            if kind == "folder":
                folders.append(path)
            elif kind == "file":
                files.append(path)
            else:
                self.pass_over(kind, [path])
        return folders, files

    def _entries_of(self, folder: Path) -> list[os.DirEntry[str]]:
        try:
            with os.scandir(folder) as found:
                entries = sorted(found, key=_order)
        except OSError as error:
            named = f" {self.name(folder)}:" if folder != self.root else ""
            raise DataError(
                f"{self.root}:{named} {error.strerror}; make it a folder that can be listed"
            ) from error
        self._entries += len(entries)
        if self._entries > MOST_ENTRIES:
            raise DataError(
                f"{self.root}: more than {MOST_ENTRIES:,} files and folders; name the one that "
                "holds the classes"
            )
        return entries

    def images(self, folder: Path, seen: set[Path]) -> Iterator[Path]:
        """Yield the images in a folder, and those in the folders below it.

        seen: where those that were met really lie, which are not yielded again; it grows. Links are
        followed, but in no circle. Raises DataError, naming it, where a folder cannot be listed or
        an image is of a kind that is not read.
        """
        yield from self._images(folder, (self.root.resolve(),), seen)

    def _images(self, folder: Path, above: tuple[Path, ...], seen: set[Path]) -> Iterator[Path]:
        real = folder.resolve()
        if any(each.is_relative_to(real) for each in above):
            self.pass_over("a link in a circle", [folder])
            return
        if len(above) > _DEEPEST:
            raise DataError(f"{self.root}: {self.name(folder)}: more than {_DEEPEST} folders deep")
        folders, files = self.listed(folder)
        for file in files:
            place = file.resolve() if file.is_symlink() else real / file.name
            if place in seen:
                self.pass_over("linked twice", [file])
            elif self._is_image(file):
                seen.add(place)
                yield file
            else:
                self.pass_over("no image", [file])
        for each in folders:
            yield from self._images(each, (*above, real), seen)

    def _is_image(self, file: Path) -> bool:
        """Return whether a file is an image, or is named as one."""
        ending = file.suffix.lower()
        if ending in _NOT_READ:
            raise DataError(
                f"{self.root}: {self.name(file)}: {ending} is not read; convert it to PNG or JPEG, "
                "or take it out"
            )
        return ending in _IMAGES or _begins_as_image(file)


def named_as_images(files: Sequence[Path]) -> list[Path]:
    """Return those whose names end as those of images."""
    return [file for file in files if file.suffix.lower() in _IMAGES | _NOT_READ]


def _order(entry: os.DirEntry[str]) -> tuple[str, str]:
    return unicodedata.normalize("NFC", entry.name), entry.name


def _is_hidden(name: str) -> bool:
    return name.startswith(".") or name.lower() in _SYSTEM


def _kind(entry: os.DirEntry[str]) -> str:
    """Return what is there, or where a link leads to."""
    try:
        if entry.is_dir():
            return "folder"
        if entry.is_file():
            return "file"
        entry.stat()
    except OSError:
        return "a link that leads nowhere"
    return "neither file nor folder"


def _begins_as_image(file: Path) -> bool:
    try:
        with file.open("rb") as stream:
            start = stream.read(16)
    except OSError:
        return False
    return (
        start.startswith(_STARTS)
        or (start[:4] == b"RIFF" and start[8:12] == b"WEBP")
        or start[4:12] in (b"ftypavif", b"ftypavis")
    )
