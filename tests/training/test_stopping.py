from __future__ import annotations

import pytest

from bakeoff.study.study import Recipe
from bakeoff.training.stopping import stop_reason

FIXED = Recipe(epochs=3)
TARGET = Recipe(epochs=3, target_validation_accuracy=0.9)


@pytest.mark.parametrize(
    ("recipe", "epoch", "accuracy", "reason"),
    [
        (FIXED, 1, 1.0, None),
        (FIXED, 2, 0.0, None),
        (FIXED, 3, 1.0, "budget used"),
        (TARGET, 1, 0.8999, None),
        (TARGET, 1, 0.9, "target reached"),
        (TARGET, 3, 0.9, "target reached"),
        (TARGET, 3, 0.8999, "target not reached"),
        (TARGET, 2, float("nan"), None),
    ],
)
def test_training_ends_at_the_target_or_when_the_budget_is_used(
    recipe: Recipe, epoch: int, accuracy: float, reason: str | None
) -> None:
    assert stop_reason(recipe, epoch, accuracy) == reason
