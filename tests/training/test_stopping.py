from __future__ import annotations

import pytest

from bakeoff.records.record import Stopped
from bakeoff.study.study import Recipe
from bakeoff.training.loop import EpochLoss
from bakeoff.training.stopping import divergence, planned_end

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
    end = planned_end(recipe, epoch, accuracy)
    expected = reason and Stopped.model_validate({"epoch": epoch, "reason": reason})
    assert end == expected


INFINITE, NO_NUMBER = float("inf"), float("nan")
NOT_FINITE = Stopped(epoch=4, reason="loss not finite")
TOO_LARGE = Stopped(epoch=4, reason="numbers too large")


@pytest.mark.parametrize(
    ("loss", "validation_loss", "stopped"),
    [
        (EpochLoss(0.0, None), 0.0, None),
        (EpochLoss(1e-45, None), 1e15, None),
        (EpochLoss(1e15, None), 1e-45, None),
        (EpochLoss(1.001e15, None), 0.5, TOO_LARGE),
        (EpochLoss(0.5, None), 4e20, TOO_LARGE),
        (EpochLoss(0.5, None), INFINITE, NOT_FINITE),
        (EpochLoss(4e20, None), NO_NUMBER, NOT_FINITE),
        (EpochLoss(NO_NUMBER, 2), 0.5, Stopped(epoch=4, reason="loss not finite", step=2)),
        (EpochLoss(INFINITE, 1), 4e20, Stopped(epoch=4, reason="loss not finite", step=1)),
    ],
)
def test_training_ends_where_a_loss_says_nothing_any_more(
    loss: EpochLoss, validation_loss: float, stopped: Stopped | None
) -> None:
    assert divergence(4, loss, validation_loss) == stopped
    assert stopped is None or stopped.diverged


def test_a_training_that_came_to_its_end_has_not_diverged() -> None:
    assert not any(
        Stopped.model_validate({"epoch": 1, "reason": reason}).diverged
        for reason in ("budget used", "target reached", "target not reached", "out of memory")
    )
