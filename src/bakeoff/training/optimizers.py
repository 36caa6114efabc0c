"""The optimizer and the schedule that a recipe asks for."""

from __future__ import annotations

import math
import warnings
from typing import Any

import torch
from torch import nn
from torch.optim import Optimizer
from torch.optim.lr_scheduler import LambdaLR

from bakeoff.engine.optimizers import SGD, Adam, AdamW
from bakeoff.study.recipe import Recipe


def make_optimizer(model: nn.Module, recipe: Recipe) -> Optimizer:
    """Return the recipe's optimizer; fused, so that one pass over memory updates all weights.

    Weights that do not decay are a group of their own, after that of those that do. On a GPU the
    learning rate is a tensor there, so that a recorded update reads what the schedule has written
    meanwhile.
    """
    device = next(model.parameters()).device
    groups = _groups(model, recipe)
    on_gpu = device.type == "cuda"
    rate = torch.tensor(recipe.learning_rate, device=device) if on_gpu else recipe.learning_rate
    shared: dict[str, Any] = {"lr": rate, "weight_decay": recipe.weight_decay, "fused": True}
    adams: dict[str, Any] = {"betas": recipe.betas, "eps": recipe.epsilon, "capturable": on_gpu}
    optimizer: Optimizer
    match recipe.optimizer:
        case "adam":
            optimizer = Adam(groups, **shared, **adams)
        case "adamw":
            optimizer = AdamW(groups, **shared, **adams)
        case "sgd":  # Can be captured as it is.
            momentum, nesterov = recipe.momentum or 0.0, bool(recipe.nesterov)
            optimizer = SGD(groups, **shared, momentum=momentum, nesterov=nesterov)
    if on_gpu:
        # Adam warns of steps that no graph records; warm-up and the last batch are meant to be so.
        warnings.filterwarnings("ignore", "This instance was constructed with capturable=True")
    # A schedule computes with this. From a tensor it would fetch each new rate from the device, and
    # so wait for all that runs there.
    for group in optimizer.param_groups:
        group["initial_lr"] = recipe.learning_rate
    return optimizer


def _groups(model: nn.Module, recipe: Recipe) -> list[dict[str, Any]]:
    """Return the weights of `model` in groups that decay alike."""
    weights = list(model.parameters())
    if recipe.decay_norms_and_biases is not False:
        return [{"params": weights}]
    decaying = [weight for weight in weights if weight.dim() > 1]
    spared = [weight for weight in weights if weight.dim() <= 1]
    groups: list[dict[str, Any]] = [
        {"params": decaying}, {"params": spared, "weight_decay": 0.0},
    ]  # fmt: skip
    return [group for group in groups if group["params"]]


def constant(step: int, steps: int, warmup: float) -> float:
    """Return the share of the full rate at `step` of `steps`: a linear rise, then all of it.

    warmup: the share of the steps that rise, in [0, 1); one step at least, unless it is 0.

    >>> [round(constant(step, 8, 0.25), 3) for step in range(4)]
    [0.333, 0.667, 1.0, 1.0]
    """
    return min(1.0, (step + 1) / (_rise(steps, warmup) + 1))


def one_cycle(step: int, steps: int, warmup: float) -> float:
    """Return the share of the peak rate at `step` of `steps`: a linear rise, then a cosine to 0.

    warmup: as in `constant`; without any it is the schedule `cosine`. After L. Smith, N. Topin,
    "Super-convergence", 2018, with one cosine for the whole descent, as in I. Loshchilov,
    F. Hutter, "SGDR", 2017.

    >>> [round(one_cycle(step, 8, 0.25), 3) for step in range(8)]
    [0.333, 0.667, 1.0, 0.933, 0.75, 0.5, 0.25, 0.067]
    """
    rise = _rise(steps, warmup)
    if step < rise:
        return (step + 1) / (rise + 1)
    return 0.5 * (1 + math.cos(math.pi * (step - rise) / (steps - rise)))


def _rise(steps: int, warmup: float) -> int:
    return max(1, round(warmup * steps)) if warmup else 0


def make_schedule(optimizer: Optimizer, recipe: Recipe, steps_per_epoch: int) -> LambdaLR:
    """Return what sets the learning rate before each step of the whole budget."""
    steps, warmup = recipe.epochs * steps_per_epoch, recipe.warmup or 0.0
    if recipe.schedule == "constant":
        return LambdaLR(optimizer, lambda step: constant(step, steps, warmup))
    # One call comes after the last step; its rate is never used.
    return LambdaLR(optimizer, lambda step: one_cycle(min(step, steps - 1), steps, warmup))
