"""The files of a finished trial: as bytes, and read back, each compared with the manifest.

The manifest has the length and SHA-256 of each file, and a seal. What could not be read back is not
written: `files_of` hands its bytes to the very readers.
"""

from __future__ import annotations

import errno
import hashlib
from collections.abc import Mapping
from typing import TYPE_CHECKING, Any

import numpy as np
from numpy.typing import NDArray
from pydantic import ValidationError

from bakeoff.errors import DamagedError, StoreError, UnreadableError
from bakeoff.files.arrays import from_npz, to_npz
from bakeoff.files.place import Place
from bakeoff.files.reading import parse_json, sealed, unsealed
from bakeoff.records.contradictions import misfit
from bakeoff.records.limits import LARGEST_ARRAYS, LARGEST_RECORD
from bakeoff.records.record import FORMAT, Record

if TYPE_CHECKING:
    import torch

RECORD = "record.json"
WEIGHTS = "model.safetensors"
PREDICTIONS = "predictions.npz"
MANIFEST = "manifest.json"
_LARGEST = {
    RECORD: LARGEST_RECORD,
    WEIGHTS: LARGEST_ARRAYS,
    PREDICTIONS: LARGEST_ARRAYS,
    MANIFEST: 64_000,  # Of three files it has 600.
}
_PREDICTED = (
    "validation_index", "validation_logits", "validation_labels", "test_logits", "test_labels",
)  # fmt: skip
_GONE = {errno.ENOENT, errno.ENOTDIR, errno.EISDIR, errno.ELOOP}
"""What the system says where something else stands in a file's place."""


def files_of(
    record: Record,
    weights: Mapping[str, torch.Tensor],
    predictions: Mapping[str, NDArray[Any]],
    trial: Place,
) -> dict[str, bytes]:
    """Return the content of a trial's files by name, the manifest last.

    trial: where they shall be. Raises BakeoffError, naming the file, where one could not be read
    back, or where weights or predictions are not those that the record speaks of.
    """
    # Who writes a trial has torch; who reads one to compare it should not wait for it.
    from bakeoff.files.tensors import from_safetensors, to_safetensors

    files = {
        RECORD: (record.model_dump_json(indent=1) + "\n").encode(),
        WEIGHTS: to_safetensors(weights),
    }
    if predictions:
        files[PREDICTIONS] = to_npz(predictions)
    for name, content in files.items():
        most = _LARGEST[name]
        if len(content) > most:
            raise StoreError(f"{trial / name}: {len(content):,} bytes, at most {most:,} are read")
    record_in(files[RECORD], trial / RECORD)
    from_safetensors(files[WEIGHTS], str(trial / WEIGHTS))
    if predictions:
        predictions_in(files[PREDICTIONS], trial / PREDICTIONS)
    if record.complete:
        numbers = sum(each.numel() for each in weights.values())
        if numbers < record.parameters:
            raise StoreError(
                f"{trial / WEIGHTS}: not written: {numbers:,} weights of {record.parameters:,}"
            )
        if complaint := misfit(record, predictions):
            raise StoreError(f"{trial / PREDICTIONS}: not written: {complaint}")
    return files | {MANIFEST: manifest_of(files)}


def manifest_of(files: Mapping[str, bytes]) -> bytes:
    """Return the manifest of files that lie beside it."""
    return sealed(
        {
            "bytes": {name: len(content) for name, content in files.items()},
            "sha256": {name: hashlib.sha256(each).hexdigest() for name, each in files.items()},
        }
    )


def read_listed(file: Place) -> bytes:
    """Return the bytes of a file of a trial, after comparing them with the manifest beside it.

    A file that has another length than the manifest says, or more bytes than its kind may have, is
    not even read. Raises DamagedError, or StoreError where the file cannot be read at all.
    """
    try:
        size, digest = _listed(file)
        if size > _LARGEST[file.name]:
            raise UnreadableError(
                f"{file}: {size:,} bytes, at most {_LARGEST[file.name]:,} are read"
            )
        content = file.read(size)
        if hashlib.sha256(content).hexdigest() != digest:
            raise UnreadableError(f"{file}: damaged, its SHA-256 is not the manifest's")
    except UnreadableError as error:
        # The trial may be whole where it is the disk or a permission that is not.
        cause = error.__cause__
        if isinstance(cause, OSError) and cause.errno not in _GONE:
            raise StoreError(f"{error}; cannot read it now, run again when it can be") from error
        mend = f"move {file.parent} away and run again to train it anew"
        raise DamagedError(str(error), mend) from error
    return content


def _listed(file: Place) -> tuple[int, Any]:
    """Return the length and the SHA-256 that the manifest gives for a file."""
    manifest = file.parent / MANIFEST
    document = unsealed(manifest.read(_LARGEST[MANIFEST]), str(manifest))
    sizes, digests = document.get("bytes"), document.get("sha256")
    if not isinstance(sizes, dict) or not isinstance(digests, dict):
        raise UnreadableError(f"{manifest}: damaged, not a manifest")
    size, digest = sizes.get(file.name), digests.get(file.name)
    if size is None or digest is None:
        raise UnreadableError(f"{manifest}: does not list {file.name}")
    if not isinstance(size, int) or size < 0:
        raise UnreadableError(f"{manifest}: damaged, not a manifest")
    return size, digest


def record_in(content: bytes, file: Place) -> Record:
    """Return the record in the bytes of `record.json`; raise StoreError where there is none."""
    try:
        parse_json(content, str(file))
        record = Record.model_validate_json(content)
    except UnreadableError as error:
        reason = str(error).removeprefix(f"{file}: ")
        raise StoreError(f"{file}: not a record of this version ({reason})") from error
    except ValidationError as error:
        key = ".".join(str(step) for step in error.errors()[0]["loc"]) or "not a JSON object"
        raise StoreError(f"{file}: not a record of this version ({key})") from error
    if record.format != FORMAT:
        raise StoreError(f"{file}: format {record.format}, this bakeoff reads {FORMAT}")
    return record


def predictions_in(content: bytes, file: Place) -> dict[str, NDArray[Any]]:
    """Return the arrays in the bytes of `predictions.npz`; raise StoreError where they are none."""
    try:
        found = from_npz(content, _PREDICTED, str(file))
    except UnreadableError as error:
        raise StoreError(f"{file}: not the predictions of a trial") from error
    if not _fit_each_other(found):
        raise StoreError(f"{file}: not the predictions of a trial")
    return found


def _fit_each_other(found: Mapping[str, NDArray[Any]]) -> bool:
    """Return whether predictions are finite logits with an index and a label for each row."""
    shapes = {name: array.shape for name, array in found.items()}
    parts = [(found[f"{part}_logits"], found[f"{part}_labels"]) for part in ("validation", "test")]
    return shapes["validation_index"] == shapes["validation_labels"] and all(
        logits.dtype == np.float32
        and logits.ndim == 2
        and labels.dtype == np.int64
        and labels.shape == logits.shape[:1]
        and bool(np.isfinite(logits).all())
        for logits, labels in parts
    )
