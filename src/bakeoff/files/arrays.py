"""Arrays and tensors as bytes: npz and safetensors, whose headers are not believed but checked.

What is read is held to what `to_npz` and `to_safetensors` write; so nothing can unpack to more than
its own length. Each reader raises UnreadableError, `<file>: <reason>`.
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
import safetensors
import safetensors.torch
import torch
from numpy.typing import NDArray

from bakeoff.errors import UnreadableError
from bakeoff.files.reading import parse_json
from bakeoff.files.unzipping import DAMAGE, refuse_odd_zip

_NPY = b"\x93NUMPY\x01\x00"
_NPY_HEADER = re.compile(
    rb"\{'descr': '([<|][a-z][0-9]{1,2})', 'fortran_order': False, "
    rb"'shape': \(((?:[0-9]{1,12}, ?)*[0-9]{0,12})\), \} *\n"
)
_TYPES = {"<f4", "<f8", "<i8", "|u1", "|b1"}
_LARGEST_TENSOR_LIST = 1_000_000  # Bytes of a safetensors header: one tensor takes about 80.


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


def to_safetensors(tensors: Mapping[str, torch.Tensor]) -> bytes:
    """Return contiguous CPU tensors as safetensors, the same bytes for the same tensors."""
    return safetensors.torch.save(dict(tensors))


def from_safetensors(content: bytes, where: str) -> dict[str, torch.Tensor]:
    """Return the tensors of a safetensors file."""
    try:
        (length,) = struct.unpack_from("<Q", content)
        if length > min(_LARGEST_TENSOR_LIST, len(content) - 8):
            raise ValueError("the header is longer than the file, or than any of ours")
        # The library takes a name that stands twice; it compares offsets, shapes and length itself.
        parse_json(content[8 : 8 + length], where)
        return safetensors.torch.load(content)
    except (
        safetensors.SafetensorError, struct.error, ValueError, KeyError, TypeError, RuntimeError,
        OverflowError, MemoryError,
    ) as error:  # fmt: skip
        raise UnreadableError(f"{where}: not safetensors") from error
