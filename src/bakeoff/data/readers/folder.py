"""A folder of images: a folder for each class, in parts or not."""

from __future__ import annotations

import unicodedata
from collections.abc import Iterator, Sequence
from pathlib import Path
from typing import NamedTuple

from bakeoff.data.readers.encoded import encoded_stock
from bakeoff.data.readers.part_names import PARTS, part_named
from bakeoff.data.readers.stock import Stock
from bakeoff.data.readers.walk import Walk, named_as_images
from bakeoff.errors import DataError, StudyError
from bakeoff.study.protocol import Protocol
from bakeoff.text import counted

_WANTED = (
    "put the images of each class into a folder of its name: cat/ and dog/, or train/cat/, "
    "train/dog/, test/cat/ and test/dog/"
)


class _Class(NamedTuple):
    """A folder that is named after a class."""

    part: str
    label: str
    folder: Path


class _Row(NamedTuple):
    """An image."""

    part: str
    label: str
    file: Path


def read_folder(path: Path, protocol: Protocol) -> Stock:
    """Return the images of a folder.

    `train/` and `test/`, with or without `validation/` and in other usual spellings, with a folder
    for each class; or folders of classes alone, whose parts are empty. The class of an image is the
    name, in NFC, of the first folder below its part; `protocol.group = "folder"` groups by the one
    in which it lies. Raises DataError where folders or files are not as they should be, naming the
    first, and StudyError for another group.
    """
    if protocol.group not in (None, "folder"):
        raise StudyError(
            f'protocol.group = "{protocol.group}": images of a folder are grouped by "folder", the '
            "one in which each lies, or not at all"
        )
    walk = Walk(path)
    rows = list(_rows(walk))
    if not rows:
        raise DataError(f"{path}: no images; {_WANTED}")
    return encoded_stock(
        str(path),
        [row.file for row in rows],
        parts=[row.part for row in rows],
        labels=[row.label for row in rows],
        names=[walk.name(row.file) for row in rows],
        groups=[walk.name(row.file.parent) for row in rows] if protocol.group else None,
        protocol=protocol,
        notes=walk.passed_over(),
    )


def _rows(walk: Walk) -> Iterator[_Row]:
    # Two spellings of one name may stand beside each other, and link to the same images.
    seen: dict[tuple[str, str], set[Path]] = {}
    for part, label, folder in _classes(walk):
        images = list(walk.images(folder, seen.setdefault((part, label), set())))
        if not images:
            walk.pass_over("without an image", [folder])
        for image in images:
            yield _Row(part, label, image)


def _classes(walk: Walk) -> Iterator[_Class]:
    """Yield the folders that are named after classes, of all parts."""
    folders, files = walk.listed(walk.root)
    parts = _parts(walk, folders)
    if not parts:
        if len(folders) == 1 and _holds_folders(folders[0]):
            raise DataError(
                f"{walk.root}: one class ({folders[0].name}) only, at least two are needed; if its "
                f"folders are the classes, name {folders[0]}"
            )
        yield from _classes_in(walk, "", walk.root, folders, files)
        return
    walk.pass_over("beside the parts", [each for each in folders if each not in parts.values()])
    walk.pass_over("in no part", files)
    # Where there is nothing but train/, a test part is still to be taken from it.
    named = len(parts) > 1
    for part, folder in parts.items():
        yield from _classes_in(walk, part if named else "", folder, *walk.listed(folder))


def _parts(walk: Walk, folders: Sequence[Path]) -> dict[str, Path]:
    """Return part -> its folder; nothing where the folders are classes."""
    parts: dict[str, Path] = {}
    for folder in folders:
        part = part_named(folder.name)
        if part in parts:
            raise DataError(
                f"{walk.root}: {parts[part].name}/ and {folder.name}/ both mean {part}; "
                "leave one of them"
            )
        if part:
            parts[part] = folder
    if "train" in parts and (len(parts) > 1 or len(folders) == 1):
        return {part: parts[part] for part in PARTS if part in parts}
    # A class may be called so: but then its images lie in it, and not in folders of classes.
    for part, folder in parts.items():
        if _holds_folders(folder):
            lacks = "train/" if part != "train" else "test/"
            raise DataError(
                f"{walk.root}: {folder.name}/ but no {lacks}; give it one, or take out what "
                f"stands beside {folder.name}/"
            )
    return {}


def _holds_folders(folder: Path) -> bool:
    try:
        return any(each.is_dir() for each in folder.iterdir())
    except OSError:
        return False  # Why, is said where it is listed.


def _classes_in(
    walk: Walk, part: str, place: Path, folders: Sequence[Path], files: Sequence[Path]
) -> Iterator[_Class]:
    """Yield the classes that lie in `place`; raise DataError where nothing but files does."""
    if not folders:
        where = f"{walk.root}:" if place == walk.root else f"{walk.root}: {walk.name(place)}:"
        loose = named_as_images(files)
        found = f"{counted(len(loose), 'image')} in no class" if loose else "no images"
        raise DataError(f"{where} {found}; {_WANTED}")
    walk.pass_over("in no class", files)
    for folder in folders:
        yield _Class(part, unicodedata.normalize("NFC", folder.name), folder)
