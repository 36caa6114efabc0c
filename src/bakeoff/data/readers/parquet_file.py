"""One Parquet file: which columns hold what, and their values, never all images at a time."""

from __future__ import annotations

import math
import os
import unicodedata
from collections.abc import Iterator, Mapping, Sequence
from contextlib import contextmanager
from pathlib import Path
from typing import Any

from bakeoff.errors import DataError, StudyError, UnreadableError
from bakeoff.files.reading import parse_json
from bakeoff.text import shortened

_LABELS = (
    "label", "labels", "class", "classes", "class_name", "category", "target", "fine_label",
    "coarse_label",
)  # fmt: skip
"""What the column of labels is called; where a file has several, the first of these."""

_IMAGES = ("image", "images", "img", "picture", "photo", "bytes")

MOST_ROWS = 2_000_000
"""Of a file: a short one can promise any number."""
_LARGEST = 100_000_000  # Bytes of a column that may be any number of times what is stored.
_MOST_TIMES = 100  # Encoded images hardly become shorter.

_AT_ONCE = 16  # Images that are unpacked together.


class ParquetFile:
    """A file with a column of images and one of labels, whose rows count from 0.

    group: a column that says what belongs together. Its methods raise DataError where the file or
    a row of it is not as it should be; StudyError where there is no such column.
    """

    def __init__(self, path: Path, group: str | None) -> None:
        self._where = where = str(path)
        with _damage(where):
            schema = _opened(path).schema_arrow
            self._image, leaf = _image_column(schema, where)
            self._label = _label_column(schema, where)
            if group is not None and group not in schema.names:
                raise StudyError(
                    f'protocol.group = "{group}": {where} has no such column; it has '
                    f"{_listed(schema.names)}"
                )
            for column in (self._label, group):
                if column and schema.field(column).type.num_fields:
                    raise DataError(
                        f"{where}: column {column} holds more than one value for an image; give "
                        "each a whole number or text"
                    )
            self._group = group
            self._classes = _class_names(schema.metadata or {}, where).get(self._label)
            # Texts that repeat stay a number each: a few bytes can promise gigabytes of them.
            self._file = _opened(path, [each for each in (self._label, group) if each])
            self._leaf = leaf
            self.starts = self._row_groups()

    def _row_groups(self) -> list[int]:
        """Return the first row of each row group, and behind them the number of rows."""
        meta = self._file.metadata
        if meta.num_rows > MOST_ROWS:
            raise DataError(
                f"{self._where}: {meta.num_rows:,} rows, at most {MOST_ROWS:,} are read; divide it"
            )
        starts = [0]
        for number in range(meta.num_row_groups):
            group = meta.row_group(number)
            starts.append(starts[-1] + group.num_rows)
            for column in map(group.column, range(group.num_columns)):
                stored, promised = column.total_compressed_size, column.total_uncompressed_size
                if column.path_in_schema == self._leaf and promised > max(
                    _LARGEST, _MOST_TIMES * stored
                ):
                    raise DataError(
                        f"{self._where}: column {self._image}: {stored:,} bytes promise "
                        f"{promised:,}; images are not packed so well, write them as PNG or JPEG"
                    )
        return starts

    @property
    def rows(self) -> int:
        """The number of images."""
        return self.starts[-1]

    def labels(self) -> list[str]:
        """Return the class of each image; a number by its name where the file has names."""
        return self._texts(self._label, self._classes)

    def groups(self) -> list[str]:
        """Return what the column of groups says of each image."""
        return self._texts(self._group or "", None)

    def _texts(self, column: str, called: Sequence[str] | None) -> list[str]:
        texts: list[str] = []
        with _damage(self._where):
            for chunk in self._file.read([column], use_threads=False).column(0).chunks:
                encoded = chunk if hasattr(chunk, "dictionary") else chunk.dictionary_encode()
                values = encoded.dictionary.to_pylist()
                known = [_text(value, called) for value in values]
                for place in encoded.indices.to_pylist():
                    text = None if place is None else known[place]
                    if text is None:
                        found = "nothing" if place is None else shortened(repr(values[place]))
                        classes = f" 0 to {len(called) - 1}, as" if called else ""
                        raise DataError(
                            f"{self._where}: row {len(texts)}: {found} in column {column}; "
                            f"give each image{classes} a whole number or text"
                        )
                    texts.append(text)
        return texts

    def images(self, group: int) -> Iterator[Sequence[bytes | None]]:
        """Yield the encoded images of a row group, a few at a time; None where there is none."""
        with _damage(self._where):
            for batch in self._file.iter_batches(
                _AT_ONCE, row_groups=[group], columns=[self._leaf], use_threads=False
            ):
                column = batch.column(0)
                leaf = column if self._leaf == self._image else column.flatten()[0]
                yield leaf.to_pylist()


