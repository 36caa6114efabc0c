"""Tables as text: an image on each line, or the name of its file with its label."""

from __future__ import annotations

import hashlib
import json
import re
from collections.abc import Sequence
from pathlib import Path

import numpy as np

from bakeoff.data.readers.array_stock import ArrayPart, stock_of_arrays
from bakeoff.data.readers.file_table import file_stock, is_file_table
from bakeoff.data.readers.part_names import PARTS, part_named
from bakeoff.data.readers.pixel_table import (
    Roles,
    pixel_rows,
    roles_from_values,
    roles_of,
)
from bakeoff.data.readers.stock import Stock
from bakeoff.data.readers.text_table import Form, Lines, form_of, lines_of, parts_of
from bakeoff.errors import DataError, UnreadableError
from bakeoff.files.reading import file_sha256
from bakeoff.study.protocol import Protocol

_EXTENSIONS = (".csv", ".tsv")


def read_csv(path: Path, protocol: Protocol) -> Stock:
    """Return the images of a table, or of a folder with `train.csv` and `test.csv`.

    Either a line holds a label and the pixels, or the name of a file, relative to the table, and a
    label; a column `split` and one to group by may stand beside. Raises DataError, naming file and
    line, where something is missing or no number.
    """
    notes: list[str] = []
    tables = _tables(path, notes) if path.is_dir() else {"": path}
    try:
        forms = {part: form_of(file) for part, file in tables.items()}
        if any(is_file_table(form) for form in forms.values()):
            return file_stock(path, forms, protocol, notes)
        digests = [(file.name, file_sha256(file)) for file in tables.values()]
        parts = [
            each for part, form in forms.items() for each in _parts(part, form, protocol, notes)
        ]
    except UnreadableError as error:
        raise DataError(f"{error}; give a file that can be read") from error
    sha256 = hashlib.sha256(json.dumps(digests).encode()).hexdigest()
    return stock_of_arrays(str(path), sha256, parts, protocol, notes)


def is_table(file: Path) -> bool:
    """Return whether a file is called as a table that nobody hides."""
    return file.suffix.lower() in _EXTENSIONS and not file.name.startswith(".")


def names_files(file: Path) -> bool:
    """Return whether a table names files, so that it does not hold all that it stands for."""
    try:
        return is_file_table(form_of(file))
    except (DataError, UnreadableError):
        return False


def _tables(path: Path, notes: list[str]) -> dict[str, Path]:
    files = sorted(file for file in path.iterdir() if is_table(file))
    found: dict[str, Path] = {}
    for file in files:
        part = _part_of(file)
        if part and part in found:
            raise DataError(
                f"{path}: {found[part].name} and {file.name} may both be the {part} part; keep one"
            )
        if part:
            found[part] = file
    if len(files) == 1 and found.keys() <= {"train"}:
        return {"": files[0]}
    if "train" not in found or len(found) == 1:
        listed = ", ".join(file.name for file in files)
        raise DataError(f"{path}: holds {listed}; wanted are train.csv and test.csv, or one table")
    others = [file.name for file in files if file not in found.values()]
    notes += [f"passed over: {', '.join(others)}"] if others else []
    return {part: found[part] for part in ("train", "validation", "test") if part in found}


def _part_of(file: Path) -> str | None:
    words = re.split(r"[-_. ]+", file.stem)
    parts = {part for word in words if (part := part_named(word))}
    return parts.pop() if len(parts) == 1 else None


def _parts(part: str, form: Form, protocol: Protocol, notes: list[str]) -> list[ArrayPart]:
    """Return the part, or those that a column of the table tells apart."""
    roles = roles_of(form, protocol.group)
    last = form.width - 1
    asked = [0, last] if roles is None else _asked(roles)
    lines = lines_of(form, asked)
    if roles is None:
        roles = roles_from_values(form, lines.picked[0], lines.picked[last])
    notes += roles.notes
    labels = lines.picked[roles.label]
    if "" in labels:
        raise DataError(f"{lines.names[labels.index('')]}: an empty label; name the class")
    if roles.part is None:
        groups = None if roles.group is None else lines.picked[roles.group]
        return [ArrayPart(part, pixel_rows(lines, roles.pixels), labels, lines.names, groups)]
    parts = parts_of(lines.picked[roles.part], lines.names)
    return [_divided(lines, roles, parts, each) for each in PARTS if each in parts]


def _divided(lines: Lines, roles: Roles, parts: Sequence[str], part: str) -> ArrayPart:
    """Return the lines of one part."""
    rows = np.flatnonzero(np.array(parts) == part)
    some = lines.some(rows)
    groups = None if roles.group is None else some.picked[roles.group]
    labels = some.picked[roles.label]
    return ArrayPart(part, pixel_rows(some, roles.pixels), labels, some.names, groups)


def _asked(roles: Roles) -> Sequence[int]:
    return [at for at in (roles.label, roles.part, roles.group) if at is not None]
