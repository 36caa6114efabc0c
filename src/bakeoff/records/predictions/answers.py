"""What answers are: scores of classes, of one kind or another, or a judgement."""

from __future__ import annotations

from collections.abc import Callable
from typing import Literal

import numpy as np
from numpy.typing import NDArray

from bakeoff.errors import DataError

Form = Literal["probabilities", "log-probabilities", "percent", "logits"]
_NEAR_ONE = 0.001
_FURTHEST = 0.05
_RIGHT = ("1", "1.0", "true", "yes", "correct", "right", "c")
_WRONG = ("0", "0.0", "false", "no", "incorrect", "wrong", "i")
_VERDICTS = dict.fromkeys(_RIGHT, True) | dict.fromkeys(_WRONG, False)


def form_of(scores: NDArray[np.float64], where: Callable[[int], str]) -> Form:
    """Return what scores of classes [rows, classes] are.

    where: what a row is called. Raises DataError, naming the row, where most rows are probabilities
    and one is not, and where they are shares that do not sum to one: nothing is made to fit.
    """
    sums, low, high = scores.sum(axis=1), scores.min(axis=1), scores.max(axis=1)
    near = _rounding(scores)
    share = (low >= 0) & (high <= 1 + near)
    kinds: tuple[tuple[Form, NDArray[np.bool_], str], ...] = (
        ("probabilities", share & (np.abs(sums - 1) <= near), "1"),
        ("percent", (low >= 0) & (np.abs(sums - 100) <= max(near, 100 * _NEAR_ONE)), "100"),
        ("log-probabilities", (high <= 0) & _sums_to_one(scores), "1 as probabilities"),
    )
    for name, fits, total in kinds:
        if fits.all():
            return name
        if fits.mean() > 0.5:
            row = int(np.flatnonzero(~fits)[0])
            raise DataError(
                f"{where(row)}: scores sum to {_total(name, scores[row]):.6g}, not to {total} as "
                "those of other rows; mend the row"
            )
    if share.all():
        raise DataError(
            f"{where(0)}: scores between 0 and 1 sum to {sums[0]:.6g}, not to 1, so they are no "
            "probabilities; give probabilities, logits, or the predicted class"
        )
    return "logits"


def _rounding(scores: NDArray[np.float64]) -> float:
    """Return how far from 1 a row may be because its probabilities were rounded for the file."""
    for decimals in (1, 2, 3, 4):
        shifted = scores * 10**decimals
        if (np.abs(shifted - np.round(shifted)) < 1e-6).all():
            most = float(scores.shape[1] * 0.5 / 10**decimals + 1e-9)
            return min(max(most, _NEAR_ONE), _FURTHEST)
    return _NEAR_ONE


def _sums_to_one(scores: NDArray[np.float64]) -> NDArray[np.bool_]:
    with np.errstate(over="ignore"):
        found: NDArray[np.bool_] = np.abs(np.exp(scores).sum(axis=1) - 1) <= 10 * _NEAR_ONE
    return found


def _total(form: Form, row: NDArray[np.float64]) -> float:
    return float((np.exp(row) if form == "log-probabilities" else row).sum())


def probabilities_of(scores: NDArray[np.float64], form: Form) -> NDArray[np.float32]:
    """Return what scores of classes come to as probabilities: the softmax of logits."""
    if form == "probabilities":
        return scores.astype(np.float32)
    if form == "percent":
        return (scores / 100).astype(np.float32)
    if form == "log-probabilities":
        return np.exp(scores).astype(np.float32)
    powers = np.exp(scores - scores.max(axis=1, keepdims=True))
    found: NDArray[np.float32] = (powers / powers.sum(axis=1, keepdims=True)).astype(np.float32)
    return found


def ties_in(scores: NDArray[np.float64]) -> int:
    """Return in how many rows two classes share the highest score."""
    return int(((scores == scores.max(axis=1, keepdims=True)).sum(axis=1) > 1).sum())


def judgement_of(
    values: tuple[str, ...], codes: NDArray[np.int32], where: Callable[[int], str], column: str
) -> NDArray[np.bool_] | NDArray[np.float64]:
    """Return a stored judgement: whether answers are right, or how good they are."""
    told = [_VERDICTS.get(value.casefold()) for value in values]
    if all(each is not None for each in told):
        return np.array(told, np.bool_)[codes]
    numbers = np.array([_number(value) for value in values])
    bad = ~np.isfinite(numbers)
    if bad.any():
        row = int(np.flatnonzero(bad[codes])[0])
        text = values[codes[row]]
        shown = repr(text) if text else "nothing"
        raise DataError(f"{where(row)}: {shown} in column {column!r} is no finite number; mend it")
    return numbers[codes]


def _number(text: str) -> float:
    try:
        return float(text)
    except ValueError:
        return float("nan")
