"""Parquet with embedded images and their labels, as Hugging Face stores data sets."""

from __future__ import annotations

import re
from bisect import bisect_right
from collections.abc import Iterator, Sequence
from pathlib import Path

from bakeoff.data.readers.encoded import encoded_stock
from bakeoff.data.readers.parquet_file import ParquetFile
from bakeoff.data.readers.part_names import PARTS, part_named
from bakeoff.data.readers.stock import Stock
from bakeoff.errors import DataError
from bakeoff.study.protocol import Protocol


def read_parquet(path: Path, protocol: Protocol) -> Stock:
    """Return the images that are embedded in a Parquet file, or in those of a folder.

    In a folder a file is of the part that its name, or a folder above it, begins with, as
    `train-00000-of-00002.parquet`; a single file has no parts. The images are bytes, or `bytes` and
    `path` as Hugging Face has it; labels are whole numbers, with names where the file has them, or
    text. `protocol.group` is a column. Raises DataError where files are damaged or lack a column,
    and StudyError for a group that is none.
    """
    found = _files(path)
    files = [ParquetFile(file, protocol.group) for _, file in found]
    sizes = [file.rows for file in files]
    named = len({part for part, _ in found}) > 1
    names = [
        f"{_before(path, file)}row {row}"
        for (_, file), size in zip(found, sizes, strict=True)
        for row in range(size)
    ]
    if not names:
        raise DataError(f"{path}: no rows; get the data again")
    return encoded_stock(
        str(path),
        _Images(str(path), files, names),
        parts=[
            part if named else ""
            for (part, _), size in zip(found, sizes, strict=True)
            for _ in range(size)
        ],
        labels=[label for file in files for label in file.labels()],
        names=names,
        groups=[each for file in files for each in file.groups()] if protocol.group else None,
        protocol=protocol,
    )


class _Images:
    """The images of all files one after the other, few of them in memory at a time."""

    def __init__(self, where: str, files: Sequence[ParquetFile], names: Sequence[str]) -> None:
        self._where = where
        self._names = names
        self._groups: list[tuple[ParquetFile, int]] = []
        self._starts: list[int] = []
        before = 0
        for file in files:
            self._groups += [(file, number) for number in range(len(file.starts) - 1)]
            self._starts += [before + start for start in file.starts[:-1]]
            before += file.rows
        self._group = -1
        self._rest: Iterator[Sequence[bytes | None]] = iter(())
        self._first = 0
        self._held: Sequence[bytes | None] = ()

    def __len__(self) -> int:
        return len(self._names)

    def __getitem__(self, index: int) -> bytes:
        """Return an image; one behind the last that was asked for is found at once."""
        group = bisect_right(self._starts, index) - 1
        if group != self._group or index < self._first:
            file, number = self._groups[group]
            self._group, self._rest = group, file.images(number)
            self._first, self._held = self._starts[group], ()
        while index >= self._first + len(self._held):
            self._first += len(self._held)
            self._held = next(self._rest, ())
            if not self._held:
                raise self._refused(index, "no such row, damaged; get the file again")
        image = self._held[index - self._first]
        if image is None:
            raise self._refused(index, "no bytes of an image; embed them, or take the row out")
        return image

    def _refused(self, index: int, reason: str) -> DataError:
        return DataError(f"{self._where}: {self._names[index]}: {reason}")


def _before(path: Path, file: Path) -> str:
    """Return what stands before a row in its name: the file, where there are several."""
    return "" if file == path else f"{file.relative_to(path)}: "


def _files(path: Path) -> list[tuple[str, Path]]:
    """Return the part and the path of each file, in the order of the parts and of their names."""
    if not path.is_dir():
        return [("", path)]
    files = sorted(
        file
        for file in path.rglob("*.parquet")
        if not any(each.startswith(".") for each in file.relative_to(path).parts)
    )
    if not files:
        raise DataError(f"{path}: no .parquet files; name the folder that holds them")
    parts = {file: _part(file.relative_to(path)) for file in files}
    others = [file for file in files if not parts[file]]
    if others and len(others) < len(files):
        raise DataError(
            f"{path}: {others[0].relative_to(path)} is of no part, others are; let its name begin "
            "with train, validation or test"
        )
    return [(part, file) for part in ("", *PARTS) for file in files if (parts[file] or "") == part]


def _part(file: Path) -> str | None:
    for name in reversed((*file.parts[:-1], file.stem)):
        part = part_named(name) or part_named(re.split(r"[-_.]", name)[0])
        if part:
            return part
    return None
