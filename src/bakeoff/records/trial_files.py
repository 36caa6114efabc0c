"""The files of a finished trial: as bytes, and read back, each compared with the manifest."""

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
from bakeoff.records.manifest import MANIFEST, manifest_of, read_listed
from bakeoff.records.record import FORMAT, Record

if TYPE_CHECKING:
    import torch

RECORD = "record.json"
WEIGHTS = "model.safetensors"
PREDICTIONS = "predictions.npz"
_LARGEST_RECORD = 4_000_000  # Bytes: one of ten thousand epochs has half of it.
_LARGEST_ARRAYS = 2**30
_PREDICTED = (
    "validation_index", "validation_logits", "validation_labels", "test_logits", "test_labels",
)  # fmt: skip


def files_of(
    record: Record,
    weights: Mapping[str, torch.Tensor],
    predictions: Mapping[str, NDArray[Any]],
) -> dict[str, bytes]:
    """Return the content of a trial's files by name, the manifest last."""
    # Who writes a trial has torch; who reads one to compare it should not wait for it.
    from bakeoff.files.tensors import to_safetensors

    files = {
        RECORD: (record.model_dump_json(indent=1) + "\n").encode(),
        WEIGHTS: to_safetensors(weights),
    }
    if predictions:
        files[PREDICTIONS] = to_npz(predictions)
    return files | {MANIFEST: manifest_of(files)}


def read_record(trial: Path) -> Record:
    """Return the record in the folder of a trial; raise StoreError, naming the file, if damaged."""
    file = trial / RECORD
    content = read_listed(file, _LARGEST_RECORD)
    try:
        parse_json(content, str(file))
        record = Record.model_validate_json(content)
    except (ValidationError, UnreadableError) as error:
        raise StoreError(f"{file}: not a record of this version ({_place(error)})") from error
    if record.format != FORMAT:
        raise StoreError(f"{file}: format {record.format}, this bakeoff reads {FORMAT}")
    return record


def read_weights(trial: Path) -> bytes:
    """Return the bytes of `model.safetensors` in the folder of a trial."""
    return read_listed(trial / WEIGHTS, _LARGEST_ARRAYS)


def read_predictions(trial: Path) -> dict[str, NDArray[Any]]:
    """Return the arrays of `predictions.npz` in the folder of a complete trial."""
    file = trial / PREDICTIONS
    content = read_listed(file, _LARGEST_ARRAYS)
    try:
        found = from_npz(content, _PREDICTED, str(file))
    except UnreadableError as error:
        raise StoreError(f"{file}: not the predictions of a trial") from error
    if not _fit_each_other(found):
        raise StoreError(f"{file}: not the predictions of a trial")
    return found


def check_arrays(trial: Path, record: Record) -> None:
    """Compare weights and predictions with the manifest; raise DamagedError where one differs."""
    for name in (WEIGHTS, PREDICTIONS) if record.complete else (WEIGHTS,):
        read_listed(trial / name, _LARGEST_ARRAYS)


def _place(error: ValidationError | UnreadableError) -> str:
    """Return the key of a record that is not what it must be."""
    if isinstance(error, UnreadableError):
        return ""
    return ".".join(str(step) for step in error.errors()[0]["loc"])


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
