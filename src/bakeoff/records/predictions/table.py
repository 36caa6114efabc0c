"""A table of answers as text: CSV, or TSV, with a header or without."""

from __future__ import annotations

import csv
import io
import itertools
import re
import unicodedata
from collections.abc import Collection, Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from pathlib import Path

import numpy as np
from numpy.typing import NDArray

from bakeoff.data.readers.text_table import fields_of
from bakeoff.errors import DataError
from bakeoff.files.reading import open_file
from bakeoff.records.predictions.names import Names
from bakeoff.text import shortened

_LONGEST_FIRST = 1 << 20
_LARGEST_FIELD = 1 << 24
"""Characters: an answer of a language model in a cell."""
_AT_ONCE = 50_000
_SEPARATORS = "\t,;|"
_LARGE = 32 << 20
"""Bytes from which on it is worth to start a library for it."""


@dataclass(frozen=True, eq=False)
class Table:
    """Rows of answers, and where each stands.

    Attributes:
        file: that holds them.
        header: what the columns are called; numbers from 1 where the file does not say.
        texts, numbers: the columns that were read, as texts or float64 [rows].
        lines: int64 [rows], the line of the file that each row begins on, counted from 1.
        line: what `lines` count: lines, or rows of a file without lines.
        item: the column of what rows are about, where there is one.

    """

    file: Path
    header: tuple[str, ...]
    texts: Mapping[str, Names]
    numbers: Mapping[str, NDArray[np.float64]]
    lines: NDArray[np.int64]
    line: str = "line"
    item: str | None = None

    def __len__(self) -> int:
        return len(self.lines)

    def at(self, row: int) -> str:
        """Return where a row stands: `a.csv: line 7 (img-005)`."""
        of_item = f" ({shortened(self.texts[self.item][row])})" if self.item else ""
        return f"{self.file}: {self.line} {self.lines[row]}{of_item}"


@dataclass(frozen=True)
class Sheet:
    """A table as text that is not read yet: what its columns are called, and its first rows."""

    file: Path
    separator: str
    header: tuple[str, ...]
    has_header: bool
    first: tuple[tuple[str, ...], ...] = field(repr=False)

    def read(
        self, texts: Sequence[str], numbers: Sequence[str] = (), item: str | None = None
    ) -> Table:
        """Return these columns; `item` is that of what rows are about.

        Raises DataError, naming file, line and item, for a row that is bad.
        """
        if self.file.stat().st_size >= _LARGE:
            from bakeoff.records.predictions.arrow_table import read_quickly

            found = read_quickly(self, texts, numbers, item)
            if found is not None:
                return found
            # A row that is bad is named before minutes go by.
            for _ in _chunks(self):
                pass
        return _read_rows(self, texts, numbers, item)


def sheet_of(file: Path, known: Collection[str]) -> Sheet:
    """Return how a table is written.

    known: names of columns, in small letters; a first line with any of them is a header.
    """
    with open_file(file) as stream:
        beginning = stream.read(_LONGEST_FIRST)
    if not beginning.strip():
        raise DataError(f"{file}: empty; give a table of predictions")
    if beginning.startswith((b"\xff\xfe", b"\xfe\xff")) or b"\0" in beginning:
        raise DataError(f"{file}: not text in UTF-8; save it as CSV in UTF-8")
    if beginning.lstrip().startswith((b"<!", b"<html", b"<?xml")):
        raise DataError(f"{file}: a web page, not a table; get the file again")
    try:
        text = beginning.decode(
            "utf-8-sig", "ignore" if len(beginning) == _LONGEST_FIRST else "strict"
        )
    except UnicodeDecodeError as error:
        line = beginning[: error.start].count(b"\n") + 1
        raise DataError(
            f"{file}: line {line}: not text in UTF-8; save it as CSV in UTF-8"
        ) from error
    lines = [line for line in text.splitlines() if line.strip()][:20]
    separator = max(_SEPARATORS, key=lines[0].count)
    rows = tuple(tuple(fields_of(line, separator)) for line in lines)
    header = rows[0]
    has_header = any(plain(name) in known for name in header) or _all_words(rows)
    names = header if has_header else tuple(str(at + 1) for at in range(len(header)))
    if len(set(names)) < len(names):
        twice = next(name for name in names if names.count(name) > 1)
        raise DataError(f"{file}: two columns are called {twice!r}; give each a name of its own")
    return Sheet(file, separator, names, has_header, rows[1:] if has_header else rows)


def plain(name: str) -> str:
    """Return a column's name in small letters, words joined by `_`."""
    return re.sub(r"[^a-z0-9]+", "_", name.casefold()).strip("_")


