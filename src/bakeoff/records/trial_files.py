"""The files of a finished trial: as bytes, and read back, each compared with the manifest.

What could not be read back is not written: `files_of` hands its bytes to the very readers.
"""

from __future__ import annotations

from collections.abc import Mapping
from pathlib import Path
from typing import TYPE_CHECKING, Any

import numpy as np
from numpy.typing import NDArray
from pydantic import ValidationError

from bakeoff.errors import StoreError, UnreadableError
from bakeoff.files.arrays import from_npz, to_npz
from bakeoff.files.reading import parse_json
from bakeoff.records.limits import LARGEST_ARRAYS, LARGEST_RECORD
from bakeoff.records.manifest import MANIFEST, manifest_of, read_listed
from bakeoff.records.record import FORMAT, Record

if TYPE_CHECKING:
    import torch

RECORD = "record.json"
WEIGHTS = "model.safetensors"
PREDICTIONS = "predictions.npz"
_LARGEST = {RECORD: LARGEST_RECORD, WEIGHTS: LARGEST_ARRAYS, PREDICTIONS: LARGEST_ARRAYS}
_PREDICTED = (
    "validation_index", "validation_logits", "validation_labels", "test_logits", "test_labels",
)  # fmt: skip


def files_of(
    record: Record,
    weights: Mapping[str, torch.Tensor],
    predictions: Mapping[str, NDArray[Any]],
    trial: Path,
) -> dict[str, bytes]:
    """Return the content of a trial's files by name, the manifest last.

    trial: where they shall be. Raises BakeoffError, naming the file, where one could not be read
    back.
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
    _record(files[RECORD], trial / RECORD)
    from_safetensors(files[WEIGHTS], str(trial / WEIGHTS))
    if predictions:
        _predictions(files[PREDICTIONS], trial / PREDICTIONS)
    return files | {MANIFEST: manifest_of(files)}


def read_record(trial: Path) -> Record:
    """Return the record in the folder of a trial; raise StoreError, naming the file, if damaged."""
    return _record(_listed(trial / RECORD), trial / RECORD)


def read_weights(trial: Path) -> bytes:
    """Return the bytes of `model.safetensors` in the folder of a trial."""
    return _listed(trial / WEIGHTS)


def read_predictions(trial: Path) -> dict[str, NDArray[Any]]:
    """Return the arrays of `predictions.npz` in the folder of a complete trial."""
    return _predictions(_listed(trial / PREDICTIONS), trial / PREDICTIONS)


def check_arrays(trial: Path, record: Record) -> None:
    """Compare weights and predictions with the manifest; raise DamagedError where one differs."""
    for name in (WEIGHTS, PREDICTIONS) if record.complete else (WEIGHTS,):
        _listed(trial / name)


def _listed(file: Path) -> bytes:
    return read_listed(file, _LARGEST[file.name])


def _record(content: bytes, file: Path) -> Record:
    try:
        parse_json(content, str(file))
        record = Record.model_validate_json(content)
    except (ValidationError, UnreadableError) as error:
        reason = _reason(error).removeprefix(f"{file}: ")
        raise StoreError(f"{file}: not a record of this version ({reason})") from error
    if record.format != FORMAT:
        raise StoreError(f"{file}: format {record.format}, this bakeoff reads {FORMAT}")
    return record


def _reason(error: ValidationError | UnreadableError) -> str:
    """Return what is wrong with a record: its key, where it has keys."""
    if isinstance(error, UnreadableError):
        return str(error)
    return ".".join(str(step) for step in error.errors()[0]["loc"]) or "not a JSON object"


def _predictions(content: bytes, file: Path) -> dict[str, NDArray[Any]]:
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
