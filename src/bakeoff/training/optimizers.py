"""The optimizer and the schedule that a recipe asks for."""

from __future__ import annotations

import math
import warnings
from typing import Any

import torch
from torch import nn
from torch.optim import SGD, Adam, AdamW, Optimizer
from torch.optim.lr_scheduler import LambdaLR

from bakeoff.study.study import Recipe


def make_optimizer(model: nn.Module, recipe: Recipe) -> Optimizer:
    """Return the recipe's optimizer; fused, so that one pass over memory updates all weights.

    On a GPU the learning rate is a tensor there, so that a recorded update reads what the schedule
    has written meanwhile.
    """
    device = next(model.parameters()).device
    if device.type != "cuda":
        return _optimizer(model, recipe, recipe.learning_rate)
    # Adam warns of steps that no graph records; warm-up and the last batch are meant to be such.
    warnings.filterwarnings("ignore", "This instance was constructed with capturable=True")
    rate = torch.tensor(recipe.learning_rate, device=device)
    optimizer = _optimizer(model, recipe, rate, capturable=True)
    start_from(optimizer, recipe.learning_rate)
    return optimizer


def start_from(optimizer: Optimizer, rate: float) -> None:
    """Let a schedule compute with `rate`, where the optimizer's own is a tensor.

    Else it would fetch each new rate from the device, and so wait for all that runs there.
    """
    for group in optimizer.param_groups:
        group["initial_lr"] = rate


def _optimizer(
    model: nn.Module, recipe: Recipe, rate: float | torch.Tensor, capturable: bool = False
) -> Optimizer:
    shared: dict[str, Any] = {"lr": rate, "weight_decay": recipe.weight_decay, "fused": True}
    adams: dict[str, Any] = {"betas": recipe.betas, "eps": recipe.epsilon, "capturable": capturable}
    match recipe.optimizer:
        case "adam":
            return Adam(model.parameters(), **shared, **adams)
        case "adamw":
            return AdamW(model.parameters(), **shared, **adams)
        case "sgd":  # Can be captured as it is.
            momentum, nesterov = recipe.momentum or 0.0, bool(recipe.nesterov)
            return SGD(model.parameters(), **shared, momentum=momentum, nesterov=nesterov)


def one_cycle(step: int, steps: int, warmup: float) -> float:
    """Return the share of the peak rate at `step` of `steps`: a linear rise, then a cosine to 0.

    warmup: the share of the steps that rise, in [0, 1); one step at least, unless it is 0. After
    L. Smith, N. Topin, "Super-convergence", 2018, with one cosine for the whole descent.

    >>> [round(one_cycle(step, 8, 0.25), 3) for step in range(8)]
    [0.333, 0.667, 1.0, 0.933, 0.75, 0.5, 0.25, 0.067]
    """
    rise = max(1, round(warmup * steps)) if warmup else 0
    if step < rise:
        return (step + 1) / (rise + 1)
    return 0.5 * (1 + math.cos(math.pi * (step - rise) / (steps - rise)))


def make_schedule(optimizer: Optimizer, recipe: Recipe, steps_per_epoch: int) -> LambdaLR:
    """Return what sets the learning rate before each step of the whole budget."""
    steps = recipe.epochs * steps_per_epoch
    warmup = recipe.warmup
    if warmup is not None:
        # One call comes after the last step; its rate is never used.
        return LambdaLR(optimizer, lambda step: one_cycle(min(step, steps - 1), steps, warmup))
    return LambdaLR(optimizer, lambda step: 1.0)
