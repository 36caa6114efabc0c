"""Checkpoints of an unfinished trial as files: the newest two, each checked when read."""

from __future__ import annotations

import hashlib
import json
import re
from collections.abc import Callable, Iterator, Mapping
from dataclasses import dataclass
from datetime import datetime
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
from bakeoff.text import visible

FORMAT = 1
KEPT = 2
"""The newest may turn out damaged; then the one before it costs one epoch, not the trial."""

_LARGEST = 4 << 30
"""Bytes. Weights may be 1 GiB, and Adam keeps two moments of each."""

_LARGEST_HEADER = 4_000_000
"""Bytes: the history of ten thousand epochs takes a third of it."""

_LONGEST = 10_000
"""Characters of one text in a provenance."""

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

    def newest(
        self, misfit: Callable[[Checkpoint], str | None] = lambda checkpoint: None
    ) -> tuple[Path, Checkpoint] | None:
        """Return the newest checkpoint that can be gone on from, with its file, or None.

        One that is damaged, or of which `misfit` says why its trial never wrote it, is named to
        `on_damage` and renamed, so that it is neither read nor counted again. Raises StoreError
        where a file cannot be read at all.
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
            counted = len(found.history) == int(match.group(1))
            complaint = misfit(found) if counted else "its name counts other epochs than it holds"
            if complaint is None:
                return file, found
            self._set_aside(file, complaint)
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
        "state": _without_tensors(checkpoint.state, "state", tensors),
    }
    return safetensors.torch.save(tensors, {"bakeoff": json.dumps(document, allow_nan=False)})


def decode(content: bytes) -> Checkpoint:
    """Return what `encode` was given; raise ValueError where `content` is something else.

    The state has the form of one; whether it is that of a given training is not known here.
    """
    try:
        length = int.from_bytes(content[:8], "little")
        if length > _LARGEST_HEADER:
            raise ValueError("the header is longer than any of ours")
        header = parse_json(content[8 : 8 + length], "header")
        document = parse_json(header["__metadata__"]["bakeoff"].encode(), "metadata")
        if document["format"] != FORMAT:
            raise ValueError(f"format {document['format']}")
        tensors = safetensors.torch.load(content)
        checkpoint = Checkpoint(
            # By way of JSON, whose strict mode takes lists for tuples but no text for a number.
            history=_HISTORY.validate_json(json.dumps(document["history"]), strict=True),
            origin=Provenance.model_validate_json(json.dumps(document["origin"]), strict=True),
            state=_with_tensors(document["state"], "state", tensors),
        )
    except (
        KeyError, TypeError, AttributeError, RuntimeError, OverflowError, MemoryError,
        safetensors.SafetensorError, ValidationError, UnreadableError,
    ) as error:  # fmt: skip
        raise ValueError("not a checkpoint") from error
    if tensors or not _possible(checkpoint):
        raise ValueError("not a checkpoint that can have been written")
    return checkpoint


def _possible(checkpoint: Checkpoint) -> bool:
    """Return whether any training can have had this history and this origin."""
    history, origin = checkpoint.history, checkpoint.origin
    counted = [epoch.epoch for epoch in history] == list(range(1, len(history) + 1))
    measured = all(
        min(epoch.train_loss, epoch.validation_loss, epoch.seconds) >= 0
        and (epoch.processor_seconds or 0) >= 0
        and 0 <= epoch.validation_accuracy <= 1
        and 0 <= (epoch.others or 0) <= 1
        for epoch in history
    )
    readable = all(
        text == visible(text) and len(text) <= _LONGEST for text in _texts(origin.model_dump())
    )
    datetime.fromisoformat(origin.started)
    resumed = [resume.epoch for resume in origin.resumed]
    in_order = resumed == sorted(resumed) and all(1 <= epoch <= len(history) for epoch in resumed)
    one_process = origin.threads >= 1 and origin.stacked == 1
    whole = isinstance(checkpoint.state, dict)
    return counted and measured and readable and in_order and one_process and whole


def _texts(value: Any) -> Iterator[str]:
    match value:
        case str():
            yield value
        case dict():
            yield from _texts([*value, *value.values()])
        case list() | tuple():
            for part in value:
                yield from _texts(part)


def _without_tensors(value: Any, name: str, tensors: dict[str, torch.Tensor]) -> Any:
    """Return `value` as JSON can hold it, its tensors moved to `tensors` under their place's name.

    The strides are kept: a fused optimizer walks weights and moments side by side in memory.
    """
    match value:
        case torch.Tensor():
            tensors[name] = value.detach().cpu().contiguous()
            dense = torch.empty_like(value, device="meta")  # Has the strides of one that is dense.
            return {"tensor": name, "strides": list(dense.stride())}
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


def _with_tensors(value: Any, name: str, tensors: dict[str, torch.Tensor]) -> Any:
    """Undo `_without_tensors`: each tensor is taken out of `tensors`, at its own place alone."""
    match value:
        case {"tensor": str(said), "strides": list(strides)} if said == name:
            return _strided(tensors.pop(name), strides)
        case {"keys": list(keys), "values": list(values)}:
            return {
                key: _with_tensors(part, f"{name}.{key}", tensors)
                for key, part in zip(keys, values, strict=True)
            }
        case {"list": list(parts)} | {"tuple": list(parts)}:
            whole = [
                _with_tensors(part, f"{name}.{place}", tensors) for place, part in enumerate(parts)
            ]
            return whole if "list" in value else tuple(whole)
        case dict() | list():
            raise ValueError("not a checkpoint")
        case _:
            return value


def _strided(tensor: torch.Tensor, strides: list[int]) -> torch.Tensor:
    """Return the tensor laid out as it was; raise ValueError where no dense tensor lies so."""
    placed = sorted(zip(strides, tensor.shape, strict=True))
    dense = 1
    for stride, size in placed:
        if type(stride) is not int or not 0 <= stride <= max(tensor.numel(), 1):
            raise ValueError("not a checkpoint")
        if size > 1:  # Of a single number the stride means nothing.
            if stride != dense:
                raise ValueError("not a checkpoint")
            dense *= size
    laid_out = torch.empty_strided(tensor.shape, strides, dtype=tensor.dtype)
    return laid_out.copy_(tensor)
