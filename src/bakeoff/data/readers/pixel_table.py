"""A table with an image on each line: its label, and its pixels one after the other."""

from __future__ import annotations

import io
import math
import re
from collections.abc import Iterator, Sequence
from dataclasses import dataclass, replace
from typing import Any, NoReturn

import numpy as np
from numpy.typing import NDArray

from bakeoff.data.readers.text_table import LABEL, PART, Form, Lines, read_lines
from bakeoff.errors import DataError, UnreadableError
from bakeoff.text import shortened

_FIELDS = 1 << 20  # That are read at a time.
_LISTS = 1000
_UNNAMED = ("", "index", "id", "unnamed: 0", "imageid")
"""Columns that count the lines, as pandas writes them."""
_LISTED = ("pixel", "pixels")
"""Columns that hold all pixels of an image."""
_PIXEL = re.compile(r"\D*\d+(\D+\d+)*")


@dataclass(frozen=True)
class Roles:
    """What the columns of a table of pixels are, by their places."""

    label: int
    part: int | None
    group: int | None
    pixels: tuple[int, ...]
    """In the order in which they make an image. One alone holds all, with blanks between them."""
    notes: tuple[str, ...]


def roles_of(form: Form, group: str | None) -> Roles | None:
    """Return what the header says of the columns; None where it does not say which is the label.

    Raises DataError where there is none.
    """
    if form.columns is None:
        if group:
            raise DataError(f"{form.file}: no header, so no column {group!r}; give it one")
        return None
    part = form.column(PART)
    grouped = _group(form, group)
    counting = [at for at, name in enumerate(form.columns) if name in _UNNAMED]
    rest = [at for at in range(form.width) if at not in (part, grouped, *counting)]
    label = form.column(LABEL)
    whole = form.column(_LISTED)
    if whole is not None and (label is not None or len(rest) == 2):
        label = label if label is not None else next(at for at in rest if at != whole)
        note = f"{form.file.name}: all pixels of an image in its column {form.columns[whole]!r}"
        return Roles(label, part, grouped, (whole,), (note,))
    if label is None:
        others = [at for at in rest if not _PIXEL.fullmatch(form.columns[at])]
        stems = {_stem(form.columns[at]) for at in rest}
        if not others and len(stems) == 1 and stems != {""}:
            refuse_all_pixels(form, len(rest))
        if len(others) != 1:
            return None
        label = others[0]
    pixels = [at for at in rest if at != label]
    # Beside columns that are called as pixels, those that are not are something else.
    called = [at for at in pixels if _PIXEL.fullmatch(form.columns[at])] or pixels
    passed_over = [at for at in range(form.width) if at in counting or at in {*pixels} - {*called}]
    if len(called) < 2:
        listed = shortened(", ".join(form.columns), 100)
        raise DataError(
            f"{form.file}: no pixels and no file names; there are {listed}; give a label and pixels"
        )
    notes = [f"{form.file.name}: column {form.columns[at]!r} passed over" for at in passed_over]
    ordered = called
    if len({_stem(form.columns[at]) for at in called}) == 1:
        numbers = {at: _numbers(form.columns[at]) for at in called}
        ordered = sorted(called, key=numbers.__getitem__)
    if ordered != called:
        notes += [f"{form.file.name}: pixels taken in the order of their numbers, not as they lie"]
    return Roles(label, part, grouped, tuple(ordered), tuple(notes))


def roles_from_values(form: Form, first: list[str], last: list[str]) -> Roles:
    """Return which end of the lines is the label, told from the texts there; raise DataError."""
    if is_square(form.width) and not is_square(form.width - 1):
        refuse_all_pixels(form, form.width)
    ends = {0: first, form.width - 1: last}
    likely = [at for at, texts in ends.items() if _counts_up(texts)]
    if not likely:
        likely = [at for at, texts in ends.items() if len(set(texts)) > 1]
    if len(likely) != 1:
        raise DataError(
            f"{form.file}: the first column may be the label as well as the last; give a header "
            "with a column called label"
        )
    pixels = tuple(at for at in range(form.width) if at != likely[0])
    where = "first" if likely[0] == 0 else "last"
    note = f"{form.file.name}: the label is the {where} column, as what is in it tells"
    return Roles(likely[0], None, None, pixels, (note,))


def refuse_all_pixels(form: Form, pixels: int) -> NoReturn:
    """Raise DataError where the columns are an image to the last."""
    raise DataError(
        f"{form.file}: {pixels:,} columns of pixels and no labels; give a column called label"
    )


