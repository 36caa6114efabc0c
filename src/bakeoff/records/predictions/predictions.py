"""What was read of predictions made elsewhere: one array of answers for each entrant."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray


@dataclass(frozen=True, eq=False)
class Answers:
    """What one entrant says of every item, in each of its runs.

    Attributes:
        name: the entrant.
        seeds: what its runs are called; numbers where they are numbers.
        predicted: class numbers, int64 [seeds, items]; None where nothing says a class.
        probabilities: float32 [seeds, items, classes], as they stand in the file, or the softmax of
            logits; None where there are none.
        scores: a stored judgement that is not right or wrong, float64 [seeds, items]; else None.
        correct: whether each answer is right, bool [seeds, items]: a stored judgement, or whether
            `predicted` is the label; None where that is not known.

    """

    name: str
    seeds: tuple[int | str, ...]
    predicted: NDArray[np.int64] | None = None
    probabilities: NDArray[np.float32] | None = None
    scores: NDArray[np.float64] | None = None
    correct: NDArray[np.bool_] | None = None


@dataclass(frozen=True, eq=False)
class Predictions:
    """The answers of all entrants to the same items.

    Attributes:
        items: what each is called.
        classes: what class numbers stand for; empty where answers are not classes.
        labels: true classes, int64 [items], or None.
        groups: what each item belongs to, int64 [items], numbers into `group_names`; or None.
        group_names: what groups are called.
        answers: one per entrant, in the order in which they were met.
        score: what the judgement is called in the files, as "correct" or "f1".
        understood: what the files were taken for, a line each.
        left_out: what takes no part, a line each.

    """

    items: tuple[str, ...]
    classes: tuple[str, ...]
    labels: NDArray[np.int64] | None
    groups: NDArray[np.int64] | None
    group_names: tuple[str, ...]
    answers: tuple[Answers, ...]
    score: str
    understood: tuple[str, ...]
    left_out: tuple[str, ...]