def _all_words(rows: Sequence[Sequence[str]]) -> bool:
    """Return whether the first row has no number where the next ones have some."""
    return (
        len(rows) > 1
        and not any(_is_number(text) for text in rows[0])
        and any(_is_number(text) for text in rows[1])
    )


def _is_number(text: str) -> bool:
    try:
        float(text)
    except ValueError:
        return False
    return True


def cell(text: str) -> str:
    """Return what stands in a cell: without blanks around it, in NFC."""
    return unicodedata.normalize("NFC", text.strip())


def _read_rows(
    sheet: Sheet, texts: Sequence[str], numbers: Sequence[str], item: str | None
) -> Table:
    place = {name: at for at, name in enumerate(sheet.header)}
    known: dict[str, dict[str, int]] = {name: {} for name in texts}
    codes: dict[str, list[NDArray[np.int32]]] = {name: [] for name in texts}
    values: dict[str, list[NDArray[np.float64]]] = {name: [] for name in numbers}
    lines = []
    for rows, at in _chunks(sheet):
        lines.append(at)
        columns = list(zip(*rows, strict=True))
        for name in texts:
            one = known[name]
            column = columns[place[name]]
            codes[name].append(
                np.array([one.setdefault(text, len(one)) for text in column], np.int32)
            )
        items = columns[place[item]] if item else ("",) * len(at)
        for name in numbers:
            values[name].append(_floats(sheet, name, columns[place[name]], at, items))
    if not lines:
        raise DataError(f"{sheet.file}: a header and no row; give predictions")
    return Table(
        sheet.file,
        sheet.header,
        {
            name: Names(np.concatenate(codes[name]), tuple(known[name])).mapped(cell)
            for name in texts
        },
        {name: np.concatenate(values[name]) for name in numbers},
        np.concatenate(lines),
        item=item,
    )


def _chunks(sheet: Sheet) -> Iterator[tuple[list[list[str]], NDArray[np.int64]]]:
    """Yield filled rows, some at a time, with the line that each begins on."""
    width, begun = len(sheet.header), 1
    csv.field_size_limit(_LARGEST_FIELD)
    with open_file(sheet.file) as stream:
        text = io.TextIOWrapper(stream, "utf-8-sig", newline="")
        reader = csv.reader(text, delimiter=sheet.separator, skipinitialspace=True)
        skip = sheet.has_header
        while rows := _some(reader, sheet, begun):
            starts = _starts(rows, begun, reader.line_num)
            begun = reader.line_num + 1
            if skip or set(map(len, rows)) != {width} or width == 1:
                filled = [any(each.strip() for each in row) for row in rows]
                if skip and any(filled):
                    filled[filled.index(True)] = skip = False
                rows = [row for row, good in zip(rows, filled, strict=True) if good]
                starts = starts[np.array(filled, np.bool_)]
            for at in [at for at, many in enumerate(map(len, rows)) if many != width][:1]:
                raise DataError(
                    f"{sheet.file}: line {starts[at]}: {len(rows[at])} fields, {width} in the "
                    "first line; mend the line"
                )
            if rows:
                yield rows, starts


def _starts(rows: Sequence[Sequence[str]], begun: int, last: int) -> NDArray[np.int64]:
    """Return the line that each row begins on; a cell may go over several."""
    if last + 1 - begun == len(rows):
        return np.arange(begun, last + 1)
    spans = [1 + sum(each.count("\n") for each in row) for row in rows]
    return begun + np.cumsum([0, *spans[:-1]])


def _some(reader: Iterator[list[str]], sheet: Sheet, begun: int) -> list[list[str]]:
    try:
        return list(itertools.islice(reader, _AT_ONCE))
    except UnicodeDecodeError as error:
        raise DataError(
            f"{sheet.file}: from line {begun} on: not text in UTF-8; save it as CSV in UTF-8"
        ) from error
    except csv.Error as error:
        raise DataError(f"{sheet.file}: from line {begun} on: {error}; mend the line") from error


def _floats(
    sheet: Sheet,
    name: str,
    column: Sequence[str],
    lines: NDArray[np.int64],
    items: Sequence[str],
) -> NDArray[np.float64]:
    try:
        found = np.array(column, np.float64)
    except ValueError:
        found = np.full(len(column), np.nan)
    if np.isfinite(found).all():
        return found
    for text, line, item in zip(column, lines, items, strict=True):
        if not _is_number(text) or not np.isfinite(float(text)):
            shown = repr(text.strip()) if text.strip() else "nothing"
            where = f"{sheet.file}: line {line}" + (f" ({cell(item)})" if item else "")
            raise DataError(f"{where}: {shown} in column {name!r} is no finite number; mend it")
    return np.array([float(text) for text in column])