def _opened(path: Path, repeating: Sequence[str] = ()) -> Any:
    try:
        from pyarrow import parquet
    except ImportError as error:
        raise DataError(
            f'{path}: to read Parquet, install pyarrow: pip install "bakeoff[parquet]"'
        ) from error
    return parquet.ParquetFile(path, memory_map=True, read_dictionary=list(repeating))


@contextmanager
def _damage(where: str) -> Iterator[None]:
    """Turn what pyarrow raises where a file is not as it promises into one line."""
    try:
        yield
    except (DataError, StudyError):
        raise
    except UnreadableError as error:
        raise DataError(f"{error}; get the file again") from error
    except OSError as error:
        reason = os.strerror(error.errno) if error.errno else f"damaged ({shortened(str(error))})"
        raise DataError(f"{where}: {reason}; get the file again") from error
    # All that its own errors inherit from.
    except Exception as error:
        reason = shortened(str(error).splitlines()[0] if str(error) else type(error).__name__)
        raise DataError(
            f"{where}: damaged, or no Parquet file ({reason}); get the file again"
        ) from error


def _image_column(schema: Any, where: str) -> tuple[str, str]:
    """Return the column of images and the leaf of it that holds their bytes."""
    found = {}
    for column in schema:
        kind = str(column.type)
        if kind in ("binary", "large_binary"):
            found[column.name] = column.name
        elif kind.startswith("struct<") and any(
            inner.name == "bytes" and str(inner.type) in ("binary", "large_binary")
            for inner in column.type
        ):
            found[column.name] = f"{column.name}.bytes"
    named = [name for name in _IMAGES if name in found] or list(found)
    if not found or (len(found) > 1 and named[0] not in _IMAGES):
        what = "several columns" if found else "no column"
        raise DataError(
            f"{where}: {what} with encoded images among {_listed(schema.names)}; call it image, "
            "and let it hold bytes of PNG or JPEG"
        )
    return named[0], found[named[0]]


def _label_column(schema: Any, where: str) -> str:
    for name in _LABELS:
        if name in schema.names:
            return name
    raise DataError(
        f"{where}: no labels among the columns {_listed(schema.names)}; call theirs label"
    )


def _class_names(metadata: Mapping[bytes, bytes], where: str) -> dict[str, list[str]]:
    """Return column -> names of its numbers, as Hugging Face writes them beside the schema."""
    content = metadata.get(b"huggingface")
    document = parse_json(content, where) if content else None
    named = {}
    try:
        for column, feature in document["info"]["features"].items() if document else ():
            if isinstance(feature, dict) and isinstance(feature.get("names"), list):
                named[column] = [str(name) for name in feature["names"]]
    except (KeyError, TypeError, AttributeError):
        return {}  # Somebody else's notes.
    return named


def _text(value: Any, called: Sequence[str] | None) -> str | None:
    """Return a value as text; None where it says nothing, or no class that has a name."""
    if isinstance(value, float) and math.isfinite(value) and value == int(value):
        value = int(value)
    if isinstance(value, int):
        if called is None:
            return str(int(value))
        return unicodedata.normalize("NFC", called[value]) if 0 <= value < len(called) else None
    if isinstance(value, str):
        return unicodedata.normalize("NFC", value.strip()) or None
    return None


def _listed(names: Sequence[str], most: int = 20) -> str:
    return ", ".join(names[:most]) + (", …" if len(names) > most else "")
