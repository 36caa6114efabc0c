"""Every pair of entrants: the win matrix."""

from __future__ import annotations

from typing import Literal, NamedTuple

from bakeoff.comparison.compare import Comparison
from bakeoff.comparison.pair import PairComparison
from bakeoff.comparison.statistics.holm import holm
from bakeoff.comparison.verdict import of_trained_models

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
    found, ahead = {}, _ahead(comparison)
    opposite: dict[Kind, Kind] = {"better": "worse", "ahead": "behind"}
    for pair in comparison.pairs:
        sentence = pair.verdict.sentence
        if pair.of_one_seed:
            sentence = of_trained_models(pair.a, pair.b, pair.of_one_seed)
        leader = pair.verdict.better or ahead.get((pair.a, pair.b))
        kind: Kind = pair.verdict.kind
        if kind == "undecided" and leader:
            kind = "ahead"
        for row, column, sign in ((pair.a, pair.b, 1), (pair.b, pair.a, -1)):
            seen = opposite.get(kind, kind) if column == leader else kind
            difference = None if pair.difference is None else sign * pair.difference
            found[row, column] = Duel(seen, difference, sentence)
    return found


def _ahead(comparison: Comparison) -> dict[tuple[str, str], str]:
    """Return who is ahead where the verdict is open, by pair.

    With verdicts: the pair's own p-value is below the level, the corrected one is not. With one
    seed everywhere: McNemar's test says so of the trained networks, after Holm's correction.
    """
    level = 1 - comparison.confidence
    open_pairs = [pair for pair in comparison.tested if pair.verdict.kind == "undecided"]
    found = {
        (pair.a, pair.b): _leader(pair, comparison)
        for pair in open_pairs
        if pair.evidence and pair.evidence.p_value < level
    }
    if any(pair.evidence for pair in comparison.tested):
        return found
    single = [(pair, pair.of_one_seed) for pair in open_pairs if pair.of_one_seed]
    for (pair, _), p_value in zip(single, holm([one.p_value for _, one in single]), strict=True):
        if p_value < level:
            found[pair.a, pair.b] = _leader(pair, comparison)
    return found


def _leader(pair: PairComparison, comparison: Comparison) -> str:
    return pair.a if comparison.scale.sign * (pair.difference or 0) > 0 else pair.b
