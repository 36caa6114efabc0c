"""Tensors as bytes: safetensors, whose header is not believed but checked.

Apart from `arrays`, since torch takes a second to import and only who trains or looks needs it.
"""

from __future__ import annotations

import struct
from collections.abc import Mapping

import safetensors
import safetensors.torch
import torch

from bakeoff.errors import UnreadableError
from bakeoff.files.reading import parse_json

_LARGEST_TENSOR_LIST = 1_000_000  # Bytes of a safetensors header: one tensor takes about 80.


def to_safetensors(tensors: Mapping[str, torch.Tensor]) -> bytes:
    """Return contiguous CPU tensors as safetensors, the same bytes for the same tensors."""
    return safetensors.torch.save(dict(tensors))


def from_safetensors(content: bytes, where: str) -> dict[str, torch.Tensor]:
    """Return the tensors of a safetensors file; raise UnreadableError, `<file>: <reason>`."""
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
