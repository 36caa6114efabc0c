"""A table as text: its separator, its header, and where each line of it lies."""

from __future__ import annotations

import csv
import io
import re
import unicodedata
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from functools import cached_property
from pathlib import Path

import numpy as np
from numpy.typing import NDArray

from bakeoff.data.readers.part_names import part_named
from bakeoff.errors import DataError
from bakeoff.files.reading import open_file
from bakeoff.text import shortened

_LONGEST_LINE = 4 << 20  # Bytes: of 200,000 pixels with 16 bits and a half each.
_PIECE = 4 << 20
_BOM = b"\xef\xbb\xbf"
_SEPARATORS = ",;\t|"
_NUMBERED = 16
"""So many numbers that count up are a header, and no pixels."""

LABEL = ("label", "labels", "class", "class_name", "classname", "target", "y", "category")
PART = ("split", "part", "set", "subset", "usage", "partition")


@dataclass(frozen=True)
class Form:
    """How a table is written, told from its first line."""

    file: Path
    separator: str
    start: int
    """The byte at which the first line of values begins."""
    columns: tuple[str, ...] | None
    """What the header calls them, in small letters; None where there is no header."""
    first: tuple[str, ...]
    """The fields of the first line."""

    @property
    def width(self) -> int:
        """How many fields each line has."""
        return len(self.first)

    @property
    def first_line(self) -> int:
        """The number of the first line of values, counted from 1."""
        return 1 if self.columns is None else 2

    def column(self, names: Sequence[str]) -> int | None:
        """Return the place of the first column that has one of these names."""
        found = [at for at, name in enumerate(self.columns or ()) if name in names]
        return found[0] if found else None


def form_of(file: Path) -> Form:
    """Return how a table is written; raise DataError where it is none, UnreadableError."""
    with open_file(file) as stream:
        beginning = stream.read(_LONGEST_LINE)
    if not beginning.strip():
        raise DataError(f"{file}: empty; give a table")
    if beginning.startswith((b"\xff\xfe", b"\xfe\xff")) or b"\0" in beginning:
        raise DataError(f"{file}: not text in UTF-8; save it as CSV in UTF-8")
    if beginning.lstrip().startswith(b"<"):
        raise DataError(f"{file}: a web page, not a table; get the file again")
    bom = len(_BOM) if beginning.startswith(_BOM) else 0
    blank = len(beginning[bom:]) - len(beginning[bom:].lstrip(b"\r\n"))
    line, newline, _ = beginning[bom + blank :].partition(b"\n")
    if not newline and len(beginning) == _LONGEST_LINE:
        raise DataError(f"{file}: line 1 is longer than {_LONGEST_LINE:,} bytes; give a table")
    text = _text(line, file)
    if "\r" in text:
        raise DataError(f"{file}: lines end in CR alone; save it with line ends of today")
    separator = max(_SEPARATORS, key=text.count)
    if separator not in text:
        separator = " "
    fields = fields_of(text, separator)
    if len(fields) < 2:
        raise DataError(
            f"{file}: line 1: one column alone; give a label and pixels, or a file name"
        )
    has_header = _is_header(fields)
    start = bom + blank + (len(line) + len(newline) if has_header else 0)
    columns = tuple(field.casefold() for field in fields) if has_header else None
    return Form(file, separator, start, columns, tuple(fields))


def fields_of(line: str, separator: str) -> list[str]:
    """Return the fields of one line, without blanks around them."""
    if separator == " ":
        return line.split()
    try:
        rows = list(csv.reader([line], delimiter=separator, skipinitialspace=True))
    except csv.Error:  # A field of more than 128 KiB, which is no number and no name.
        return []
    return [field.strip() for field in rows[0]] if rows else []


def class_of(text: str) -> str:
    """Return a label as a class is called: without quotes and blanks, 5.0 as 5, in NFC."""
    plain = unicodedata.normalize("NFC", text.strip().strip('"').strip())
    return re.sub(r"^(-?\d+)\.0*$", r"\1", plain)


def parts_of(texts: Sequence[str], names: Sequence[str]) -> list[str]:
    """Return what a column says of the part of each line; raise DataError, naming the line."""
    parts = []
    for text, name in zip(texts, names, strict=True):
        part = part_named(text)
        if part is None:
            raise DataError(
                f"{name}: {shortened(text)!r} is no part; give train, validation or test"
            )
        parts.append(part)
    return parts


def _text(line: bytes, file: Path) -> str:
    try:
        return line.decode().rstrip("\r")
    except UnicodeDecodeError as error:
        raise DataError(f"{file}: line 1: not text in UTF-8; save it as CSV in UTF-8") from error


def _is_header(fields: Sequence[str]) -> bool:
    numbers = [number for number in map(_number, fields) if number is not None]
    if len(numbers) >= _NUMBERED and len(numbers) >= len(fields) - 4:
        steps = np.diff(numbers)
        return bool((steps == 1).all())  # 0, 1, 2, ... as pandas calls columns.
    return not numbers and not any(_is_file_name(field) for field in fields)


def _number(text: str) -> float | None:
    try:
        return float(text)
    except ValueError:
        return None


def _is_file_name(text: str) -> bool:
    return bool(re.search(r"[./\\]", text))


