"""The finding of a study in a sentence or two, which say no more than the data do."""

from __future__ import annotations

from collections.abc import Sequence
from typing import TYPE_CHECKING

from bakeoff.comparison.compare import Comparison
from bakeoff.comparison.pair import PairComparison
from bakeoff.comparison.words import listed
from bakeoff.text import counted

if TYPE_CHECKING:  # A judgement of predictions waits for neither.
    from bakeoff.findings.standings import Standing
    from bakeoff.study.study import Study


NAMED = 6
"""So many names can be read in a sentence."""


def answer(study: Study, rows: Sequence[Standing], comparison: Comparison) -> str:
    """Return who stands first on validation data, and what its test scores can and cannot tell.

    rows: the standings, the first of them with at least one complete trial. While planned trials
    are missing there is no finding.
    """
    missing, planned = sum(row.missing for row in rows), sum(row.planned for row in rows)
    if missing:
        return f"{planned - missing} of {counted(planned, 'trial')}; no finding yet."
    winner = rows[0]
    metric = study.protocol.selection_metric
    tested = winner.test_accuracy if metric == "accuracy" else winner.test_balanced_accuracy
    named = "an accuracy" if metric == "accuracy" else "a balanced accuracy"
    first = (
        f"{winner.entrant} stands first on validation data, with {named} of "
        f"{winner.selected_by(metric):.4f} there and {tested:.4f} on the test images"
    )
    others = [row for row in rows[1:] if row.trials]
    if not others:
        return f"{first}; there is no other entrant to compare it with."
    if winner.trials == 1 and comparison.about == "architectures":
        trained = (
            f"one training of {winner.entrant}, so it says something of this trained network"
            if any(row.trials > 1 for row in others)
            else "one training of each network, so it ranks these trained networks"
        )
        return f"{first}. That is {trained}; it cannot tell which architecture is better."
    where = "On the test images"
    if comparison.about == "models":
        where = "Of these trained models, on new test images,"
    return f"{first}. {where} it {against(winner.entrant, comparison)}."


def pairs_of(entrant: str, comparison: Comparison) -> list[PairComparison]:
    """Return the pairs that are tested and that `entrant` is part of."""
    return [pair for pair in comparison.tested if entrant in (pair.a, pair.b)]


def beats_all(entrant: str, comparison: Comparison) -> bool:
    """Return whether the verdicts show an entrant to be better than every other one."""
    pairs = [pair for pair in comparison.pairs if entrant in (pair.a, pair.b)]
    return bool(pairs) and all(
        pair.verdict.kind == "better" and pair.verdict.better == entrant for pair in pairs
    )


def against(winner: str, comparison: Comparison) -> str:
    """Return how the winner fares against each of the others, in words."""
    said: dict[str, list[str]] = {
        "is better than {}": [],
        "is equivalent to {}": [],
        "is ahead of {} (not yet proven)": [],
        "cannot be told from {}": [],
        "is behind {} (not yet proven)": [],
        "is worse than {}": [],
    }
    for pair in pairs_of(winner, comparison):
        said[_standing(winner, pair)].append(pair.b if pair.a == winner else pair.a)
    return listed([told.format(_named(names)) for told, names in said.items() if names])


def _standing(winner: str, pair: PairComparison) -> str:
    verdict = pair.verdict
    first = winner in (verdict.better, verdict.ahead)
    if verdict.kind == "equivalent":
        return "is equivalent to {}"
    if verdict.kind == "better":
        return "is better than {}" if first else "is worse than {}"
    if verdict.ahead is None:
        return "cannot be told from {}"
    return f"is {'ahead of' if first else 'behind'} {{}} (not yet proven)"


def _named(names: Sequence[str]) -> str:
    return listed(names) if len(names) <= NAMED else f"{len(names)} others"
