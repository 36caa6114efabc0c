"""An array as it lies in a file: its header is compared with its length, and rows are read of it.

Rows are read through a stream, never mapped: what is mapped counts as memory of this process.
"""

from __future__ import annotations

import ast
import math
import re
from collections.abc import Callable, Iterator, Sequence
from contextlib import AbstractContextManager
from dataclasses import dataclass
from typing import Any, Protocol

import numpy as np
from numpy.typing import NDArray

from bakeoff.errors import DataError
from bakeoff.files.unzipping import DAMAGE

BLOCK_BYTES = 16 << 20
"""Bytes of an array that are read at a time."""
_LARGEST_HEADER = 10_000  # Bytes, as numpy takes them. That of a plain array has about 100.
_MAGIC = b"\x93NUMPY"
_LENGTH_BYTES = {(1, 0): 2, (2, 0): 4, (3, 0): 4}
_UNPACKED = 256 << 20  # Bytes up to which packed files are believed whatever they are packed from.
_MOST_PACKED = 200  # Drawings of digits, which are mostly empty, pack to a tenth.


class Stream(Protocol):
    """What can be read from any byte on, packed or not."""

    def seek(self, offset: int, /) -> int:
        """Go to this byte."""

    def read(self, size: int, /) -> bytes:
        """Return at most `size` bytes."""


class Rows(Protocol):
    """What readers turn into images: an array of which the rows come a block at a time."""

    @property
    def where(self) -> str:
        """What errors call it: `digits.npz: x_train`."""

    @property
    def dtype(self) -> np.dtype[Any]:
        """Of what `blocks` yields."""

    @property
    def type_name(self) -> str:
        """What a person calls the type of what is stored."""

    @property
    def shape(self) -> tuple[int, ...]:
        """[n, ...]."""

    def name(self, row: int) -> str:
        """Return what errors call one of its rows."""

    def blocks(self, rows: Sequence[int] | NDArray[np.int64]) -> Iterator[NDArray[Any]]:
        """Yield the rows of these indices, in that order, some at a time.

        Raises DataError where the file is damaged.
        """


@dataclass(frozen=True)
class Stored:
    """An array in a file, or in an archive. It is `Rows`."""

    where: str
    opened: Callable[[], AbstractContextManager[Stream]]
    """Opens what it lies in, which can be sought in."""
    start: int
    """The byte at which its values begin."""
    dtype: np.dtype[Any]
    shape: tuple[int, ...]
    fortran: bool = False
    """Whether the first index varies fastest."""

    @property
    def type_name(self) -> str:
        """As numpy calls it."""
        return self.dtype.name

    def name(self, row: int) -> str:
        """Return its index behind the name of the array."""
        return f"{self.where}[{row}]"

    def blocks(self, rows: Sequence[int] | NDArray[np.int64]) -> Iterator[NDArray[Any]]:
        """Yield the rows of these indices, in that order, some at a time."""
        row_bytes = math.prod(self.shape[1:]) * self.dtype.itemsize
        some = max(BLOCK_BYTES // max(row_bytes, 1), 1)
        wanted = np.asarray(rows, dtype=np.int64)
        read = self._across if self.fortran else self._along
        try:
            with self.opened() as stream:
                for first in range(0, len(wanted), some):
                    # Packed files are read from the front, so rows are read as they lie there.
                    ascending, places = np.unique(wanted[first : first + some], return_inverse=True)
                    yield read(stream, ascending)[places]
        except (OSError, *DAMAGE) as error:
            raise DataError(f"{self.where}: damaged or cut short; get the file again") from error

    def whole(self) -> NDArray[Any]:
        """Return all of it: for an array that is known to be small."""
        blocks = list(self.blocks(range(self.shape[0])))
        return np.concatenate(blocks) if blocks else np.empty(self.shape, self.dtype)

    def _along(self, stream: Stream, rows: NDArray[np.int64]) -> NDArray[Any]:
        row = self.shape[1:]
        row_bytes = math.prod(row) * self.dtype.itemsize
        runs = np.split(rows, np.flatnonzero(np.diff(rows) != 1) + 1)
        read = [self._values(stream, int(run[0]) * row_bytes, len(run) * row_bytes) for run in runs]
        values = read[0] if len(read) == 1 else np.concatenate(read)
        return values.reshape(len(rows), *row)

    def _across(self, stream: Stream, rows: NDArray[np.int64]) -> NDArray[Any]:
        """Return the rows of an array in Fortran's order: a stretch of each of its columns."""
        length, size = self.shape[0], self.dtype.itemsize
        first, last = int(rows[0]), int(rows[-1])
        columns = np.empty((math.prod(self.shape[1:]), len(rows)), self.dtype)
        for number, column in enumerate(columns):
            at = (number * length + first) * size
            column[:] = self._values(stream, at, (last - first + 1) * size)[rows - first]
        return columns.reshape(*self.shape[:0:-1], len(rows)).T

    def _values(self, stream: Stream, at: int, length: int) -> NDArray[Any]:
        stream.seek(self.start + at)
        content = stream.read(length)
        if len(content) != length:
            raise EOFError
        return np.frombuffer(content, self.dtype)


def stored_npy(
    where: str, length: int, opened: Callable[[], AbstractContextManager[Stream]]
) -> Stored:
    """Return the array of an npy file of `length` bytes, of which the header alone is read.

    Raises DataError, naming it, where it is none, where its header and its length disagree, and
    where only a pickle could say what is in it.
    """
    try:
        with opened() as stream:
            shape, fortran, dtype, start = _header(stream)
    except (OSError, *DAMAGE, SyntaxError, TypeError) as error:
        raise DataError(f"{where}: not an npy file, or damaged; get the file again") from error
    if dtype.hasobject:
        raise DataError(
            f"{where}: holds objects of Python, which are never unpickled; save it as an array of "
            "numbers or of text"
        )
    promised = math.prod(shape) * dtype.itemsize
    if promised != length - start:
        raise DataError(
            f"{where}: its header promises {promised:,} bytes {list(shape)}, {length - start:,} "
            "follow; get the file again"
        )
    return Stored(where, opened, start, dtype, shape, fortran)


def _header(stream: Stream) -> tuple[tuple[int, ...], bool, np.dtype[Any], int]:
    """Return shape, whether in Fortran's order, type, and where the values begin.

    Source: numpy.lib.format, "Format Version 1.0" to "3.0".
    """
    magic = stream.read(8)
    length_bytes = _LENGTH_BYTES[magic[6], magic[7]]
    packed = stream.read(length_bytes)
    length = int.from_bytes(packed, "little")
    if magic[:6] != _MAGIC or length > _LARGEST_HEADER:
        raise ValueError("not an npy file")
    # A dictionary that numpy would read so too, after other ways that fail in other ways.
    text = re.sub(r"(?<=\d)L", "", stream.read(length).decode("latin1"))  # Long in Python 2.
    header = ast.literal_eval(text)
    shape, fortran, dtype = (header[key] for key in ("shape", "fortran_order", "descr"))
    if not all(type(size) is int and size >= 0 for size in shape) or type(fortran) is not bool:
        raise ValueError("not an npy file")
    return tuple(shape), fortran, np.lib.format.descr_to_dtype(dtype), 8 + length_bytes + length


def refuse_bomb(where: str, packed: int, promised: int) -> None:
    """Raise DataError for what promises so much more than it takes that no images are in it."""
    if promised > max(_UNPACKED, _MOST_PACKED * packed):
        raise DataError(
            f"{where}: {packed:,} bytes that promise {promised:,} once they are unpacked, as no "
            "images do; get it again, or unpacked"
        )
