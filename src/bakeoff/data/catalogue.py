"""Data sets by name, and those of the user by where they lie: which reader serves which."""

from __future__ import annotations

import os
import re
from collections.abc import Callable, Mapping
from dataclasses import replace
from pathlib import Path
from tempfile import TemporaryDirectory
from typing import Any

import numpy as np
from numpy.typing import NDArray
from pydantic import ValidationError

from bakeoff.data.cache import Say, dataset_of, mark_of, remembered
from bakeoff.data.dataset import Dataset, Source
from bakeoff.data.readers.csv import is_table, names_files, read_csv
from bakeoff.data.readers.digits import DIGITS
from bakeoff.data.readers.idx_folder import has_idx_names, read_idx_folder
from bakeoff.data.readers.mnist import MNIST
from bakeoff.data.readers.npz import array_files, has_images, read_npz
from bakeoff.data.readers.part_names import part_named
from bakeoff.data.readers.stock import Stock
from bakeoff.errors import DataError, StudyError, UnreadableError, did_you_mean
from bakeoff.files.reading import open_file
from bakeoff.study.protocol import Protocol, is_path

SOURCES: dict[str, Source] = {source.name: source for source in (MNIST, DIGITS)}

_READ = (
    "what can be read: a folder of images (train/ and test/ with a folder for each class, or these "
    "alone), an npz, a folder of npy or of IDX files, a csv, a Parquet file"
)

_Reader = Callable[[Path, Protocol], Stock]


def _nobody(line: str) -> None:
    """Hear nothing."""


def load_dataset(protocol: Protocol, base: Path, say: Say = _nobody) -> Dataset:
    """Return the data set that a protocol names: one that ships, or files of the user.

    base: the folder that paths start from, that of the study file. `say` hears, a line each, what
    was converted or passed over. Raises StudyError for a name that is unknown, and DataError where
    files are missing or wrong.
    """
    name = protocol.dataset
    if not is_path(name):
        check_dataset(name, base)
        return SOURCES[name].load()
    mark = _mark(_expanded(name, base), protocol)
    known = remembered(mark, protocol, say)
    return known or dataset_of(find_stock(name, base, protocol), protocol, say, mark)


def _mark(path: Path, protocol: Protocol) -> str:
    """Return what files are known by without reading them; nothing where they name others."""
    tables = [path] if is_table(path) else [file for file in path.glob("*") if is_table(file)]
    return "" if any(names_files(table) for table in tables) else mark_of(path, protocol)


def check_dataset(name: str, base: Path) -> None:
    """Raise StudyError, with what to write instead, where a name without a path is unknown."""
    if not is_path(name) and name not in SOURCES:
        there = os.path.lexists(base / name)
        instead = f"did you mean './{name}'?" if there else did_you_mean(name, SOURCES)
        raise StudyError(f"unknown data set {name!r}; {instead}")


def find_stock(dataset: str, base: Path, protocol: Protocol) -> Stock:
    """Return the images of a file or folder of the user, by whichever reader it is for.

    dataset: a path from `base`, or from the user's home behind `~`. Raises DataError where there is
    nothing, or nothing that can be read.
    """
    path = _expanded(dataset, base)
    if not os.path.lexists(path):
        raise DataError(f"{path}: nothing is there; {_READ}")
    try:
        read = _reader_of_folder(path) if path.is_dir() else _reader_of_file(path)
        return read(path, protocol)
    except UnreadableError as error:
        raise DataError(f"{error}; give a file that can be read") from error
    except OSError as error:
        where = error.filename or path
        raise DataError(f"{where}: {error.strerror}; give files that can be read") from error


def _expanded(dataset: str, base: Path) -> Path:
    try:
        return base / Path(dataset).expanduser()
    except RuntimeError as error:
        raise DataError(f"{dataset}: no such user; give the whole path") from error


# Readers of encoded images are imported where one is needed: Pillow takes a while.


def _read_folder(path: Path, protocol: Protocol) -> Stock:
    from bakeoff.data.readers.folder import read_folder

    return read_folder(path, protocol)


