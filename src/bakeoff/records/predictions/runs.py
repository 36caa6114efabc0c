"""Runs of entrants, as rows of files, and the items that all of them answer."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from bakeoff.records.predictions.block import Block
from bakeoff.text import shortened


@dataclass(frozen=True, eq=False)
class Run:
    """The rows of a block that are one run of one entrant."""

    entrant: str
    seed: int | str
    block: Block
    rows: NDArray[np.int64]


@dataclass(frozen=True, eq=False)
class Items:
    """All items, and for each run the row that answers each."""

    names: tuple[str, ...]
    by: str
    rows: tuple[NDArray[np.int64], ...]
    left_out: tuple[str, ...]


def shown(text: str) -> str:
    """Return the name of an item or class, cut where it is long."""
    return shortened(text, 60)
