"""The way from paths to predictions."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import replace
from pathlib import Path
from typing import Any

from bakeoff.errors import DataError, UnreadableError
from bakeoff.records.predictions.block import Block
from bakeoff.records.predictions.files import (
    ARRAYS,
    DOCUMENTS,
    LINES,
    PARQUET,
    Source,
    is_run_folder,
    sources_of,
)
from bakeoff.records.predictions.join import join
from bakeoff.records.predictions.predictions import Predictions
from bakeoff.records.predictions.roles import Asked
from bakeoff.records.predictions.tables import block_of, read_labels_table, read_text


def read_predictions(
    paths: Sequence[Path],
    *,
    labels: Path | None = None,
    columns: Mapping[str, str] | None = None,
    score: str | None = None,
    task: str | None = None,
    group: str | None = None,
    intersect: bool = False,
) -> Predictions:
    """Return the predictions that files and folders hold.

    Args:
        paths: files of predictions, folders of them, run folders.
        labels: a file of true labels, by name of the items or, without names, by position.
        columns: role (entrant, seed, item, label, predicted, score, group) -> column.
        score: which stored judgement to take, where there are several.
        task: which task, where there are several.
        group: a column that says what items belong together.
        intersect: leave out items that not every run answers, instead of refusing.

    Raises:
        UsageError: an option that names what is not there.
        DataError: what cannot be read or paired, or may be read in two ways; one line that names
            file, row and item.

    """
    try:
        sources, beside = sources_of([Path(path) for path in paths])
        truth = _labels(labels or beside, columns or {}, group)
        asked = Asked(columns or {}, score, group, labelled=truth is not None)
        blocks = [
            (block, source.entrant, source.seed)
            for source in _of_task(sources, task)
            for block in _blocks(source, asked, task)
        ]
        return join(blocks, truth, intersect=intersect)
    except UnreadableError as error:
        raise DataError(f"{error}; give a file that can be read") from error


def _labels(file: Path | None, columns: Mapping[str, str], group: str | None) -> Block | None:
    if file is None:
        return None
    if file.suffix.lower() in ARRAYS:
        from bakeoff.records.predictions.arrays import read_label_array

        return read_label_array(file)
    return read_labels_table(file, columns.get("label"), group)


def _of_task(sources: Sequence[Source], task: str | None) -> list[Source]:
    """Return the files of one task, where files of samples are of several."""
    from bakeoff.records.predictions.logs import task_of

    tasks = {source.file: task_of(source.file) for source in sources if source.file.suffix in LINES}
    told = sorted({each for each in tasks.values() if each})
    if len(told) < 2:
        return _named_by_folder(sources, tasks)
    if task not in told:
        raise DataError(
            f"{next(iter(tasks)).parent}: samples of {len(told)} tasks ({', '.join(told[:6])}); "
            f"choose one by --task {told[0]}"
        )
    return _named_by_folder([each for each in sources if tasks.get(each.file) == task], tasks)


def _named_by_folder(sources: Sequence[Source], tasks: Mapping[Path, str | None]) -> list[Source]:
    """Return samples of one task called after the folder that they lie in: that of the model."""
    names = [
        source.file.resolve().parent.name if tasks.get(source.file) else source.entrant
        for source in sources
    ]
    if len(set(names)) < len(names):
        return list(sources)
    return [replace(each, entrant=name) for each, name in zip(sources, names, strict=True)]


def _blocks(source: Source, asked: Asked, task: str | None) -> list[Block]:
    file, kind = source.file, source.file.suffix.lower()
    if is_run_folder(file):
        from bakeoff.records.predictions.run_folder import read_run_folder

        return read_run_folder(file)
    if kind in ARRAYS:
        from bakeoff.records.predictions.arrays import read_arrays

        return [read_arrays(file, asked)]
    if kind in (*LINES, *DOCUMENTS, *PARQUET):
        return [_structured(file, kind, asked, task)]
    return [read_text(file, asked)]


def _structured(file: Path, kind: str, asked: Asked, task: str | None) -> Block:
    from bakeoff.records.predictions import logs
    from bakeoff.records.predictions.json_table import document_of, objects_of_lines, table_of

    if kind in PARQUET:
        from bakeoff.records.predictions.parquet_table import entries_of

        return block_of(*table_of(file, entries_of(file), asked, "row"), "Parquet")
    if kind in LINES:
        entries = objects_of_lines(file)
        if logs.is_harness_lines(entries[0][0]):
            return logs.read_harness(file, entries, asked, task)
        return block_of(*table_of(file, entries, asked, "line"), "JSON lines")
    document = logs.inspect_document(file) if kind == ".eval" else document_of(file)
    if logs.is_inspect(document):
        return logs.read_inspect(file, document, asked)
    if not (isinstance(document, list) and document and all(map(_is_object, document))):
        raise DataError(f"{file}: no list of objects, and no log that is known; give predictions")
    return _listed(file, document, asked, task)


def _is_object(value: object) -> bool:
    return isinstance(value, dict)


def _listed(file: Path, document: list[Mapping[str, Any]], asked: Asked, task: str | None) -> Block:
    """Return the rows of a list of objects."""
    from bakeoff.records.predictions import logs
    from bakeoff.records.predictions.json_table import table_of

    if logs.is_helm(document):
        return logs.read_helm(file, document, asked)
    entries = (document, list(range(1, len(document) + 1)))
    if logs.is_harness_lines(document[0]):
        return logs.read_harness(file, entries, asked, task)
    return block_of(*table_of(file, entries, asked, "entry"), "JSON")
