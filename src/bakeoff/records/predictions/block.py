"""The rows of one file, whatever it was: who says what of which item, and where that stands."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path

import numpy as np
from numpy.typing import NDArray

from bakeoff.records.predictions.names import Names


@dataclass(frozen=True, eq=False)
class Block:
    """What stands in the rows of one file; None for what does not.

    Attributes:
        file: that it was read from.
        line: what a row's number counts: "line", "row", "sample".
        lines: int64 [rows], those numbers.
        format: what the file was taken for, in words, with the columns that were used.
        item, entrant, seed, label, predicted, group: texts.
        scores: a stored judgement, bool or float64 [rows].
        score: what it is called.
        probabilities: float32 [rows, classes]; `classes` says of which.
        first_class: the class with the highest score, int64 [rows], into `classes`; where two
            share it, the first of them.
        content: a digest of what each item asks, where the file has one.

    """

    file: Path
    line: str
    lines: NDArray[np.int64]
    format: str
    item: Names | None = None
    entrant: Names | None = None
    seed: Names | None = None
    label: Names | None = None
    predicted: Names | None = None
    group: Names | None = None
    scores: NDArray[np.bool_] | NDArray[np.float64] | None = None
    score: str = ""
    probabilities: NDArray[np.float32] | None = None
    classes: tuple[str, ...] = ()
    first_class: NDArray[np.int64] | None = None
    content: Names | None = None

    @property
    def rows(self) -> int:
        """The number of rows."""
        return len(self.lines)

    @property
    def where(self) -> Callable[[int], str]:
        """What errors call a row."""
        return lambda row: f"{self.file}: {self.line} {self.lines[row]}"
