"""Every pair of entrants: the win matrix."""

from __future__ import annotations

from typing import Literal, NamedTuple

from bakeoff.comparison.compare import Comparison

Kind = Literal["better", "worse", "equivalent", "undecided", "ahead", "behind"]
"""Better and worse are verdicts. Ahead and behind are not: unproven, or of trained networks."""


class Duel(NamedTuple):
    """How the entrant of a row stands against that of a column."""

    kind: Kind
    difference: float | None
    """Of proportions, row minus column."""
    sentence: str


def matrix(comparison: Comparison) -> dict[tuple[str, str], Duel]:
    """Return both sides of every pair, by row and column."""
    found = {}
    opposite: dict[Kind, Kind] = {"better": "worse", "ahead": "behind"}
    # Beside verdicts a mark of their own for two trained networks would be read as one.
    decides = any(pair.evidence for pair in comparison.tested)
    for pair in comparison.pairs:
        verdict = pair.verdict
        ahead = None if decides and pair.of_one_seed else verdict.ahead
        kind: Kind = "ahead" if ahead else verdict.kind
        for row, column, sign in ((pair.a, pair.b, 1), (pair.b, pair.a, -1)):
            behind = column == (verdict.better or ahead)
            difference = None if pair.difference is None else sign * pair.difference
            seen = opposite.get(kind, kind) if behind else kind
            found[row, column] = Duel(seen, difference, verdict.sentence)
    return found
