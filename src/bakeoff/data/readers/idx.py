"""The IDX format of MNIST: a magic number, the sizes, the bytes.

Source: Y. LeCun, "The MNIST database of handwritten digits", section "File formats".
"""

from __future__ import annotations

import hashlib
import math
from pathlib import Path

import numpy as np
from numpy.typing import NDArray

from bakeoff.errors import DataError, UnreadableError
from bakeoff.files.reading import read_file
from bakeoff.files.unzipping import gunzip

_UNSIGNED_BYTE = 0x08
MOST_DIMENSIONS = 4
GZIP = b"\x1f\x8b"


def read_idx(path: Path, size: int, sha256: str) -> NDArray[np.uint8]:
    """Return the array of an IDX file, plain or packed with gzip, as MNIST is handed around.

    size, sha256: of the unpacked file. Nothing beyond `size` bytes is read or unpacked. Raises
    DataError, naming the file, where the content is another.
    """
    mend = "get the file again"
    try:
        # What is packed may be longer than what is in it, by the frame of each stored block.
        packed = read_file(path, size + size // 1000 + 1000)
        content = gunzip(packed, size, str(path)) if packed.startswith(GZIP) else packed
    except UnreadableError as error:
        raise DataError(f"{error}; {mend}") from error
    if hashlib.sha256(content).hexdigest() != sha256:
        raise DataError(f"{path}: damaged, its content does not have the known SHA-256; {mend}")
    return parse_idx(content, str(path))


def parse_idx(content: bytes | bytearray, name: str) -> NDArray[np.uint8]:
    """Return the array of an IDX file of unsigned bytes, without copying.

    Raises DataError, naming the file, where header and length disagree.
    """
    shape, start = idx_header(content, name)
    refuse_wrong_length(shape, len(content) - start, name)
    try:
        return np.frombuffer(memoryview(content).toreadonly(), np.uint8, offset=start).reshape(
            shape
        )
    except ValueError as error:
        # No image at all, of a size that no array can have.
        raise DataError(f"{name}: the IDX header promises {shape}; get the file again") from error


def idx_header(beginning: bytes | bytearray, name: str) -> tuple[list[int], int]:
    """Return the sizes that an IDX file promises, and where its values begin.

    The header is: two zero bytes, the type, the number of dimensions, then each size as a
    big-endian uint32. Raises DataError, naming the file, where there is none.
    """
    if not beginning:
        raise DataError(f"{name}: empty (0 bytes), not an IDX file; get the file again")
    if len(beginning) < 4 or beginning[:2] != b"\0\0":
        raise DataError(f"{name}: not an IDX file (it does not start with two zero bytes)")
    if beginning[2] != _UNSIGNED_BYTE:
        kind = beginning[2]
        raise DataError(f"{name}: IDX type 0x{kind:02x}; only unsigned bytes (0x08) are read")
    dimensions = beginning[3]
    start = 4 + 4 * dimensions
    if len(beginning) < start:
        raise DataError(
            f"{name}: truncated inside the IDX header, which takes {start} bytes, "
            f"{len(beginning)} are "
            "there; get the file again"
        )
    if dimensions > MOST_DIMENSIONS:
        raise DataError(f"{name}: {dimensions} dimensions; at most {MOST_DIMENSIONS} are read")
    shape = [int.from_bytes(beginning[at : at + 4], "big") for at in range(4, start, 4)]
    return shape, start


def refuse_wrong_length(shape: list[int], length: int, name: str) -> None:
    """Raise DataError where another number of bytes follows the header than it promises."""
    if length != math.prod(shape):
        raise DataError(
            f"{name}: the IDX header promises {math.prod(shape):,} bytes {shape}, "
            f"{length:,} follow; get the file again"
        )
