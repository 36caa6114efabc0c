"""Arrays as bytes: npz, whose headers are not believed but checked.

What is read is held to what `to_npz` writes; so nothing can unpack to more than its own length.
The reader raises UnreadableError, `<file>: <reason>`.
"""

from __future__ import annotations

import io
import math
import re
import struct
import zipfile
from collections.abc import Mapping, Sequence
from typing import Any

import numpy as np
from numpy.typing import NDArray

from bakeoff.errors import UnreadableError
from bakeoff.files.unzipping import DAMAGE, refuse_odd_zip

_NPY = b"\x93NUMPY\x01\x00"
_NPY_HEADER = re.compile(
    rb"\{'descr': '([<|][a-z][0-9]{1,2})', 'fortran_order': False, "
    rb"'shape': \(((?:[0-9]{1,12}, ?)*[0-9]{0,12})\), \} *\n"
)
_TYPES = {"<f4", "<f8", "<i8", "|u1", "|b1"}


def to_npz(arrays: Mapping[str, NDArray[Any]]) -> bytes:
    """Return the arrays as an uncompressed npz, the same bytes for the same arrays."""
    stream = io.BytesIO()
    with zipfile.ZipFile(stream, "w") as archive:
        for name, array in arrays.items():
            with archive.open(zipfile.ZipInfo(f"{name}.npy"), "w") as member:
                row_major = np.asarray(array, order="C")
                np.lib.format.write_array(member, row_major, allow_pickle=False)
    return stream.getvalue()


def from_npz(content: bytes, names: Sequence[str], where: str) -> dict[str, NDArray[Any]]:
    """Return the arrays called `names` of an uncompressed npz; others are not read."""
    try:
        refuse_odd_zip(content, where)
        with zipfile.ZipFile(io.BytesIO(content)) as archive:
            return {name: _from_npy(_stored(archive, f"{name}.npy", content)) for name in names}
    except DAMAGE as error:
        raise UnreadableError(f"{where}: not an npz of {', '.join(names)}") from error


def _stored(archive: zipfile.ZipFile, name: str, content: bytes) -> bytes:
    """Return a member that takes as much room in the archive as outside it."""
    member = archive.getinfo(name)
    if member.compress_type != zipfile.ZIP_STORED or member.file_size > len(content):
        raise ValueError(f"{name} is compressed")
    return archive.read(member)


def _from_npy(content: bytes) -> NDArray[Any]:
    """Return the array of an npy file, as a copy that may be written to."""
    magic, (length,) = content[:8], struct.unpack_from("<H", content, 8)
    header = _NPY_HEADER.fullmatch(content[10 : 10 + length])
    if magic != _NPY or header is None or header[1].decode() not in _TYPES:
        raise ValueError("not a plain npy file")
    dtype = np.dtype(header[1].decode())
    shape = [int(size) for size in header[2].replace(b" ", b"").split(b",") if size]
    data = memoryview(content)[10 + length :]
    if math.prod(shape) * dtype.itemsize != len(data):
        raise ValueError("the header promises another length")
    return np.frombuffer(data, dtype).reshape(shape).copy()
