"""When training ends: at a target on validation data, when the budget is used, when it diverges."""

from __future__ import annotations

import math
from typing import Literal

from bakeoff.records.limits import LARGEST_NUMBER
from bakeoff.records.record import Stopped
from bakeoff.study.study import Recipe
from bakeoff.training.loop import EpochLoss

Reason = Literal["budget used", "target reached", "target not reached"]


def stop_reason(recipe: Recipe, epoch: int, validation_accuracy: float) -> Reason | None:
    """Return why training ends after `epoch` (counted from 1), or None to go on."""
    target = recipe.target_validation_accuracy
    if target is not None and validation_accuracy >= target:
        return "target reached"
    if epoch >= recipe.epochs:
        return "budget used" if target is None else "target not reached"
    return None


def divergence(epoch: int, loss: EpochLoss, validation_loss: float) -> Stopped | None:
    """Return where training ends, if the losses of an epoch say nothing any more.

    A finite one may be too large as well: no record holds a loss above LARGEST_NUMBER.
    """
    if loss.not_finite_at is not None or not math.isfinite(validation_loss):
        return Stopped(epoch=epoch, reason="loss not finite", step=loss.not_finite_at)
    if max(loss.mean, validation_loss) > LARGEST_NUMBER:
        return Stopped(epoch=epoch, reason="numbers too large")
    return None