def _read_parquet(path: Path, protocol: Protocol) -> Stock:
    from bakeoff.data.readers.parquet import read_parquet

    return read_parquet(path, protocol)


def _reader_of_file(path: Path) -> _Reader:
    """Return the reader of a file, told from its first bytes, else from its name."""
    with open_file(path) as stream:
        beginning = stream.read(100)
    if not beginning:
        raise DataError(f"{path}: empty (0 bytes); {_READ}")
    if beginning.lstrip().lower().startswith((b"<!doctype", b"<html")):
        raise DataError(f"{path}: a web page, not data; get the file again")
    if beginning.startswith(b"version https://git-lfs"):
        raise DataError(f"{path}: a pointer of Git LFS; `git lfs pull` brings the file")
    if beginning.startswith(b"PAR1"):
        return _read_parquet
    if beginning.startswith(b"PK") or path.suffix.lower() == ".npz":
        return read_npz
    if is_table(path) or path.suffix.lower() == ".txt":
        return read_csv
    if path.suffix.lower() == ".parquet":
        return _read_parquet
    if has_idx_names([path.name]) or path.suffix.lower() == ".npy":
        raise DataError(f"{path}: one array of several; give the folder, {path.parent}")
    raise DataError(f"{path}: not a kind that is known; {_READ}")


def _reader_of_folder(path: Path) -> _Reader:
    """Return the reader of a folder, told from the names of what lies in it."""
    entries = [entry for entry in os.scandir(path) if not entry.name.startswith(".")]
    if not entries:
        raise DataError(f"{path}: an empty folder; {_READ}")
    files = [Path(entry.path) for entry in entries if entry.is_file()]
    if has_idx_names(file.name for file in files):
        return read_idx_folder
    if has_images(list(array_files(path))):
        return read_npz
    if any(each for pattern in ("*.parquet", "*/*.parquet") for each in path.glob(pattern)):
        return _read_parquet
    folders = [Path(entry.path) for entry in entries if entry.is_dir()]
    if any(is_table(file) for file in files) and not _are_classes(folders):
        return read_csv
    archives = [file.name for file in files if file.suffix.lower() == ".npz"]
    if archives and not folders:
        raise DataError(f"{path}: holds {archives[0]}; give that file")
    return _read_folder


def _are_classes(folders: list[Path]) -> bool:
    """Return whether folders beside a table are classes, or hold them, and no mere images."""
    parts = [folder for folder in folders if part_named(folder.name)]
    if parts:
        return any(each.is_dir() for folder in parts for each in os.scandir(folder))
    return len(folders) > 1


def from_arrays(arrays: Mapping[str, NDArray[Any]], test: float | None) -> Dataset:
    """Return the data set of arrays named as in an npz; raise DataError, naming the array."""
    with TemporaryDirectory(prefix="bakeoff-") as folder:
        for name, array in arrays.items():
            if array.dtype.hasobject:
                parameter = f"{name}_train" if name in ("x", "y") else name
                raise DataError(f"{parameter}: an array of Python objects; give numbers or texts")
            with Path(folder, f"{name}.npy").open("wb") as stream:
                np.lib.format.write_array(stream, array, allow_pickle=False)
        try:
            protocol = Protocol.model_validate(
                {"dataset": f"{folder}/"} | ({} if test is None else {"test": test})
            )
            found = load_dataset(protocol, Path())
        except ValidationError as error:
            demand = error.errors()[0]["msg"].replace("Input should", "must", 1)
            raise DataError(f"test: {demand}, not {test!r}") from error
        except DataError as error:
            raise DataError(_without_files(str(error), folder)) from error
    return replace(found, name="arrays")


def _without_files(line: str, folder: str) -> str:
    """Return a line about files that were made of arrays as one about the arrays."""
    line = re.sub(rf"{re.escape(folder)}/([xy])\.npy", r"\1_train", line)
    return re.sub(rf"{re.escape(folder)}(: |/)", "", line).replace(".npy", "")
