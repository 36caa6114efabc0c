"""Checkpoints of an unfinished trial as files: the newest two, checked when written and read."""

from __future__ import annotations

import errno
import hashlib
import math
import re
import time
from collections.abc import Callable, Iterator, Mapping
from contextlib import suppress
from dataclasses import dataclass
from datetime import datetime
from pathlib import Path
from typing import Any, Literal

import torch

from bakeoff.errors import StoreError, UnreadableError
from bakeoff.files.place import Place
from bakeoff.files.reading import parse_json
from bakeoff.files.tensors import from_safetensors, header_of, to_safetensors
from bakeoff.records.contradictions import impossible_history, unmeasured
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

_SOONEST, _LATEST, _COSTS = 0.2, 240.0, 50
"""Seconds from one checkpoint to when the next is due, and how many times what the last one took:
what is lost by a kill stays small, and so does what checkpoints take of a training. It is never
longer than the training has lasted in this process: who is killed early is killed early again, and
has to get on all the same."""

# The digest of the whole file is its name: one rename then brings both, and not a byte of the file
# is left unchecked.
_NAME = re.compile(r"^epoch-(\d{4,})(?:-step-(\d{6,}))?-([0-9a-f]{64})\.safetensors$")


class Begun(Part):
    """What is known of an epoch that is not over."""

    steps: int
    """That are done; one at least."""
    seconds: float
    """Wall seconds that these took, as `processor_seconds` and `others` as in `Epoch`."""
    processor_seconds: float
    others: float | None


@dataclass(frozen=True)
class Checkpoint:
    """A training as it stood after the last epoch of its history, or in the one after that."""

    history: tuple[Epoch, ...]
    origin: Provenance
    """Of the process that wrote it."""
    state: Mapping[str, torch.Tensor]
    """All that moves, by name; within an epoch also `losses`, of its steps so far, [steps], and
    `draws.NAME`, where each stream of random numbers stands."""
    begun: Begun | None = None
    """None between two epochs."""

    @property
    def stands(self) -> tuple[int, int]:
        """How many epochs are done, and how many steps of the next."""
        return len(self.history), self.begun.steps if self.begun else 0


class _Header(Part):
    """All of a checkpoint but its tensors."""

    format: Literal[2] = 2
    """Raised when what is kept changes its meaning."""
    history: tuple[Epoch, ...]
    origin: Provenance
    begun: Begun | None = None


Misfit = Callable[[Checkpoint], str | None]
"""Says why its trial cannot have left a checkpoint, where it can't."""


class Checkpoints:
    """The checkpoints of one trial: files in a folder that belongs to the holder of its lock."""

    def __init__(self, folder: Place, say: Callable[[str], None]) -> None:
        self.folder = folder
        self._say = say
        self._began: float | None = None
        self._due = math.inf

    def due(self) -> bool:
        """Return whether it is time for one; asked after each step, as epochs may be long."""
        now = time.monotonic()
        if self._began is None:  # Asked for the first time, the training has just begun.
            self._began, self._due = now, now + _SOONEST
        return now >= self._due

    def write(self, checkpoint: Checkpoint, misfit: Misfit = lambda checkpoint: None) -> None:
        """Write it, and then remove all but the newest two. Raises StoreError.

        One that `newest` would not go on from is not written, and that is said: the training can
        end without it.
        """
        began = time.monotonic()
        self._write(checkpoint, misfit)
        ended = time.monotonic()
        self._began = began if self._began is None else self._began
        longest = min(_LATEST, ended - self._began)
        self._due = ended + max(_SOONEST, min(_COSTS * (ended - began), longest))

    def _write(self, checkpoint: Checkpoint, misfit: Misfit) -> None:
        epoch, steps = checkpoint.stands
        try:
            content = encode(checkpoint, str(self.folder))
            _refuse(misfit, checkpoint, str(self.folder))
        except UnreadableError as error:
            within = f", step {steps}" if steps else ""
            self._say(f"{error}; no checkpoint is left of epoch {epoch + bool(steps)}{within}")
            return
        within = f"-step-{steps:06d}" if steps else ""
        digest = hashlib.sha256(content).hexdigest()
        self.keep(f"epoch-{epoch:04d}{within}-{digest}.safetensors", content)

    def keep(self, name: str, content: bytes) -> None:
        """Write one that was encoded, and then remove all but the newest two. Raises StoreError."""
        file = self.folder / name
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
                if hashlib.sha256(content).hexdigest() != match[3]:
                    raise UnreadableError(
                        f"{file}: damaged, its SHA-256 is not the one in its name"
                    )
                found = decode(content, str(file))
                if found.stands != _counts(match):
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

    def files(self) -> dict[str, bytes]:
        """Return the files of those that are there, by their names, unread. Raises BakeoffError."""
        return {file.name: file.read(_LARGEST) for _, file in self._files()}

    def _files(self) -> list[tuple[re.Match[str], Place]]:
        """Return the checkpoints, the newest first, each with what its name says."""
        found = [match for name in self.folder.names() if (match := _NAME.match(name))]
        found.sort(key=lambda match: (_counts(match), match[3]), reverse=True)
        return [(match, self.folder / match[0]) for match in found]


