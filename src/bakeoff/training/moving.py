"""What has to be kept of a training so that it goes on as if it had never stopped."""

from __future__ import annotations

import copy
from collections.abc import Container, Mapping
from dataclasses import dataclass
from typing import Any, Self

import torch
from torch import nn
from torch.optim import Optimizer
from torch.optim.lr_scheduler import LambdaLR

from bakeoff.errors import StoreError
from bakeoff.study.study import Recipe
from bakeoff.text import shortened
from bakeoff.training.optimizers import make_optimizer, make_schedule

_MOST_COUNTED = 1 << 24
"""Where a count of steps stands still: Adam keeps it as a float32."""


@dataclass(frozen=True)
class Moving:
    """All that an epoch moves: weights and buffers, the optimizer, the schedule.

    Between two epochs there is nothing else. The order of the examples and everything random
    inside the network are drawn anew in each epoch, from seeds that follow from its number.
    """

    model: nn.Module
    optimizer: Optimizer
    schedule: LambdaLR
    steps_per_epoch: int

    @classmethod
    def of(cls, model: nn.Module, recipe: Recipe, steps_per_epoch: int) -> Self:
        """Return what moves in a training of `model`, which has yet to begin."""
        optimizer = make_optimizer(model, recipe)
        schedule = make_schedule(optimizer, recipe, steps_per_epoch)
        return cls(model, optimizer, schedule, steps_per_epoch)

    def state(self) -> dict[str, Any]:
        """Return it as nested dicts of tensors and plain values; the tensors are not copied."""
        return {
            "model": dict(self.model.state_dict()),
            "optimizer": self.optimizer.state_dict(),
            "schedule": self.schedule.state_dict(),
        }

    def restore(self, state: Mapping[str, Any], epochs: int) -> None:
        """Set everything, which has yet to begin, to what `state` returned after `epochs` epochs.

        Only tensors are taken from the state. Rates and counters follow from the recipe and the
        number of steps; they are compared. Raises StoreError, with the first thing that this
        training cannot have left, before anything is changed that a training would notice.
        """
        steps = epochs * self.steps_per_epoch
        self._count(steps)
        expected = self.state()
        expected["optimizer"]["state"] = self._moments()
        try:
            _compare(state.get("model"), expected["model"], "model", set())
            _compare(state, expected, "", may_miss=self._moments_of_still_weights(state["model"]))
            _check_numbers(state, min(steps, _MOST_COUNTED))
        except ValueError as error:
            raise StoreError(f"not of this network and optimizer: {error}") from error
        self.model.load_state_dict(state["model"])
        moments = state["optimizer"]["state"]
        self.optimizer.load_state_dict(expected["optimizer"] | {"state": moments})

    def _count(self, steps: int) -> None:
        """Set rates and counters to what they are after so many steps."""
        groups, schedule = self.optimizer.param_groups, self.schedule
        for group, base, factor in zip(groups, schedule.base_lrs, schedule.lr_lambdas, strict=True):
            if isinstance(group["lr"], torch.Tensor):
                group["lr"].fill_(base * factor(steps))
            else:
                group["lr"] = base * factor(steps)
        rates = [copy.copy(group["lr"]) for group in groups]
        counted = {"last_epoch": steps, "_step_count": steps + 1, "_last_lr": rates}
        schedule.load_state_dict(schedule.state_dict() | counted)

    def _moments(self) -> dict[int, dict[str, torch.Tensor]]:
        """Return what the optimizer keeps of each weight, as it is after a step of a copy."""
        stepped = copy.deepcopy(self.optimizer)
        for group in stepped.param_groups:
            for weight in group["params"]:
                weight.grad = torch.zeros_like(weight) if weight.requires_grad else None
        stepped.step()
        return stepped.state_dict()["state"]  # type: ignore[no-any-return]

    def _moments_of_still_weights(self, model: Mapping[str, torch.Tensor]) -> set[str]:
        """Return where moments may be missing: of weights where they started, which nobody uses."""
        return {
            f"optimizer.state.{place}"
            for place, (name, weight) in enumerate(self.model.named_parameters())
            if weight.equal(model[name].to(weight))
        }


def _compare(found: Any, expected: Any, where: str, may_miss: Container[str]) -> None:
    """Raise ValueError where two states differ in more than the numbers in their tensors."""
    if type(found) is not type(expected):
        raise ValueError(f"{where} is {type(found).__name__}, not {type(expected).__name__}")
    if isinstance(expected, list | tuple):
        found, expected = dict(enumerate(found)), dict(enumerate(expected))
    if isinstance(expected, dict):
        for key in [*found, *expected]:
            part = f"{where}.{key}".removeprefix(".")
            if key not in expected:
                raise ValueError(f"{part} is no part")
            if key in found:
                _compare(found[key], expected[key], part, may_miss)
            elif part not in may_miss:
                raise ValueError(f"{part} is missing")
    elif _told(found) != _told(expected):
        raise ValueError(f"{where} is {_told(found)}, not {_told(expected)}")


def _told(value: Any) -> str:
    """Return a plain value; of a tensor type, shape and strides, which mean nothing of size 1."""
    if not isinstance(value, torch.Tensor):
        return shortened(repr(value), 40)
    strides = [s for s, size in zip(value.stride(), value.shape, strict=True) if size > 1]
    kind = str(value.dtype).removeprefix("torch.")
    return f"{kind} {list(value.shape)} with strides {strides}"


def _check_numbers(state: Mapping[str, Any], steps: int) -> None:
    """Raise ValueError where a number is none that so many steps can have left."""
    counts, numbers = [], {}
    for place, moments in state["optimizer"]["state"].items():
        for name, values in moments.items():
            where = f"optimizer.state.{place}.{name}"
            if name != "step":
                numbers[where] = values
            elif (count := values.item()) in range(1, steps + 1):
                counts.append(count)
            else:
                raise ValueError(f"{where} is {count} after {steps} steps")
    if counts and max(counts) != steps:
        raise ValueError(f"no weight has taken all {steps} steps")
    numbers |= {f"model.{name}": values for name, values in state["model"].items()}
    for where, values in numbers.items():
        # Infinite they may be: the square of a gradient above 1e19 is, and the loss stays finite.
        if values.isnan().any():
            raise ValueError(f"{where} holds what is not a number")
        if where.endswith(("exp_avg_sq", "running_var")) and (values < 0).any():
            raise ValueError(f"{where} holds a number below zero")
