"""A table with the name of a file and a label on each line."""

from __future__ import annotations

import csv
import io
from collections.abc import Iterator, Mapping
from dataclasses import dataclass, field
from pathlib import Path

from bakeoff.data.readers.stock import Stock
from bakeoff.data.readers.text_table import LABEL, PART, Form, class_of, fields_of, parts_of
from bakeoff.errors import DataError
from bakeoff.files.reading import open_file
from bakeoff.study.protocol import Protocol
from bakeoff.text import shortened

_FILE = (
    "file", "filename", "file_name", "path", "filepath", "file_path", "image", "image_path",
    "image_name", "img", "img_path", "imagename", "image_file",
)  # fmt: skip
_EXTENSIONS = (
    ".png", ".jpg", ".jpeg", ".jfif", ".bmp", ".gif", ".tif", ".tiff", ".webp", ".ppm", ".pgm",
)  # fmt: skip
_MOST_ROWS = 10_000_000


@dataclass
class _Columns:
    """What the lines of all tables say, one entry for each image."""

    files: list[Path] = field(default_factory=list)
    labels: list[str] = field(default_factory=list)
    parts: list[str] = field(default_factory=list)
    names: list[str] = field(default_factory=list)
    groups: list[str] = field(default_factory=list)


def is_file_table(form: Form) -> bool:
    """Return whether a table names files."""
    return _file_column(form) is not None


def file_stock(
    path: Path, forms: Mapping[str, Form], protocol: Protocol, notes: list[str]
) -> Stock:
    """Return the images that tables name, relative to where they lie.

    forms: part -> how its table is written; one without a part may have a column that says it.
    Raises DataError, naming file and line, where an image is not there or a column is missing.
    """
    from bakeoff.data.readers.encoded import encoded_stock  # Pillow takes a while.

    found = _Columns()
    for part, form in forms.items():
        _gather(found, part, form, protocol.group)
    return encoded_stock(
        str(path),
        found.files,
        parts=found.parts,
        labels=found.labels,
        names=found.names,
        groups=found.groups if protocol.group else None,
        protocol=protocol,
        notes=notes,
    )


def _file_column(form: Form) -> int | None:
    if form.columns is not None:
        return form.column(_FILE)
    names = [at for at, text in enumerate(form.first) if text.lower().endswith(_EXTENSIONS)]
    return names[0] if names and form.width <= 4 else None


def _gather(found: _Columns, part: str, form: Form, group: str | None) -> None:
    file_at = _file_column(form)
    if file_at is None:
        raise DataError(f"{form.file}: no column of file names, as {_FILE[0]}; give it one")
    label_at = form.column(LABEL)
    if form.columns is None and form.width == 2:
        label_at = 1 - file_at
    if label_at is None:
        listed = shortened(", ".join(form.columns or form.first), 100)
        raise DataError(f"{form.file}: no column of labels, as label; there are {listed}")
    part_at = None if part else form.column(PART)
    group_at = form.column([group.casefold()]) if group else None
    if group and group_at is None:
        listed = shortened(", ".join(form.columns or ()), 100)
        raise DataError(f"{form.file}: no column {group!r} to group by; there are {listed}")
    for number, fields in _rows(form):
        where = f"{form.file}: line {number}"
        if len(fields) != form.width:
            raise DataError(
                f"{where}: {len(fields):,} fields, {form.width:,} in the first line; mend the line"
            )
        label = class_of(fields[label_at])
        if not label:
            raise DataError(f"{where}: an empty label; name the class")
        found.files.append(_file(form.file.parent, fields[file_at], where))
        found.names.append(fields[file_at])
        found.labels.append(label)
        found.parts += [part] if part_at is None else parts_of([fields[part_at]], [where])
        found.groups += [] if group_at is None else [fields[group_at]]
    if not found.files:
        raise DataError(f"{form.file}: a header and no line of values; give some")


def _rows(form: Form) -> Iterator[tuple[int, list[str]]]:
    """Yield the number and the fields of each line that is not empty."""
    with open_file(form.file) as stream:
        stream.seek(form.start)
        text = io.TextIOWrapper(stream, encoding="utf-8", newline="")
        try:
            if form.separator == " ":
                rows = ((number, fields_of(line, " ")) for number, line in enumerate(text, 1))
            else:
                reader = csv.reader(text, delimiter=form.separator, skipinitialspace=True)
                rows = ((reader.line_num, [each.strip() for each in row]) for row in reader)
            for number, fields in rows:
                if any(fields):
                    yield number + form.first_line - 1, fields
                if number > _MOST_ROWS:
                    raise DataError(f"{form.file}: more than {_MOST_ROWS:,} lines; give fewer")
        except (csv.Error, UnicodeDecodeError) as error:
            raise DataError(f"{form.file}: not CSV in UTF-8; save it as such") from error


def _file(folder: Path, name: str, where: str) -> Path:
    if not name:
        raise DataError(f"{where}: no file name; give one")
    # Tables written on Windows have the other slash.
    for spelling in dict.fromkeys((name, name.replace("\\", "/"))):
        try:
            if (folder / spelling).exists():
                return folder / spelling
        except (OSError, ValueError):
            break
    raise DataError(f"{where}: {shortened(name, 200)}: no such file below {folder}; mend the name")
