"""Labels as people store them, as the names of classes."""

from __future__ import annotations

import math
import unicodedata
from typing import Any

import numpy as np
from numpy.typing import NDArray

from bakeoff.data.readers.stored import Rows, Stored
from bakeoff.errors import DataError

_LARGEST = 512 << 20  # Bytes of labels that are read: 8 for each of 64 million.


def labels_of(array: Stored, images: Rows, classes: list[str] | None = None) -> list[str]:
    """Return the class of each image, as text.

    Labels are whole numbers of any type, text, bytes of UTF-8, or a column for each class with one
    1 in each row. A number is called as it is written, 1.0 as 1, or by its place in `classes`.
    Raises DataError, naming the array and the row, where a label is none.
    """
    refuse_other_length(array, images)
    values = _values(array)
    if values.ndim == 2:
        values = _places_of_ones(values, array.where)
    elif values.ndim != 1:
        raise DataError(
            f"{array.where}: labels of shape {list(array.shape)}; give one for each image"
        )
    texts = texts_of(values, array.where)
    if classes is None or values.dtype.kind in "US":
        return texts
    return _called(texts, classes, array.where)


def refuse_other_length(array: Rows, images: Rows) -> None:
    """Raise DataError where there is not one row for each image."""
    if array.shape[:1] != images.shape[:1]:
        found = f"{array.shape[0]:,} labels" if array.shape else "a single number"
        raise DataError(
            f"{images.where}: {images.shape[0]:,} images, and {array.where}: {found}; give one "
            "for each"
        )


def texts_of(values: NDArray[Any], where: str) -> list[str]:
    """Return each of the values [n] as text, in NFC; raise DataError where one says nothing."""
    if values.dtype.kind == "f":
        values = _whole(values, where)
    if values.dtype.kind == "S":
        texts = [_decoded(each, row, where) for row, each in enumerate(values.tolist())]
    elif values.dtype.kind == "U":
        texts = values.tolist()
    elif values.dtype.kind in "bui":
        # As numbers also where they are truth values, since another part may hold 0 and 1.
        texts = [str(int(each)) for each in values.tolist()]
    else:
        raise DataError(f"{where}: {values.dtype} is no labels; give whole numbers or text")
    texts = [unicodedata.normalize("NFC", text.strip()) for text in texts]
    if "" in texts:
        raise DataError(f"{where}[{texts.index('')}]: an empty label; name the class")
    return texts


def _values(array: Stored) -> NDArray[Any]:
    if math.prod(array.shape) * array.dtype.itemsize > _LARGEST:
        raise DataError(f"{array.where}: labels of shape {list(array.shape)}; give one a row")
    return array.whole()


def _places_of_ones(values: NDArray[Any], where: str) -> NDArray[Any]:
    """Return the class of each row of [n, classes], or the only column of [n, 1]."""
    if values.shape[1] == 1:
        return values[:, 0]
    ones = values == 1
    wrong = np.flatnonzero((ones.sum(axis=1) != 1) | (values.astype(bool) != ones).any(axis=1))
    if values.dtype.kind not in "buif" or wrong.size:
        row = f"[{wrong[0]}]" if wrong.size else ""
        raise DataError(
            f"{where}{row}: {values.shape[1]:,} values, not a single 1 among zeros; give each "
            "image one class"
        )
    places: NDArray[np.int64] = ones.argmax(axis=1)
    return places


def _whole(values: NDArray[Any], where: str) -> NDArray[np.int64]:
    # Beyond, a float skips whole numbers.
    fits = np.isfinite(values) & (np.abs(values) < 2.0**53)
    wrong = np.flatnonzero(
        ~fits | (np.where(fits, values, 0) != np.rint(np.where(fits, values, 0)))
    )
    if wrong.size:
        row = wrong[0]
        raise DataError(f"{where}[{row}]: {values[row]:g} is no class; give whole numbers or text")
    return values.astype(np.int64)


def _decoded(text: bytes, row: int, where: str) -> str:
    try:
        return text.decode()
    except UnicodeDecodeError as error:
        raise DataError(f"{where}[{row}]: not text in UTF-8; write the class in UTF-8") from error


def _called(texts: list[str], classes: list[str], where: str) -> list[str]:
    """Return the names of numbers that count from 0."""
    names = {str(number): name for number, name in enumerate(classes)}
    for row, text in enumerate(texts):
        if text not in names:
            raise DataError(
                f"{where}[{row}]: label {text}, of {len(classes):,} classes with names, which "
                f"count from 0 to {len(classes) - 1:,}; give as many names as there are classes"
            )
    return [names[text] for text in texts]
