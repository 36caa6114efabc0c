"""Predictions that are given as arrays, in Python."""

from __future__ import annotations

from collections.abc import Mapping, Sequence

import numpy as np
from numpy.typing import ArrayLike, NDArray

from bakeoff.errors import DataError
from bakeoff.records.predictions.predictions import Answers, Predictions
from bakeoff.text import counted

_NEAR_ONE = 0.01
"""How far probabilities may be from a sum of 1, that were rounded."""


def predictions_of_arrays(
    answers: Mapping[str, ArrayLike],
    labels: ArrayLike | None,
    groups: ArrayLike | None,
    items: Sequence[str] | None,
    classes: Sequence[str] | None,
) -> Predictions:
    """Return what arrays say, which are what their dtype and dimensions tell.

    Arguments as of `bakeoff.judge`. Raises DataError where they do not fit together.
    """
    truth = None if labels is None else _labels(labels)
    found = [_answers(name, np.asarray(given), truth) for name, given in answers.items()]
    if not found:
        raise DataError("no answers: give an array for each entrant")
    number = _same_number_of_items(found, truth, items, groups)
    of_group: NDArray[np.int64] | None = None
    group_names: tuple[str, ...] = ()
    if groups is not None:
        names, places = np.unique(np.asarray(groups), return_inverse=True)
        of_group = places.astype(np.int64)
        group_names = tuple(str(name) for name in names.tolist())
    runs = sum(len(each.seeds) for each in found)
    return Predictions(
        items=tuple(str(place) for place in range(number)) if items is None else tuple(items),
        classes=_classes(found, truth, classes),
        labels=truth,
        groups=of_group,
        group_names=group_names,
        answers=tuple(found),
        score="score",
        understood=(
            f"arrays: {counted(len(found), 'entrant')}, {counted(runs, 'run')}, "
            f"{counted(number, 'item')}; runs are paired by their place",
        ),
        left_out=(),
    )


def _labels(labels: ArrayLike) -> NDArray[np.int64]:
    truth = np.asarray(labels)
    if truth.ndim != 1 or truth.dtype.kind not in "iu" or (truth < 0).any():
        raise DataError(
            f"labels: {truth.dtype} {list(truth.shape)}; give class numbers, integer [items]"
        )
    return truth.astype(np.int64)


def _answers(name: str, given: NDArray[np.generic], labels: NDArray[np.int64] | None) -> Answers:
    """Return the answers of one entrant, which are what their dtype and dimensions say."""
    kind = given.dtype.kind
    rows = given[None] if given.ndim == 1 else given
    if rows.ndim not in (2, 3) or kind not in "biuf" or (rows.ndim == 3 and kind != "f"):
        raise DataError(
            f"{name}: {given.dtype} {list(given.shape)}; give integer [seeds, items], float "
            "[seeds, items, classes] or [seeds, items], or bool [seeds, items]"
        )
    if not rows.size:
        raise DataError(f"{name}: an empty array {list(given.shape)}; give at least one answer")
    if kind == "f" and not np.isfinite(rows).all():
        place = tuple(np.argwhere(~np.isfinite(rows))[0].tolist())
        raise DataError(f"{name}: {rows[place]} at {list(place)}; give finite numbers")
    seeds = tuple(range(len(rows)))
    if kind == "b":
        return Answers(name, seeds, correct=rows.astype(np.bool_))
    if rows.ndim == 2 and kind == "f":
        return Answers(name, seeds, scores=rows.astype(np.float64))
    if labels is None:
        raise DataError(f"{name}: classes need labels; give them, or scores as floats")
    if rows.shape[1] != len(labels):
        raise DataError(_misfit(name, rows.shape[1], len(labels), "labels"))
    probabilities = None
    predicted = rows.astype(np.int64)
    if kind == "f":
        probabilities = _probabilities(name, rows)
        predicted = rows.argmax(axis=2)
    if (predicted < 0).any():
        raise DataError(f"{name}: a class below 0; give class numbers from 0")
    right = predicted == labels
    return Answers(name, seeds, predicted=predicted, probabilities=probabilities, correct=right)


def _probabilities(name: str, given: NDArray[np.generic]) -> NDArray[np.float32]:
    shares = given.astype(np.float32)
    wrong = (shares < 0).any(axis=2) | (abs(shares.sum(axis=2) - 1) > _NEAR_ONE)
    if wrong.any():
        run, item = np.argwhere(wrong)[0].tolist()
        raise DataError(
            f"{name}, run {run}, item {item}: {shares[run, item].sum():g} is the sum of its "
            "numbers, not 1; give probabilities"
        )
    return shares


def _same_number_of_items(
    found: Sequence[Answers],
    labels: NDArray[np.int64] | None,
    items: Sequence[str] | None,
    groups: ArrayLike | None,
) -> int:
    """Return how many items there are; raise DataError where arrays differ in that."""

    def items_of(each: Answers) -> int:
        told = (each.predicted, each.scores, each.correct)
        return next(int(array.shape[1]) for array in told if array is not None)

    number = items_of(found[0])
    for each in found[1:]:
        if items_of(each) != number:
            raise DataError(_misfit(each.name, items_of(each), number, found[0].name))
    for what, given in (("labels", labels), ("items", items), ("groups", groups)):
        if given is not None and len(np.asarray(given)) != number:
            raise DataError(_misfit(what, len(np.asarray(given)), number, found[0].name))
    return number


def _misfit(name: str, has: int, number: int, other: str) -> str:
    return (
        f"{name}: {counted(has, 'item')}, and {number:,} of {other}; give each the same items, as "
        "[seeds, items] or [seeds, items, classes]"
    )


def _classes(
    found: Sequence[Answers], labels: NDArray[np.int64] | None, names: Sequence[str] | None
) -> tuple[str, ...]:
    """Return what classes are called; nothing where answers are not classes."""
    told = [each for each in found if each.predicted is not None]
    if labels is None or not told:
        return ()
    given = [each.probabilities.shape[2] for each in told if each.probabilities is not None]
    said = [int(each.predicted.max()) + 1 for each in told if each.predicted is not None]
    number = max(*given, *said, int(labels.max()) + 1)
    if names is None:
        return tuple(str(place) for place in range(number))
    if len(names) < number:
        raise DataError(f"classes: {len(names)} names for {number} classes; name each")
    return tuple(names)
