"""Bare arrays of answers, npy or npz: whose rows have no names but their places."""

from __future__ import annotations

from collections.abc import Sequence
from pathlib import Path
from typing import Any

import numpy as np
from numpy.typing import NDArray

from bakeoff.data.readers.npz import array_of_npy, arrays_of_archive
from bakeoff.errors import DataError
from bakeoff.records.predictions.answers import form_of, probabilities_of, ties_in
from bakeoff.records.predictions.block import Block
from bakeoff.records.predictions.names import Names
from bakeoff.records.predictions.roles import JUDGED, LABEL, PREDICTED, Asked
from bakeoff.records.predictions.table import plain
from bakeoff.text import counted

_SCORES = (
    "probabilities", "probs", "proba", "prob", "logits", "test_logits", "y_score", "y_prob",
    "y_proba", "outputs", "log_probabilities",
)  # fmt: skip
_LABELS = (*LABEL, "test_labels", "y_test")
_ITEMS = ("items", "item", "ids", "id", "names", "item_ids")


def read_arrays(file: Path, asked: Asked) -> Block:
    """Return the rows of an npy or npz: [items], [seeds, items] or [(seeds,) items, classes].

    Whole numbers, texts and numbers of one column are answers; float [items, classes] are scores of
    classes. Raises DataError, naming file and array.
    """
    arrays = _arrays(file)
    labels = _one(arrays, _LABELS, file) if len(arrays) > 1 else None
    items = _one(arrays, _ITEMS, file) if len(arrays) > 1 else None
    key = _answers_in(file, [key for key in arrays if key not in (labels, items)], asked)
    values = arrays[key].whole()
    where = f"{file}: {key}" if file.suffix == ".npz" else str(file)
    scores_of_classes = values.dtype.kind == "f" and values.ndim > 1
    if values.dtype.kind not in "biufU" or values.ndim not in (1, 2, 3):
        raise DataError(
            f"{where}: {values.dtype} {list(values.shape)}; give classes [items], or scores "
            "[items, classes]"
        )
    if values.dtype.kind == "f" and not np.isfinite(values).all():
        at = [int(each) for each in np.argwhere(~np.isfinite(values))[0]]
        raise DataError(f"{where}: {values[tuple(at)]} at {at} is no finite number; mend it")
    judged = plain(key) in JUDGED or asked.score is not None
    if judged and values.ndim <= 2:
        return _judged(file, asked.score or key, values)
    if scores_of_classes:
        return _scores_of_classes(file, where, values, _beside(arrays, labels, items))
    if values.ndim == 3:
        raise DataError(f"{where}: {values.dtype} {list(values.shape)}; give scores as floats")
    if values.dtype.kind == "f" and (values != np.round(values)).any():
        raise DataError(
            f"{where}: numbers with a fraction, which may be scores or probabilities of one class; "
            "call the array score in an npz, say --score NAME, or give [items, classes]"
        )
    rows, seeds = _runs(values)
    item, label = _beside(arrays, labels, items)
    return Block(
        file, "entry", rows, f"array {list(values.shape)} of classes",
        item=_tiled(item, seeds), seed=_seed_names(values), label=_tiled(label, seeds),
        predicted=names_of(values.reshape(-1)),
    )  # fmt: skip


def read_label_array(file: Path) -> Block:
    """Return the true labels of an npy or npz, by position."""
    arrays = _arrays(file)
    key = _one(arrays, _LABELS, file) or next(iter(arrays))
    values = arrays[key].whole()
    if values.ndim == 2 and 1 in values.shape:
        values = values.reshape(-1)
    if values.ndim != 1 or values.dtype.kind not in "biuU":
        raise DataError(
            f"{file}: {key} is {values.dtype} {list(values.shape)}; give a class for each item"
        )
    items = _one(arrays, _ITEMS, file) if len(arrays) > 1 else None
    return Block(
        file, "entry", np.arange(len(values)), f"labels from {file.name}",
        item=names_of(arrays[items].whole()) if items else None, label=names_of(values),
    )  # fmt: skip


