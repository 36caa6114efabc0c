"""Checkpoints of an unfinished trial as files: the newest two, each checked when read."""

from __future__ import annotations

import hashlib
import json
import re
from collections.abc import Callable, Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import safetensors
import safetensors.torch
import torch
from pydantic import TypeAdapter, ValidationError

from bakeoff.errors import StoreError, UnreadableError
from bakeoff.files.atomic import remove_file, write_file
from bakeoff.files.reading import parse_json, read_file
from bakeoff.records.record import Epoch, Provenance

FORMAT = 1
KEPT = 2
"""The newest may turn out damaged; then the one before it costs one epoch, not the trial."""

_LARGEST = 4 << 30
"""Bytes. Weights may be 1 GiB, and Adam keeps two moments of each."""

_LARGEST_HEADER = 4_000_000
"""Bytes: the history of ten thousand epochs takes a third of it."""

# The digest of the whole file is its name: one rename then brings both, and not a byte of the file
# is left unchecked.
_NAME = re.compile(r"^epoch-(\d{4,})-([0-9a-f]{64})\.safetensors$")
_HISTORY = TypeAdapter(tuple[Epoch, ...])


@dataclass(frozen=True)
class Checkpoint:
    """A training as it stood after the last epoch of its history."""

    history: tuple[Epoch, ...]
    origin: Provenance
    """Of the process that wrote it."""
    contended: bool
    """Whether any epoch so far was timed beside other trials."""
    state: Mapping[str, Any]
    """Nested dicts, lists and tuples of tensors and plain values."""


class Checkpoints:
    """The checkpoints of one trial: files in a folder that belongs to the holder of its lock."""

    def __init__(self, folder: Path, on_damage: Callable[[str], None]) -> None:
        self.folder = folder
        self._on_damage = on_damage

    def write(self, checkpoint: Checkpoint) -> None:
        """Write it, and then remove all but the newest two. Raises StoreError."""
        content = encode(checkpoint)
        digest = hashlib.sha256(content).hexdigest()
        file = self.folder / f"epoch-{len(checkpoint.history):04d}-{digest}.safetensors"
        # Flushed like every other file. For small networks this takes a millisecond an epoch, for
        # the largest here a tenth of a second in an epoch of a minute.
        write_file(file, content)
        older = [each for each in self._files() if each != file]
        for superseded in older[KEPT - 1 :]:
            remove_file(superseded)

    def newest(self) -> tuple[Path, Checkpoint] | None:
        """Return the newest checkpoint that is whole, with its file; None where there is none.

        A damaged one is named to `on_damage` and renamed, so that it is neither read nor counted
        again. Raises StoreError where a file cannot be read at all.
        """
        for file in self._files():
            try:
                content = read_file(file, _LARGEST)
            except UnreadableError as error:
                cause = error.__cause__
                if isinstance(cause, OSError) and not isinstance(cause, IsADirectoryError):
                    # It may be whole, and readable tomorrow.
                    raise StoreError(f"{file}: cannot read: {cause.strerror}") from error
                self._set_aside(file, str(error).removeprefix(f"{file}: "))
                continue
            digest = hashlib.sha256(content).hexdigest()
            match = _NAME.match(file.name)
            if match is None or match.group(2) != digest:
                self._set_aside(file, "damaged, its SHA-256 is not the one in its name")
                continue
            try:
                found = decode(content)
            except ValueError:
                self._set_aside(file, "not a checkpoint of this version")
                continue
            return file, found
        return None

    def _files(self) -> list[Path]:
        """Return the checkpoints, the newest first."""
        if not self.folder.is_dir():
            return []
        found = [(_NAME.match(file.name), file) for file in self.folder.iterdir()]
        numbered = [(int(match.group(1)), file) for match, file in found if match]
        return [file for _, file in sorted(numbered, reverse=True)]

    def _set_aside(self, file: Path, complaint: str) -> None:
        try:
            file.rename(file.with_name(f"damaged-{file.name}"))
        except OSError as error:
            raise StoreError(f"{file}: cannot rename: {error.strerror}") from error
        self._on_damage(f"{file}: {complaint}; going back to the checkpoint before it")


