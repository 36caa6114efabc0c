"""What every function here asks of its arrays, each with one line that says what to mend."""

from __future__ import annotations

import numpy as np
from numpy.typing import ArrayLike, NDArray

from bakeoff.errors import DataError

Floats = NDArray[np.float64]
Bools = NDArray[np.bool_]
Integers = NDArray[np.int64]
Scores = NDArray[np.float64] | NDArray[np.int8]


def booleans(values: ArrayLike, name: str, axes: tuple[str, ...]) -> Bools:
    """Return `values` as a boolean array with the named axes, or raise DataError."""
    array = np.asarray(values)
    if array.dtype != np.bool_:
        raise DataError(
            f"{name} has dtype {array.dtype}, not bool: give predicted == labels, True where right"
        )
    _check_axes(array, name, axes)
    return array


def integers(values: ArrayLike, name: str, axes: tuple[str, ...]) -> Integers:
    """Return `values` as an int64 array with the named axes, or raise DataError."""
    array = np.asarray(values)
    if not np.issubdtype(array.dtype, np.integer):
        raise DataError(
            f"{name} has dtype {array.dtype}, not an integer type: give class numbers from 0 up"
        )
    _check_axes(array, name, axes)
    return array.astype(np.int64)


def finite(values: ArrayLike, name: str, axes: tuple[str, ...]) -> Floats:
    """Return `values` as a float64 array of finite numbers with the named axes, or raise."""
    array = np.asarray(values)
    if array.dtype == np.bool_ or not np.issubdtype(array.dtype, np.number):
        raise DataError(f"{name} has dtype {array.dtype}: give real numbers")
    _check_axes(array, name, axes)
    numbers = array.astype(np.float64)
    if not np.isfinite(numbers).all():
        where = np.argwhere(~np.isfinite(numbers))[0]
        place = ", ".join(f"{axis} {int(index)}" for axis, index in zip(axes, where, strict=True))
        raise DataError(f"{name} holds {numbers[tuple(where)]} at {place}: give finite numbers")
    return numbers


def classes(values: ArrayLike, name: str, axes: tuple[str, ...], number: int) -> Integers:
    """Return `values` as class numbers in 0 .. number - 1, or raise DataError."""
    array = integers(values, name, axes)
    if array.size and (array.min() < 0 or array.max() >= number):
        where = np.argwhere((array < 0) | (array >= number))[0]
        place = ", ".join(f"{axis} {int(index)}" for axis, index in zip(axes, where, strict=True))
        raise DataError(
            f"{name} holds class {int(array[tuple(where)])} at {place}: "
            f"class numbers go from 0 to {number - 1}"
        )
    return array


def correct_pair(
    correct_a: ArrayLike, correct_b: ArrayLike, axes: tuple[str, ...]
) -> tuple[Bools, Bools]:
    """Return both as boolean arrays with the named axes and of one shape, or raise DataError."""
    a, b = booleans(correct_a, "correct_a", axes), booleans(correct_b, "correct_b", axes)
    if a.shape != b.shape:
        raise DataError(
            f"correct_a and correct_b have shapes {list(a.shape)} and {list(b.shape)}: "
            "both must come from the same seeds and the same test images"
        )
    return a, b


def proportion(value: float, name: str) -> float:
    """Return a number strictly between 0 and 1, or raise DataError."""
    if not 0 < value < 1:
        raise DataError(f"{name} is {value}: give a number between 0 and 1, such as 0.95")
    return float(value)


def _check_axes(array: NDArray[np.generic], name: str, axes: tuple[str, ...]) -> None:
    if array.ndim != len(axes):
        raise DataError(f"{name} has shape {list(array.shape)}: it must be [{', '.join(axes)}]")
    for axis, length in zip(axes, array.shape, strict=True):
        if length == 0:
            raise DataError(f"{name} has no {axis}: give at least one")
