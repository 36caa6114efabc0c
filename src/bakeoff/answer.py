"""The finding of a study in one sentence, which says no more than the data do."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any

from bakeoff.standings import Standing
from bakeoff.study import Study


def answer(study: Study, rows: Sequence[Standing], comparison: Mapping[str, Any]) -> str:
    """Return the sentence: who stands first on validation data, and what that is worth."""
    winner = rows[0]
    metric = study.protocol.selection_metric
    chosen = winner.selected_by(metric)
    first = (
        f"{winner.entrant} stands first on validation data "
        f"({metric.replace('_', ' ')} {chosen:.4f}, test {winner.test_balanced_accuracy:.4f})"
    )
    if len(rows) == 1 or rows[1].trials == 0:
        return f"{first}; there is nothing to compare it with."
    if winner.trials == 1:
        return (
            f"{first}. That is one training of each network: it ranks these trained networks, "
            "not the architectures."
        )
    return f"{first}."
