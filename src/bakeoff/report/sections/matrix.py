"""Every pair of entrants: the win matrix."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Literal

from bakeoff.comparison.compare import Comparison
from bakeoff.comparison.pair import PairComparison
from bakeoff.report import words

Kind = Literal["better", "worse", "equivalent", "undecided", "same"]

_SYMBOLS: dict[Kind, str] = {"better": "▲", "worse": "▼", "equivalent": "≈", "undecided": "?"}


@dataclass(frozen=True)
class Duel:
    """One cell: how the row's entrant stands against the column's."""

    kind: Kind
    """`same` on the diagonal."""
    text: str = ""
    """The difference in points, row minus column."""
    sentence: str = ""

    @property
    def symbol(self) -> str:
        """A sign that says the kind without colour."""
        return _SYMBOLS.get(self.kind, "")


@dataclass(frozen=True)
class Matrix:
    """All pairs, entrants in the order of the table."""

    names: tuple[str, ...]
    rows: tuple[tuple[Duel, ...], ...]


def matrix(comparison: Comparison) -> Matrix | None:
    """Return the win matrix; None where no pair was compared."""
    if not comparison.pairs:
        return None
    names = tuple(entrant.name for entrant in comparison.entrants)
    duels = {(name, name): Duel("same") for name in names}
    for pair in comparison.pairs:
        duels[pair.a, pair.b] = _duel(pair, pair.a, 1)
        duels[pair.b, pair.a] = _duel(pair, pair.b, -1)
    return Matrix(names, tuple(tuple(duels[row, column] for column in names) for row in names))


def _duel(pair: PairComparison, row: str, sign: int) -> Duel:
    verdict = pair.verdict
    kind: Kind = verdict.kind
    if kind == "better" and verdict.better != row:
        kind = "worse"
    difference = None if pair.difference is None else sign * pair.difference
    return Duel(kind, words.signed_points(difference), verdict.sentence)