def history_in(folder: Place) -> tuple[Epoch, ...]:
    """Return the epochs that the newest checkpoint of a folder counts; none where it has none.

    For who watches a training of somebody else's: its header alone is read, and nothing is moved.
    """
    for _, file in Checkpoints(folder, lambda text: None)._files():  # noqa: SLF001
        with suppress(UnreadableError, StoreError):
            return _header_in(file.read_beginning(8 + _LARGEST_HEADER), str(file)).history
    return ()


def _counts(name: re.Match[str]) -> tuple[int, int]:
    """Return how many epochs, and steps of the next, the name of a checkpoint counts."""
    return int(name[1]), int(name[2] or 0)


def _refuse(misfit: Misfit, checkpoint: Checkpoint, where: str) -> None:
    complaint = misfit(checkpoint)
    if complaint:
        raise UnreadableError(f"{where}: {complaint}")


def encode(checkpoint: Checkpoint, where: str) -> bytes:
    """Return a checkpoint as safetensors, all but its tensors as JSON in the metadata.

    Raises UnreadableError where `decode` would not read it.
    """
    tensors = {name: each.detach().cpu().contiguous() for name, each in checkpoint.state.items()}
    header = _Header(history=checkpoint.history, origin=checkpoint.origin, begun=checkpoint.begun)
    content = to_safetensors(tensors, {"bakeoff": header.model_dump_json()})
    _header_in(content, where)
    return content


def decode(content: bytes, where: str) -> Checkpoint:
    """Return what `encode` was given; raise UnreadableError where `content` is something else.

    The tensors are contiguous. Whether they are those of a given training is not known here.
    """
    header = _header_in(content, where)
    tensors = from_safetensors(content, where, _LARGEST_HEADER)
    return Checkpoint(header.history, header.origin, tensors, header.begun)


def _header_in(content: bytes, where: str) -> _Header:
    """Return the header of a checkpoint; raise UnreadableError where no training can have it."""
    try:
        document = header_of(content, where, _LARGEST_HEADER)["__metadata__"]["bakeoff"].encode()
        parse_json(document, where)
        header = _Header.model_validate_json(document, strict=True)
        if not _possible(header):
            raise ValueError("impossible")
    except (KeyError, TypeError, AttributeError, ValueError, UnreadableError) as error:
        raise UnreadableError(f"{where}: not a checkpoint of this version") from error
    return header


def _possible(header: _Header) -> bool:
    """Return whether any training can have had this history and this origin."""
    history, origin, begun = header.history, header.origin, header.begun
    datetime.fromisoformat(origin.started)
    texts = _texts(origin.model_dump())
    resumed = [resume.epoch for resume in origin.resumed]
    return (
        impossible_history(history) is None
        and (begun is None or _possible_part(begun))
        and all(text == visible(text) and len(text) <= _LONGEST for text in texts)
        and resumed == sorted(resumed)
        and all(1 <= epoch <= len(history) + (begun is not None) for epoch in resumed)
        and origin.threads >= 1
        and origin.stacked == 1
    )


def _possible_part(begun: Begun) -> bool:
    return begun.steps >= 1 and unmeasured(begun.model_dump()) is None and (begun.others or 0) <= 1


def _texts(value: Any) -> Iterator[str]:
    match value:
        case str():
            yield value
        case dict():
            yield from _texts([*value, *value.values()])
        case list() | tuple():
            for part in value:
                yield from _texts(part)
