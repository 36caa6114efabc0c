"""Answers drawn for the tests: two models and sixty items, and ways to write them down."""

from __future__ import annotations

from collections.abc import Sequence
from pathlib import Path
from typing import Any

import numpy as np
from numpy.typing import NDArray

ITEMS = [f"img-{at:03d}" for at in range(60)]
TRUTH = np.repeat([0, 1, 2], 20)


def answers(wrong: list[int]) -> list[int]:
    """Return the true classes, but for these items, which are taken for the next class."""
    found = TRUTH.copy()
    found[wrong] = (found[wrong] + 1) % 3
    return found.tolist()


A_WRONG = [0, 1, 25, 40]
"""56 of 60 are right."""
B_WRONG = [0, 2, 3, 4, 22, 23, 24, 41, 42, 43, 44]
"""49 of 60; a alone is right on ten, b alone on three."""
A, B = answers(A_WRONG), answers(B_WRONG)


def rows(predicted: list[int]) -> list[tuple[str, str, str]]:
    """Return (item, label, answer) of each item."""
    return [
        (item, str(label), str(answer))
        for item, label, answer in zip(ITEMS, TRUTH.tolist(), predicted, strict=True)
    ]


def table(
    file: Path,
    lines: Sequence[Sequence[str]],
    header: str = "id,label,predicted",
    separator: str = ",",
) -> Path:
    """Write a table, and return where."""
    text = [separator.join(header.split(","))] if header else []
    text += [separator.join(line) for line in lines]
    file.parent.mkdir(parents=True, exist_ok=True)
    file.write_text("\n".join(text) + "\n", encoding="utf-8")
    return file


def logits(predicted: list[int]) -> NDArray[np.float64]:
    """Return scores of three classes whose largest is the answer."""
    drawn = np.random.default_rng(7).normal(0, 0.2, (len(predicted), 3))
    drawn[np.arange(len(predicted)), predicted] += 3
    return drawn


def save(file: Path, values: Any) -> Path:
    """Write an npy file, and return where."""
    with file.open("wb") as stream:
        np.lib.format.write_array(stream, np.asarray(values), allow_pickle=False)
    return file