def encode(checkpoint: Checkpoint) -> bytes:
    """Return a checkpoint as safetensors: its tensors, and all else as JSON in the metadata."""
    tensors: dict[str, torch.Tensor] = {}
    document = {
        "format": FORMAT,
        "history": [epoch.model_dump() for epoch in checkpoint.history],
        "origin": checkpoint.origin.model_dump(mode="json"),
        "contended": checkpoint.contended,
        "state": _without_tensors(checkpoint.state, "state", tensors),
    }
    return safetensors.torch.save(tensors, {"bakeoff": json.dumps(document, allow_nan=False)})


def decode(content: bytes) -> Checkpoint:
    """Return what `encode` was given; raise ValueError where `content` is something else."""
    try:
        length = int.from_bytes(content[:8], "little")
        if length > _LARGEST_HEADER:
            raise ValueError("the header is longer than any of ours")
        header = parse_json(content[8 : 8 + length], "header")
        document = parse_json(header["__metadata__"]["bakeoff"].encode(), "metadata")
        if document["format"] != FORMAT:
            raise ValueError(f"format {document['format']}")
        return Checkpoint(
            history=_HISTORY.validate_python(document["history"]),
            origin=Provenance.model_validate(document["origin"]),
            contended=bool(document["contended"]),
            state=_with_tensors(document["state"], safetensors.torch.load(content)),
        )
    except (KeyError, TypeError, AttributeError, RuntimeError) as error:
        raise ValueError("not a checkpoint") from error
    except (safetensors.SafetensorError, ValidationError, UnreadableError) as error:
        raise ValueError("not a checkpoint") from error


def _without_tensors(value: Any, name: str, tensors: dict[str, torch.Tensor]) -> Any:
    """Return `value` as JSON can hold it, its tensors moved to `tensors` under their place's name.

    The strides are kept: a fused optimizer walks weights and moments side by side in memory.
    """
    match value:
        case torch.Tensor():
            tensors[name] = value.detach().cpu().contiguous()
            return {"tensor": name, "strides": list(value.stride())}
        case dict():
            return {
                "keys": list(value),
                "values": [
                    _without_tensors(part, f"{name}.{key}", tensors) for key, part in value.items()
                ],
            }
        case list() | tuple():
            parts = [
                _without_tensors(part, f"{name}.{place}", tensors)
                for place, part in enumerate(value)
            ]
            return {"list" if isinstance(value, list) else "tuple": parts}
        case None | bool() | int() | float() | str():
            return value
        case _:
            raise TypeError(f"{name} is a {type(value).__name__}, which a checkpoint cannot hold")


def _with_tensors(value: Any, tensors: Mapping[str, torch.Tensor]) -> Any:
    """Undo `_without_tensors`."""
    match value:
        case {"tensor": name, "strides": strides}:
            return _strided(tensors[name], strides)
        case {"keys": keys, "values": values}:
            return {
                key: _with_tensors(part, tensors) for key, part in zip(keys, values, strict=True)
            }
        case {"list": parts}:
            return [_with_tensors(part, tensors) for part in parts]
        case {"tuple": parts}:
            return tuple(_with_tensors(part, tensors) for part in parts)
        case dict() | list():
            raise ValueError("not a checkpoint")
        case _:
            return value


def _strided(tensor: torch.Tensor, strides: list[int]) -> torch.Tensor:
    reach = 1 + sum((size - 1) * stride for size, stride in zip(tensor.shape, strides, strict=True))
    if reach > max(tensor.numel(), 1):
        raise ValueError("not a checkpoint")
    laid_out = torch.empty_strided(tensor.shape, strides, dtype=tensor.dtype)
    return laid_out.copy_(tensor)
