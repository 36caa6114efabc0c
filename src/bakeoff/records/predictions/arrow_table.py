"""Large tables as text, read by pyarrow where it is installed: the same rows, sooner."""

from __future__ import annotations

from collections.abc import Sequence
from concurrent.futures import ThreadPoolExecutor
from typing import Any

import numpy as np

from bakeoff.files.reading import open_file
from bakeoff.records.predictions.names import Names
from bakeoff.records.predictions.table import Sheet, Table, cell

_PIECE = 8 << 20


def read_quickly(
    sheet: Sheet, texts: Sequence[str], numbers: Sequence[str], item: str | None
) -> Table | None:
    """Return these columns; None where pyarrow is not there, or does not take the table as it is.

    Whoever called reads it row by row then, and can name the row that is bad.
    """
    try:
        import pyarrow as pa
        from pyarrow import csv
    except ImportError:
        return None
    kinds: dict[str, Any] = dict.fromkeys(texts, pa.string())
    kinds |= dict.fromkeys(numbers, pa.float64())
    try:
        table = csv.read_csv(
            sheet.file,
            read_options=csv.ReadOptions(
                column_names=list(sheet.header), skip_rows=int(sheet.has_header), block_size=_PIECE
            ),
            parse_options=csv.ParseOptions(delimiter=sheet.separator, newlines_in_values=False),
            convert_options=csv.ConvertOptions(
                column_types=kinds,
                include_columns=[*texts, *numbers],
                strings_can_be_null=False,
                null_values=[],
            ),
        )
    except (pa.ArrowException, OSError):
        return None
    first = 1 + int(sheet.has_header)
    values = {name: table[name].to_numpy() for name in numbers}
    if _lines_in(sheet) != table.num_rows + first - 1 or not all(
        np.isfinite(each).all() for each in values.values()
    ):
        return None  # Blank lines, or what is no number: row by row one knows where.
    with ThreadPoolExecutor() as pool:  # pyarrow lets others run meanwhile.
        names = list(pool.map(_names, [table[name] for name in texts]))
    return Table(
        sheet.file,
        sheet.header,
        dict(zip(texts, names, strict=True)),
        values,
        np.arange(first, first + table.num_rows),
        item=item,
    )


def _names(column: Any) -> Names:
    encoded = column.dictionary_encode().combine_chunks()
    codes = encoded.indices.to_numpy(zero_copy_only=False).astype(np.int32, copy=False)
    return Names(codes, tuple(encoded.dictionary.to_pylist())).mapped(cell)


def _lines_in(sheet: Sheet) -> int:
    """Return the number of lines, counted as editors do."""
    number, last = 0, b"\n"
    with open_file(sheet.file) as stream:
        while piece := stream.read(_PIECE):
            number += piece.count(b"\n")
            last = piece[-1:]
    return number + (last != b"\n")
