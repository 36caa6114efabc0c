"""Every pair of entrants: the win matrix."""

from __future__ import annotations

from typing import Literal, NamedTuple

from bakeoff.comparison.compare import Comparison


class Duel(NamedTuple):
    """How the entrant of a row stands against that of a column."""

    kind: Literal["better", "worse", "equivalent", "undecided"]
    difference: float | None
    """Of proportions, row minus column."""
    sentence: str


def matrix(comparison: Comparison) -> dict[tuple[str, str], Duel]:
    """Return both sides of every pair, by row and column."""
    found = {}
    for pair in comparison.pairs:
        for row, column, sign in ((pair.a, pair.b, 1), (pair.b, pair.a, -1)):
            kind: Literal["better", "worse", "equivalent", "undecided"] = pair.verdict.kind
            if kind == "better" and pair.verdict.better != row:
                kind = "worse"
            difference = None if pair.difference is None else sign * pair.difference
            found[row, column] = Duel(kind, difference, pair.verdict.sentence)
    return found
