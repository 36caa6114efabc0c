"""A folder of IDX files, as MNIST, Fashion-MNIST, KMNIST and EMNIST are handed around."""

from __future__ import annotations

import gzip
import hashlib
import json
import math
import os
import re
from collections.abc import Iterable, Set
from contextlib import AbstractContextManager
from functools import partial
from pathlib import Path

import numpy as np

from bakeoff.data.readers.array_stock import ArrayPart, stock_of_arrays
from bakeoff.data.readers.class_labels import refuse_other_length, texts_of
from bakeoff.data.readers.idx import GZIP, MOST_DIMENSIONS, idx_header, refuse_wrong_length
from bakeoff.data.readers.stock import Stock
from bakeoff.data.readers.stored import Stored, Stream, refuse_bomb
from bakeoff.errors import DataError, UnreadableError
from bakeoff.files.reading import file_sha256, open_file
from bakeoff.files.unzipping import DAMAGE
from bakeoff.study.protocol import Protocol

_NAME = re.compile(
    r"(?P<prefix>.*?)[-_. ]?(?P<part>train|test|t10k|val|valid|validation)[-_. ]"
    r"(?P<role>images|labels)(?:[-_. ]?idx\d?(?:[-_. ]?ubyte)?)?(?:\.(?:gz|idx|bin))?",
    re.IGNORECASE,
)
_PARTS = {"train": "train", "test": "test", "t10k": "test"}  # All others validate.
_PIECE = 1 << 20  # Bytes.


def read_idx_folder(path: Path, protocol: Protocol) -> Stock:
    """Return the images of a folder with `train-images-idx3-ubyte` and its three companions.

    Packed with gzip or not, whatever the names end in; dots stand for hyphens, and a prefix may
    come before them. Raises DataError, naming the file, where one is missing, damaged or no IDX
    file, before anything large is read.
    """
    files = _files(path)
    try:
        arrays = {key: _stored(file) for key, file in files.items()}
        digests = [(file.name, file_sha256(file)) for file in files.values()]
    except UnreadableError as error:
        raise DataError(f"{error}; give a file that can be read") from error
    notes = []
    if any("emnist" in file.name.lower() for file in files.values()):
        notes = ["EMNIST is read as it lies there, with rows and columns exchanged"]
    return stock_of_arrays(
        str(path),
        hashlib.sha256(json.dumps(digests).encode()).hexdigest(),
        [
            _part(part, arrays[part, "images"], arrays[part, "labels"])
            for part in ("train", "validation", "test")
            if (part, "images") in arrays
        ],
        protocol,
        notes,
    )


def has_idx_names(names: Iterable[str]) -> bool:
    """Return whether files of these names may be an IDX folder."""
    found = [_NAME.fullmatch(name) for name in names]
    return any(match and match["role"].lower() == "images" for match in found)


def _files(path: Path) -> dict[tuple[str, str], Path]:
    """Return the file of each (part, role)."""
    found: dict[tuple[str, str], Path] = {}
    prefixes = set()
    for file in sorted(path.iterdir()):
        match = _NAME.fullmatch(file.name)
        if not match or file.name.startswith(".") or not file.is_file():
            continue
        prefixes.add(match["prefix"])
        key = _PARTS.get(match["part"].lower(), "validation"), match["role"].lower()
        # Where a file lies there packed and unpacked, both are the same.
        if key not in found or found[key].suffix.lower() == ".gz":
            found[key] = file
    if len(prefixes) > 1:
        listed = ", ".join(sorted(prefixes))
        raise DataError(f"{path}: several data sets ({listed}); give each a folder of its own")
    _refuse_missing(path, found.keys())
    return found


def _refuse_missing(path: Path, found: Set[tuple[str, str]]) -> None:
    parts = {"train", *(part for part, _ in found)}
    for part in sorted(parts | ({"test"} if len(parts) == 1 else set())):
        for role, dimensions in (("images", 3), ("labels", 1)):
            if (part, role) not in found:
                missing = f"{'t10k' if part == 'test' else part}-{role}-idx{dimensions}-ubyte"
                raise DataError(f"{path}: {missing} is missing; add it")


def _stored(file: Path) -> Stored:
    """Return the array of a file, of which the header is compared with the length."""
    with open_file(file) as stream:
        beginning = stream.read(_PIECE)
        length = os.fstat(stream.fileno()).st_size
    if beginning.lstrip()[:1] == b"<":
        raise DataError(f"{file}: a web page, not an IDX file; get the file again")
    if not beginning.startswith(GZIP):
        shape, start = idx_header(beginning, str(file))
        refuse_wrong_length(shape, length - start, str(file))
        return Stored(str(file), partial(open_file, file), start, np.dtype(np.uint8), tuple(shape))
    try:
        with _unpacked(file) as unpacked:
            shape, start = idx_header(unpacked.read(4 + 4 * MOST_DIMENSIONS), str(file))
            refuse_bomb(str(file), length, math.prod(shape))
            follow = _length(unpacked, start, math.prod(shape))
    except (OSError, *DAMAGE) as error:
        raise DataError(f"{file}: damaged, not valid gzip; get the file again") from error
    refuse_wrong_length(shape, follow, str(file))
    return Stored(str(file), partial(_unpacked, file), start, np.dtype(np.uint8), tuple(shape))


def _unpacked(file: Path) -> AbstractContextManager[Stream]:
    return gzip.GzipFile(file, "rb")


def _length(stream: Stream, start: int, promised: int) -> int:
    """Return how many bytes a packed file has behind its header; a piece too many is enough."""
    stream.seek(start)
    length = 0
    while length <= promised and (piece := stream.read(_PIECE)):
        length += len(piece)
    return length


def _part(part: str, images: Stored, labels: Stored) -> ArrayPart:
    refuse_other_length(labels, images)
    if len(labels.shape) != 1:
        raise DataError(f"{labels.where}: labels of shape {list(labels.shape)}; give one an image")
    texts = texts_of(labels.whole(), labels.where)
    called = Path(images.where).name
    return ArrayPart(part, images, texts, [f"{called}[{row}]" for row in range(len(texts))])