@dataclass(frozen=True, eq=False)
class Lines:
    """Where the lines of values lie in a table in which each has all of its fields."""

    form: Form
    starts: NDArray[np.int64]
    """[n], the byte at which each begins."""
    ends: NDArray[np.int64]
    """[n], the byte after it."""
    numbers: NDArray[np.int64]
    """[n], counted from 1 for the first line of the file."""
    picked: dict[int, list[str]]
    """The texts of the columns that were asked for."""

    @cached_property
    def names(self) -> list[str]:
        """What each line is found by."""
        return [f"{self.form.file.name}: line {number}" for number in self.numbers.tolist()]

    def some(self, rows: NDArray[np.int64]) -> Lines:
        """Return these lines alone."""
        picked = {at: [texts[row] for row in rows] for at, texts in self.picked.items()}
        return Lines(self.form, self.starts[rows], self.ends[rows], self.numbers[rows], picked)


def lines_of(form: Form, picked: Sequence[int]) -> Lines:
    """Return where the lines of a table are, and the texts of the columns `picked`.

    Lines without anything but blanks are left out. Raises DataError, naming the line, where one
    has more or fewer fields than the first.
    """
    found, number = [], form.first_line
    for at, piece in _pieces(form):
        found.append(_lines_of_piece(form, piece, at, number, picked))
        number += piece.count(b"\n")
    if not sum(len(each.starts) for each in found):
        raise DataError(f"{form.file}: a header and no line of values; give some")
    return Lines(
        form,
        np.concatenate([each.starts for each in found]),
        np.concatenate([each.ends for each in found]),
        np.concatenate([each.numbers for each in found]),
        {column: [text for each in found for text in each.picked[column]] for column in picked},
    )


def _lines_of_piece(form: Form, piece: bytes, at: int, number: int, picked: Sequence[int]) -> Lines:
    """Return the lines of a piece of the file, which begins at a byte and with a line's number."""
    content = np.frombuffer(piece, np.uint8)
    newlines = np.flatnonzero(content == ord("\n"))
    begin = np.concatenate([[0], newlines[:-1] + 1])
    end = newlines - ((newlines > begin) & (content[newlines - 1] == ord("\r")))
    separators = _separators(content, form.separator)
    before = np.searchsorted(separators, begin)
    fields = np.searchsorted(separators, newlines) - before + 1
    filled = fields == form.width
    for line in np.flatnonzero(~filled).tolist():
        if piece[begin[line] : end[line]].strip():
            raise DataError(
                f"{form.file}: line {number + line}: {fields[line]:,} fields, {form.width:,} in "
                "the first line; mend the line"
            )
    begin, end, before = begin[filled], end[filled], before[filled]
    numbers = np.flatnonzero(filled) + number
    texts = {}
    for column in picked:
        left = begin if column == 0 else separators[before + column - 1] + 1
        right = end if column == form.width - 1 else separators[before + column]
        fields_there = [piece[a:b] for a, b in zip(left.tolist(), right.tolist(), strict=True)]
        texts[column] = _classes_of(fields_there, numbers, form.file)
    return Lines(form, begin + at, end + at, numbers, texts)


def _classes_of(fields: Sequence[bytes], numbers: NDArray[np.int64], file: Path) -> list[str]:
    try:
        return [class_of(field.decode()) for field in fields]
    except UnicodeDecodeError as error:
        line = numbers[fields.index(error.object)]
        raise DataError(
            f"{file}: line {line}: not text in UTF-8; save it as CSV in UTF-8"
        ) from error


def _separators(content: NDArray[np.uint8], separator: str) -> NDArray[np.int64]:
    found = content == ord(separator)
    if separator == " ":
        # Several blanks are one, and none counts at the end of a line or at its beginning.
        solid = ~np.isin(content, np.frombuffer(b" \r\n", np.uint8))
        found[:-1] &= solid[1:]
        found[-1:] = False
        before = np.concatenate([[ord("\n")], content[:-1]])
        found &= before != ord("\n")
    return np.flatnonzero(found)


def _pieces(form: Form) -> Iterator[tuple[int, bytes]]:
    """Yield whole lines, some at a time, and the byte at which they begin; the last ends in one."""
    with open_file(form.file) as stream:
        at, rest = form.start, b""
        stream.seek(at)
        while piece := stream.read(_PIECE):
            whole, newline, more = (rest + piece).rpartition(b"\n")
            if newline:
                yield at, whole + newline
                at += len(whole) + 1
            elif len(more) > _LONGEST_LINE:
                raise DataError(f"{form.file}: a line longer than {_LONGEST_LINE:,} bytes")
            rest = more
        if rest:
            yield at, rest + b"\n"


def read_lines(lines: Lines, rows: NDArray[np.int64]) -> bytes:
    """Return these lines, each with an end. Ascending rows are read fastest."""
    found = io.BytesIO()
    with open_file(lines.form.file) as stream:
        for run in np.split(rows, np.flatnonzero(np.diff(rows) != 1) + 1):
            first = lines.starts[run[0]]
            stream.seek(first)
            content = stream.read(lines.ends[run[-1]] - first)
            for start, end in zip(lines.starts[run] - first, lines.ends[run] - first, strict=True):
                found.write(content[start:end] + b"\n")
    return found.getvalue()
