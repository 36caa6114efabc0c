"""A table of answers as Parquet; pyarrow, which reads it, is an extra."""

from __future__ import annotations

from pathlib import Path

from bakeoff.errors import DataError
from bakeoff.records.predictions.json_table import Entries


def entries_of(file: Path) -> Entries:
    """Return the rows of a Parquet file, counted from 1."""
    try:
        from pyarrow import lib, parquet
    except ImportError as error:
        raise DataError(
            f'{file}: to read Parquet, install pyarrow: pip install "bakeoff[parquet]"'
        ) from error
    try:
        table = parquet.read_table(file)
    except (OSError, lib.ArrowException) as error:
        raise DataError(f"{file}: damaged, or no Parquet file; get the file again") from error
    rows = table.to_pylist()
    if not rows:
        raise DataError(f"{file}: no rows; give predictions")
    return rows, list(range(1, len(rows) + 1))
