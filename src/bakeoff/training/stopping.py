"""When training ends: at a target on validation data, when the budget is used, when it diverges."""

from __future__ import annotations

import math

from bakeoff.records.limits import LARGEST_NUMBER
from bakeoff.records.record import Stopped
from bakeoff.study.study import Recipe
from bakeoff.training.loop import EpochLoss


def planned_end(recipe: Recipe, epoch: int, validation_accuracy: float) -> Stopped | None:
    """Return where training ends if it ends after `epoch` (counted from 1), or None to go on."""
    target = recipe.target_validation_accuracy
    if target is not None and validation_accuracy >= target:
        return Stopped(epoch=epoch, reason="target reached")
    if epoch < recipe.epochs:
        return None
    return Stopped(epoch=epoch, reason="budget used" if target is None else "target not reached")


def divergence(epoch: int, loss: EpochLoss, validation_loss: float) -> Stopped | None:
    """Return where training ends, if the losses of an epoch say nothing any more.

    A finite one may be too large as well: no record holds a loss above LARGEST_NUMBER.
    """
    if loss.not_finite_at is not None or not math.isfinite(validation_loss):
        return Stopped(epoch=epoch, reason="loss not finite", step=loss.not_finite_at)
    if max(loss.mean, validation_loss) > LARGEST_NUMBER:
        return Stopped(epoch=epoch, reason="numbers too large")
    return None