def names_of(values: NDArray[Any]) -> Names:
    """Return an array of whole numbers or texts as texts."""
    if values.dtype.kind == "U":
        return Names.of(values.tolist())
    found, codes = np.unique(values.astype(np.int64), return_inverse=True)
    return Names(codes.astype(np.int32), tuple(str(each) for each in found.tolist()))


def _arrays(file: Path) -> dict[str, Any]:
    if file.suffix.lower() == ".npy":
        return {file.stem: array_of_npy(file)}
    arrays: dict[str, Any] = dict(arrays_of_archive(file))
    if not arrays:
        raise DataError(f"{file}: holds no array; give one of answers")
    return arrays


def _one(arrays: dict[str, Any], names: Sequence[str], file: Path) -> str | None:
    found = [key for key in arrays if plain(key) in names]
    if len(found) > 1:
        raise DataError(f"{file}: {' and '.join(found)} may both be it; keep one")
    return found[0] if found else None


def _answers_in(file: Path, keys: Sequence[str], asked: Asked) -> str:
    wanted = asked.columns.get("predicted") or asked.score
    if wanted in keys:
        return str(wanted)
    for names in (JUDGED, _SCORES, PREDICTED):
        found = [key for key in keys if plain(key) in names]
        if len(found) > 1:
            raise DataError(
                f"{file}: {' and '.join(found)} may each be the answers; "
                f"say --columns predicted={found[0]}"
            )
        if found:
            return found[0]
    if len(keys) == 1:
        return keys[0]
    raise DataError(
        f"{file}: which of {', '.join(keys)} are the answers? say --columns predicted=NAME"
    )


def _beside(
    arrays: dict[str, Any], labels: str | None, items: str | None
) -> tuple[Names | None, Names | None]:
    """Return names and true labels of the items that lie in the same file."""
    item, label = (names_of(arrays[key].whole()) if key else None for key in (items, labels))
    return item, label


def _runs(values: NDArray[Any]) -> tuple[NDArray[np.int64], int]:
    """Return the number of each row within its run, and how many runs there are."""
    seeds = len(values) if values.ndim == 2 else 1
    return np.tile(np.arange(values.shape[-1]), seeds), seeds


def _seed_names(values: NDArray[Any]) -> Names | None:
    if values.ndim == 1:
        return None
    seeds, items = values.shape[:2]
    codes = np.repeat(np.arange(seeds, dtype=np.int32), items)
    return Names(codes, tuple(str(each) for each in range(seeds)))


def _tiled(names: Names | None, seeds: int) -> Names | None:
    return names and Names(np.tile(names.codes, seeds), names.values)


def _judged(file: Path, name: str, values: NDArray[Any]) -> Block:
    rows, _ = _runs(values)
    flat = values.reshape(-1)
    right = flat.dtype.kind == "b" or (flat.dtype.kind in "iu" and set(np.unique(flat)) <= {0, 1})
    return Block(
        file, "entry", rows, f"array {list(values.shape)} of {name}",
        seed=_seed_names(values), score=name,
        scores=flat.astype(np.bool_) if right else flat.astype(np.float64),
    )  # fmt: skip


def _scores_of_classes(
    file: Path, where: str, values: NDArray[Any], beside: tuple[Names | None, Names | None]
) -> Block:
    seeds = len(values) if values.ndim == 3 else 1
    raw = values.reshape(-1, values.shape[-1]).astype(np.float64)
    per_run = len(raw) // seeds
    form = form_of(raw, lambda row: f"{where}[{row}]")
    ties = ties_in(raw)
    how = f"{counted(ties, 'row')} with a tie, where the first class counts" if ties else ""
    item, label = (_tiled(names, seeds) for names in beside)
    return Block(
        file, "entry", np.tile(np.arange(per_run), seeds),
        f"array {list(values.shape)} of {form}" + (f"; {how}" if how else ""),
        item=item, label=label, seed=_seed_names(values) if values.ndim == 3 else None,
        probabilities=probabilities_of(raw, form),
        classes=tuple(str(each) for each in range(raw.shape[1])),
        first_class=raw.argmax(axis=1),
    )  # fmt: skip
