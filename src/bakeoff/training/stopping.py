"""When training ends: at a target on validation data, or when the budget is used."""

from __future__ import annotations

from typing import Literal

from bakeoff.study.study import Recipe

Reason = Literal["budget used", "target reached", "target not reached"]


def stop_reason(recipe: Recipe, epoch: int, validation_accuracy: float) -> Reason | None:
    """Return why training ends after `epoch` (counted from 1), or None to go on."""
    target = recipe.target_validation_accuracy
    if target is not None and validation_accuracy >= target:
        return "target reached"
    if epoch >= recipe.epochs:
        return "budget used" if target is None else "target not reached"
    return None
