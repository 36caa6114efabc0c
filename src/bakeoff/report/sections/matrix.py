"""Every pair of entrants: the win matrix, and the order in which pairs are told."""

from __future__ import annotations

from dataclasses import dataclass, replace

from bakeoff.findings.findings import Findings
from bakeoff.report import words
from bakeoff.report.concluded import Alone, Concluded, FixedTest, Pair, Ratio


@dataclass(frozen=True)
class Duel:
    """One cell: how the row's entrant stands against the column's."""

    kind: str
    """`better`, `worse`, `equivalent`, `undecided`, `same` (the diagonal) or `absent`."""
    symbol: str
    """Says the kind without colour."""
    text: str
    """The difference in points, row minus column."""
    sentence: str


@dataclass(frozen=True)
class Matrix:
    """All pairs, entrants in the order of the table."""

    names: tuple[str, ...]
    rows: tuple[tuple[Duel, ...], ...]


_SYMBOLS = {"better": "▲", "worse": "▼", "equivalent": "≈", "undecided": "?"}


def _minus(value: float | None) -> float | None:
    return None if value is None else -value


def _inverse(value: float | None) -> float | None:
    return None if value is None else 1 / value


def turned(pair: Pair) -> Pair:
    """Return the same pair as the difference b - a. The sentence stays as it was written."""
    alone = pair.alone and Alone(pair.alone.only_b, pair.alone.only_a, pair.alone.p_value)
    fixed = pair.fixed_test and FixedTest(
        -pair.fixed_test.high, -pair.fixed_test.low, pair.fixed_test.p_value
    )
    ratio = pair.ratio and Ratio(
        1 / pair.ratio.ratio, _inverse(pair.ratio.high), _inverse(pair.ratio.low), pair.ratio.rounds
    )
    return replace(
        pair,
        a=pair.b,
        b=pair.a,
        difference=_minus(pair.difference),
        low=_minus(pair.high),
        high=_minus(pair.low),
        fixed_test=fixed,
        alone=alone,
        ratio=ratio,
    )


def _duel(pair: Pair | None, row: str, column: str) -> Duel:
    if row == column:
        return Duel("same", "", "", "")
    if pair is None:
        return Duel("absent", "", words.MISSING, "not compared")
    seen = pair if pair.a == row else turned(pair)
    kind = "worse" if seen.verdict == "better" and seen.better == column else seen.verdict
    return Duel(kind, _SYMBOLS.get(kind, "?"), words.points(seen.difference), seen.sentence)


def matrix(findings: Findings, concluded: Concluded) -> Matrix | None:
    """Return the win matrix; None where no pair was compared."""
    if not concluded.pairs:
        return None
    names = tuple(row.entrant for row in findings.standings)
    return Matrix(
        names=names,
        rows=tuple(
            tuple(_duel(concluded.pair(row, column), row, column) for column in names)
            for row in names
        ),
    )


def in_order(findings: Findings, concluded: Concluded) -> tuple[Pair, ...]:
    """Return every pair with the entrant first that stands higher, the winner's pairs first."""
    names = [row.entrant for row in findings.standings]
    return tuple(
        pair if pair.a == a else turned(pair)
        for place, a in enumerate(names)
        for b in names[place + 1 :]
        if (pair := concluded.pair(a, b)) is not None
    )


def told(pair: Pair) -> str:
    """Return the pair's name where its sentence does not give it: in the order of the sentence."""
    if pair.a in pair.sentence and pair.b in pair.sentence:
        return ""
    return f"{pair.a} minus {pair.b}"