def is_square(pixels: int) -> bool:
    """Return whether so many pixels are a square of some, grey or in three colours."""
    sides = {math.isqrt(pixels // channels): channels for channels in (1, 3)}
    return any(side > 1 and side * side * channels == pixels for side, channels in sides.items())


def _group(form: Form, group: str | None) -> int | None:
    if group is None:
        return None
    found = form.column([group.casefold()])
    if found is None:
        listed = shortened(", ".join(form.columns or ()), 100)
        raise DataError(f"{form.file}: no column {group!r} to group by; there are {listed}")
    return found


def _counts_up(texts: list[str]) -> bool:
    """Return whether texts are names, or numbers that count up without a gap from 0 or 1."""
    found = set(texts)
    if not all(text.isdecimal() for text in found):
        return not any(re.fullmatch(r"[-+.\deE]+", text) for text in found)
    numbers = sorted(map(int, found))
    return len(numbers) > 1 and numbers in (
        list(range(len(numbers))),
        list(range(1, len(numbers) + 1)),
    )


def _stem(name: str) -> str:
    return re.split(r"\d", name)[0]


def _numbers(name: str) -> list[int]:
    return [int(each) for each in re.findall(r"\d{1,9}", name)]


def pixel_rows(lines: Lines, pixels: tuple[int, ...]) -> PixelRows:
    """Return the pixels of a table, as `Roles` have them.

    Raises DataError, naming the line, where a column holds more or fewer of them than in the first.
    """
    return PixelRows(lines, pixels) if len(pixels) > 1 else _listed_in(lines, pixels[0])


def _listed_in(lines: Lines, column: int) -> PixelRows:
    """Return the pixels that one column holds, as those of a table that has nothing else."""
    form, count = lines.form, 0
    starts, ends = np.empty_like(lines.starts), np.empty_like(lines.ends)
    for first in range(0, len(starts), _LISTS):
        block = np.arange(first, min(first + _LISTS, len(starts)))
        for row, line in zip(block, read_lines(lines, block).split(b"\n"), strict=False):
            fields = line.split(form.separator.encode())
            pixels = fields[column].strip(b' "')
            found = len(pixels.split())
            count = count or found
            if found != count:
                raise DataError(
                    f"{form.file}: line {lines.numbers[row]}: {found:,} pixels, {count:,} in line "
                    f"{lines.numbers[0]}; mend the line"
                )
            before = sum(len(field) + 1 for field in fields[:column])
            starts[row] = lines.starts[row] + before + fields[column].find(pixels)
            ends[row] = starts[row] + len(pixels)
    alone = replace(form, separator=" ", first=("",) * count)
    return PixelRows(replace(lines, form=alone, starts=starts, ends=ends), tuple(range(count)))


@dataclass(frozen=True, eq=False)
class PixelRows:
    """The pixels of a table. They are `Rows` [n, pixels]."""

    lines: Lines
    pixels: tuple[int, ...]

    @property
    def where(self) -> str:
        """The file."""
        return str(self.lines.form.file)

    @property
    def dtype(self) -> np.dtype[Any]:
        """Floats, since a table does not say what its numbers are."""
        return np.dtype(np.float32)

    @property
    def type_name(self) -> str:
        """As it is, text."""
        return "numbers"

    def name(self, row: int) -> str:
        """Return the file and the line."""
        return f"{self.where}: line {self.lines.numbers[row]}"

    @property
    def shape(self) -> tuple[int, ...]:
        """[n, pixels]."""
        return len(self.lines.starts), len(self.pixels)

    def blocks(self, rows: Sequence[int] | NDArray[np.int64]) -> Iterator[NDArray[Any]]:
        """Yield the pixels of these lines; raise DataError, naming line and field."""
        wanted = np.asarray(rows, dtype=np.int64)
        some = max(_FIELDS // self.lines.form.width, 1)
        for first in range(0, len(wanted), some):
            block = wanted[first : first + some]
            try:
                text = read_lines(self.lines, block)
            except (UnreadableError, OSError) as error:
                raise DataError(f"{self.where}: changed while it was read") from error
            values = self._small_numbers(text, len(block))
            yield self._any_numbers(text, block) if values is None else values

    def _small_numbers(self, text: bytes, lines: int) -> NDArray[np.uint16] | None:
        """Return whole numbers of at most three digits; None where there are others."""
        form = self.lines.form
        padding = b'" '.replace(form.separator.encode(), b"")
        content = np.frombuffer(text.translate(None, padding), np.uint8)
        ends = np.flatnonzero((content == ord(form.separator)) | (content == ord("\n")))
        if len(ends) != lines * form.width:
            return None
        starts = np.concatenate([[0], ends[:-1] + 1]).reshape(lines, -1)[:, self.pixels]
        ends = ends.reshape(lines, -1)[:, self.pixels]
        lengths = ends - starts
        if lengths.min() < 1 or lengths.max() > 3:
            return None
        values = np.zeros(ends.shape, np.uint16)
        for place, ten in enumerate((1, 10, 100)[: int(lengths.max())]):
            digits = content[np.maximum(ends - 1 - place, 0)] - np.uint8(ord("0"))
            digits[lengths <= place] = 0
            if digits.max() > 9:
                return None
            values += digits.astype(np.uint16) * np.uint16(ten)
        return values

    def _any_numbers(self, text: bytes, block: NDArray[np.int64]) -> NDArray[np.float64]:
        form = self.lines.form
        try:
            return np.loadtxt(
                io.StringIO(text.decode(errors="replace")),
                delimiter=None if form.separator == " " else form.separator,
                comments=None,
                quotechar='"',
                usecols=self.pixels,
                ndmin=2,
            )
        except ValueError as error:
            found = re.search(r"string (.*) to float64 at row (\d+), column (\d+)", str(error))
            if not found:
                raise DataError(f"{self.where}: {error}; give numbers") from error
            line = self.lines.numbers[block[int(found[2])]]
            raise DataError(
                f"{self.where}: line {line}, field {found[3]}: {shortened(found[1])} is no pixel; "
                "give a number"
            ) from error
