"""Tables as JSON: a line of it for each answer, or a list of objects."""

from __future__ import annotations

import json
import math
from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import Any

import numpy as np

from bakeoff.errors import DataError, UnreadableError
from bakeoff.files.reading import open_file, parse_json, read_file
from bakeoff.records.predictions.names import Names
from bakeoff.records.predictions.roles import Asked, Roles, roles_of
from bakeoff.records.predictions.table import Table, cell

MOST_BYTES = 2 << 30
MOST_VALUES = 100_000_000
_LONGEST_LINE = 64 << 20

Entries = tuple[list[Mapping[str, Any]], list[int]]
"""Objects, and the number of the line or entry of each."""


def objects_of_lines(file: Path) -> Entries:
    """Return the object on each line; raise DataError, naming the line, where there is none."""
    found: list[Mapping[str, Any]] = []
    lines = []
    with open_file(file) as stream:
        number = 0
        while line := stream.readline(_LONGEST_LINE):
            number += 1
            if not line.strip():
                continue
            try:
                value = json.loads(line.decode("utf-8-sig" if number == 1 else "utf-8"))
            except (ValueError, RecursionError) as error:
                raise DataError(
                    f"{file}: line {number}: not valid JSON; mend it, or get the file again"
                ) from error
            if not isinstance(value, dict):
                raise DataError(f"{file}: line {number}: no JSON object; give one on each line")
            found.append(value)
            lines.append(number)
    if not found:
        raise DataError(f"{file}: empty; give predictions")
    return found, lines


def document_of(file: Path) -> Any:
    """Return a JSON document, of any size that memory holds."""
    try:
        return parse_json(read_file(file, MOST_BYTES), str(file), MOST_VALUES)
    except UnreadableError as error:
        raise DataError(f"{error}; get the file again") from error


def table_of(file: Path, entries: Entries, asked: Asked, line: str) -> tuple[Table, Roles]:
    """Return objects as a table, with what its columns are; lists and objects within spread out."""
    objects = [_flat(each) for each in entries[0]]
    header = tuple(dict.fromkeys(key for each in objects for key in each))
    first = [tuple(_text(each.get(key)) for key in header) for each in objects[:20]]
    roles = roles_of(file, header, asked, first)
    lines = np.array(entries[1], np.int64)
    wanted = [getattr(roles, each) for each in ("entrant", "seed", "item", "label", "predicted")]
    wanted += [roles.score, roles.group]
    texts = {
        name: Names.of(cell(_text(each.get(name))) for each in objects) for name in wanted if name
    }
    numbers = {}
    for name, _ in roles.classes:
        column = [each.get(name) for each in objects]
        for value, number in zip(column, entries[1], strict=True):
            if not is_number(value):
                shown = _text(value) or "nothing"
                raise DataError(
                    f"{file}: {line} {number}: {shown} in {name!r} is no finite number; mend it"
                )
        numbers[name] = np.array(column, np.float64)
    return Table(file, header, texts, numbers, lines, line, roles.item), roles


def is_number(value: object) -> bool:
    """Return whether a value is a finite number, or true or false."""
    return isinstance(value, int | float) and math.isfinite(value)


def _flat(entry: Mapping[str, Any]) -> dict[str, Any]:
    """Return an object with what lists and objects of numbers hold under keys of its own."""
    found: dict[str, Any] = {}
    for key, value in entry.items():
        if isinstance(value, Mapping) and value and all(map(is_number, value.values())):
            found |= {f"{key}_{name}": each for name, each in value.items()}
        elif isinstance(value, Sequence) and not isinstance(value, str) and len(value) > 1:
            if all(map(is_number, value)):
                found |= {f"{key}_{at}": each for at, each in enumerate(value)}
        else:
            found[key] = value
    return found


def _text(value: object) -> str:
    if value is None:
        return ""
    if isinstance(value, bool):
        return "true" if value else "false"
    if isinstance(value, str):
        return value
    if isinstance(value, int | float):
        return repr(value)
    return json.dumps(value)
