"""Tensors as bytes: safetensors, whose header is not believed but checked.

Apart from `arrays`, since torch takes a second to import and only who trains or looks needs it.
"""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

import safetensors
import safetensors.torch
import torch

from bakeoff.errors import UnreadableError
from bakeoff.files.reading import parse_json

_LARGEST_HEADER = 1_000_000  # Bytes of a list of tensors: one takes about 80.


def to_safetensors(
    tensors: Mapping[str, torch.Tensor], metadata: dict[str, str] | None = None
) -> bytes:
    """Return contiguous CPU tensors as safetensors, the same bytes for the same tensors.

    Tensors that share memory, as tied weights do, each stand there whole: what ties them is the
    network that they are loaded into.
    """
    apart: dict[str, torch.Tensor] = {}
    taken = set()
    for name, value in tensors.items():
        memory = value.untyped_storage().data_ptr()
        apart[name] = value.clone() if memory in taken else value
        taken.add(memory)
    return safetensors.torch.save(apart, metadata)


def from_safetensors(
    content: bytes, where: str, most: int = _LARGEST_HEADER
) -> dict[str, torch.Tensor]:
    """Return the tensors of a safetensors file; raise UnreadableError, `<file>: <reason>`.

    most: bytes of its header.
    """
    try:
        # The library takes a name that stands twice; it compares offsets, shapes and length itself.
        header_of(content, where, most)
        return safetensors.torch.load(content)
    except (
        safetensors.SafetensorError, ValueError, KeyError, TypeError, RuntimeError, OverflowError,
        MemoryError,
    ) as error:  # fmt: skip
        raise UnreadableError(f"{where}: not safetensors") from error


def header_of(content: bytes, where: str, most: int) -> Any:
    """Return the JSON value before the tensors; raise UnreadableError where there is none."""
    length = int.from_bytes(content[:8], "little")
    if length > min(most, len(content) - 8):
        raise UnreadableError(f"{where}: not safetensors")
    return parse_json(content[8 : 8 + length], where)
