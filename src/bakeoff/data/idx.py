"""The IDX format of MNIST: a magic number, the sizes, the bytes.

Source: Y. LeCun, "The MNIST database of handwritten digits", section "File formats".
"""

from __future__ import annotations

import math

import numpy as np
from numpy.typing import NDArray

from bakeoff.errors import DataError

_UNSIGNED_BYTE = 0x08


def parse_idx(content: bytes, name: str) -> NDArray[np.uint8]:
    """Return the array of an IDX file of unsigned bytes, without copying.

    The header is: two zero bytes, the type, the number of dimensions, then each size as a
    big-endian uint32. Raises DataError, naming the file, where header and length disagree.
    """
    if len(content) < 4 or content[:2] != b"\0\0":
        raise DataError(f"{name}: not an IDX file (it does not start with two zero bytes)")
    if content[2] != _UNSIGNED_BYTE:
        raise DataError(f"{name}: IDX type 0x{content[2]:02x}; only unsigned bytes (0x08) are read")
    dimensions = content[3]
    start = 4 + 4 * dimensions
    if len(content) < start:
        raise DataError(f"{name}: truncated inside the IDX header")
    shape = [int.from_bytes(content[at : at + 4], "big") for at in range(4, start, 4)]
    if len(content) - start != math.prod(shape):
        raise DataError(
            f"{name}: the IDX header promises {math.prod(shape):,} bytes {shape}, "
            f"{len(content) - start:,} follow; get the file again"
        )
    return np.frombuffer(content, dtype=np.uint8, offset=start).reshape(shape)
