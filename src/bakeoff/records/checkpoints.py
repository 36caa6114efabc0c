"""Checkpoints of an unfinished trial as files: the newest two, checked when written and read."""

from __future__ import annotations

import errno
import hashlib
import re
from collections.abc import Callable, Iterator, Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime
from pathlib import Path
from typing import Any, Literal

import torch

from bakeoff.errors import StoreError, UnreadableError
from bakeoff.files.place import Place
from bakeoff.files.reading import parse_json
from bakeoff.files.tensors import from_safetensors, header_of, to_safetensors
from bakeoff.records.contradictions import impossible_history
from bakeoff.records.record import Epoch, Part, Provenance
from bakeoff.text import visible

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


@dataclass(frozen=True)
class Checkpoint:
    """A training as it stood after the last epoch of its history."""

    history: tuple[Epoch, ...]
    origin: Provenance
    """Of the process that wrote it."""
    state: Mapping[str, torch.Tensor]
    """All that moves, by name."""


class _Header(Part):
    """All of a checkpoint but its tensors."""

    format: Literal[2] = 2
    """Raised when what is kept changes its meaning."""
    history: tuple[Epoch, ...]
    origin: Provenance


Misfit = Callable[[Checkpoint], str | None]
"""Says why its trial cannot have left a checkpoint, where it can't."""


class Checkpoints:
    """The checkpoints of one trial: files in a folder that belongs to the holder of its lock."""

    def __init__(self, folder: Place, say: Callable[[str], None]) -> None:
        self.folder = folder
        self._say = say

    def write(self, checkpoint: Checkpoint, misfit: Misfit = lambda checkpoint: None) -> None:
        """Write it, and then remove all but the newest two. Raises StoreError.

        One that `newest` would not go on from is not written, and that is said: the training can
        end without it.
        """
        epoch = len(checkpoint.history)
        try:
            content = encode(checkpoint, str(self.folder))
            _refuse(misfit, checkpoint, str(self.folder))
        except UnreadableError as error:
            self._say(f"{error}; no checkpoint is left of epoch {epoch}")
            return
        file = self.folder / f"epoch-{epoch:04d}-{hashlib.sha256(content).hexdigest()}.safetensors"
        # Flushed like every other file. For small networks this takes a millisecond an epoch, for
        # the largest here a tenth of a second in an epoch of a minute.
        file.write(content)
        older = [each for _, each in self._files() if each != file]
        for superseded in older[KEPT - 1 :]:
            superseded.remove()

    def newest(self, misfit: Misfit = lambda checkpoint: None) -> tuple[Path, Checkpoint] | None:
        """Return the newest checkpoint that can be gone on from, with its file, or None.

        One that is damaged, or that its trial never wrote, is named and renamed, so that it is
        neither read nor counted again. Raises StoreError where a file cannot be read at all.
        """
        for match, file in self._files():
            try:
                content = file.read(_LARGEST)
                if hashlib.sha256(content).hexdigest() != match[2]:
                    raise UnreadableError(
                        f"{file}: damaged, its SHA-256 is not the one in its name"
                    )
                found = decode(content, str(file))
                if len(found.history) != int(match[1]):
                    raise UnreadableError(f"{file}: its name counts other epochs than it holds")
                _refuse(misfit, found, str(file))
            except UnreadableError as error:
                cause = error.__cause__
                if isinstance(cause, OSError) and cause.errno not in (errno.EISDIR, errno.ELOOP):
                    # It may be whole, and readable tomorrow.
                    raise StoreError(f"{file}: cannot read: {cause.strerror}") from error
                file.move(self.folder / f"damaged-{file.name}")
                self._say(f"{error}; going back to the checkpoint before it")
            else:
                return file.path, found
        return None

    def _files(self) -> list[tuple[re.Match[str], Place]]:
        """Return the checkpoints, the newest first, each with what its name says."""
        found = [match for name in self.folder.names() if (match := _NAME.match(name))]
        found.sort(key=lambda match: (int(match[1]), match[2]), reverse=True)
        return [(match, self.folder / match[0]) for match in found]


def _refuse(misfit: Misfit, checkpoint: Checkpoint, where: str) -> None:
    complaint = misfit(checkpoint)
    if complaint:
        raise UnreadableError(f"{where}: {complaint}")


def encode(checkpoint: Checkpoint, where: str) -> bytes:
    """Return a checkpoint as safetensors, all but its tensors as JSON in the metadata.

    Raises UnreadableError where `decode` would not read it.
    """
    tensors = {name: each.detach().cpu().contiguous() for name, each in checkpoint.state.items()}
    header = _Header(history=checkpoint.history, origin=checkpoint.origin)
    content = to_safetensors(tensors, {"bakeoff": header.model_dump_json()})
    _header_in(content, where)
    return content


def decode(content: bytes, where: str) -> Checkpoint:
    """Return what `encode` was given; raise UnreadableError where `content` is something else.

    The tensors are contiguous. Whether they are those of a given training is not known here.
    """
    header = _header_in(content, where)
    tensors = from_safetensors(content, where, _LARGEST_HEADER)
    return Checkpoint(header.history, header.origin, tensors)


def _header_in(content: bytes, where: str) -> _Header:
    """Return the header of a checkpoint; raise UnreadableError where no training can have it."""
    try:
        document = header_of(content, where, _LARGEST_HEADER)["__metadata__"]["bakeoff"].encode()
        parse_json(document, where)
        header = _Header.model_validate_json(document, strict=True)
        if not _possible(header.history, header.origin):
            raise ValueError("impossible")
    except (KeyError, TypeError, AttributeError, ValueError, UnreadableError) as error:
        raise UnreadableError(f"{where}: not a checkpoint of this version") from error
    return header


def _possible(history: Sequence[Epoch], origin: Provenance) -> bool:
    """Return whether any training can have had this history and this origin."""
    datetime.fromisoformat(origin.started)
    texts = _texts(origin.model_dump())
    resumed = [resume.epoch for resume in origin.resumed]
    return (
        impossible_history(history) is None
        and all(text == visible(text) and len(text) <= _LONGEST for text in texts)
        and resumed == sorted(resumed)
        and all(1 <= epoch <= len(history) for epoch in resumed)
        and origin.threads >= 1
        and origin.stacked == 1
    )


def _texts(value: Any) -> Iterator[str]:
    match value:
        case str():
            yield value
        case dict():
            yield from _texts([*value, *value.values()])
        case list() | tuple():
            for part in value:
                yield from _texts(part)
