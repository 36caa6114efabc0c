"""What has to be kept of a training so that it goes on as if it had never stopped."""

from __future__ import annotations

import copy
from collections import defaultdict
from collections.abc import Mapping
from dataclasses import dataclass
from typing import Self

import torch
from torch import nn
from torch.optim import Optimizer
from torch.optim.lr_scheduler import LambdaLR

from bakeoff.engine.average import Average
from bakeoff.study.recipe import Recipe
from bakeoff.training.optimizers import make_optimizer, make_schedule

_MODEL, _AVERAGE = "model.", "average."

_MOST_COUNTED = 1 << 24
"""Where a count of steps stands still: Adam keeps it as a float32."""


@dataclass(frozen=True)
class Moving:
    """All that a step moves: weights and buffers, the optimizer, the schedule.

    Between two epochs there is nothing else: the order of the examples and everything random
    inside the network follow from seeds, and those from the number of the epoch. Within one there
    is also where the random numbers stand (`Draws`).
    """

    model: nn.Module
    optimizer: Optimizer
    schedule: LambdaLR
    average: Average | None = None

    @classmethod
    def of(cls, model: nn.Module, recipe: Recipe, steps_per_epoch: int) -> Self:
        """Return what moves in a training of `model`, which has yet to begin."""
        optimizer = make_optimizer(model, recipe)
        schedule = make_schedule(optimizer, recipe, steps_per_epoch)
        average = None if recipe.average is None else Average(model, recipe.average)
        return cls(model, optimizer, schedule, average)

    def state(self) -> dict[str, torch.Tensor]:
        """Return its tensors, not copied: `model.<name>`, and `<moment>.<name>` of each weight.

        Where the weights are averaged also `average.<name>` of all that is.

        Rates and counters are no part of it: they follow from the recipe and the number of steps.
        """
        names, moments = self._names, self.optimizer.state_dict()["state"]
        return self._state_of_model() | {
            f"{moment}.{names[place]}": value
            for place, kept in moments.items()
            for moment, value in kept.items()
        }

    def _state_of_model(self) -> dict[str, torch.Tensor]:
        averages = {} if self.average is None else self.average.state()
        return {f"{_MODEL}{name}": value for name, value in self.model.state_dict().items()} | {
            f"{_AVERAGE}{name}": value for name, value in averages.items()
        }

    @property
    def _names(self) -> list[str]:
        """The weights, in the order in which the optimizer counts them."""
        names = {id(weight): name for name, weight in self.model.named_parameters()}
        return [names[id(w)] for group in self.optimizer.param_groups for w in group["params"]]

    def misfit(self, state: Mapping[str, torch.Tensor], steps: int) -> str | None:
        """Return what in a state this training cannot have left after `steps` steps, or None.

        Asked before a state is kept, and before a training that has yet to begin takes it up.
        """
        of_model = self._state_of_model()
        expected = of_model | self._moments()
        moved = {name.partition(".")[2] for name in state if name not in of_model}
        for name in [*state, *expected]:
            if name not in expected:
                return f"{name} is no part"
            if name not in state:
                weight = name.partition(".")[2]
                if name in of_model or weight in moved or not self._is_still(weight, state):
                    return f"{name} is missing"
            elif _told(state[name]) != _told(expected[name]):
                return f"{name} is {_told(state[name])}, not {_told(expected[name])}"
        return _impossible_number(state, min(steps, _MOST_COUNTED))

    def _is_still(self, weight: str, state: Mapping[str, torch.Tensor]) -> bool:
        """Return whether a weight is where it started: one that nobody uses has no moments."""
        here = self.model.get_parameter(weight)
        return here.equal(state[f"{_MODEL}{weight}"].to(here))

    def _moments(self) -> dict[str, torch.Tensor]:
        """Return what the optimizer keeps of each weight, without numbers.

        A copy of it takes a step with a single number in the place of each weight.
        """
        weights = [self.model.get_parameter(name) for name in self._names]
        numbers = [weight.detach().new_zeros([1] * weight.dim()) for weight in weights]
        for number, weight in zip(numbers, weights, strict=True):
            number.grad = torch.zeros_like(number) if weight.requires_grad else None
        stepped = copy.copy(self.optimizer)
        stepped.state = defaultdict(dict)
        stepped.param_groups = [{**self.optimizer.param_groups[0], "params": numbers}]
        stepped.step()
        return {
            f"{moment}.{name}": torch.empty_like(
                weight if kept.shape == number.shape else kept, dtype=kept.dtype, device="meta"
            )
            for name, weight, number in zip(self._names, weights, numbers, strict=True)
            for moment, kept in stepped.state[number].items()
        }

    def restore(self, state: Mapping[str, torch.Tensor], steps: int) -> None:
        """Set everything, which has yet to begin, to what `state` returned after `steps` steps.

        It is one that `misfit` has nothing to say about. Moments lie in memory as their weights do.
        """
        self._count(steps)
        names = self._names
        moments: dict[int, dict[str, torch.Tensor]] = {}
        for name, expected in self._moments().items():
            moment, _, weight = name.partition(".")
            if name in state:
                # Not empty_like: of a tensor without memory it imports a computer algebra.
                value = torch.empty_strided(expected.shape, expected.stride(), dtype=expected.dtype)
                moments.setdefault(names.index(weight), {})[moment] = value.copy_(state[name])
        model = {name: state[f"{_MODEL}{name}"] for name in self.model.state_dict()}
        self.model.load_state_dict(model)
        if self.average is not None:
            averages = {name: state[f"{_AVERAGE}{name}"] for name in self.average.state()}
            self.average.restore(averages, steps)
        self.optimizer.load_state_dict(self.optimizer.state_dict() | {"state": moments})

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


def _told(value: torch.Tensor) -> str:
    return f"{str(value.dtype).removeprefix('torch.')} {list(value.shape)}"


def _impossible_number(state: Mapping[str, torch.Tensor], steps: int) -> str | None:
    """Return which number is none that so many steps can have left, if one is."""
    counts = set()
    for name, values in state.items():
        if name.startswith("step."):
            counts.add(count := values.item())
            if count not in range(1, steps + 1):
                return f"{name} is {count} after {steps} steps"
        # Infinite they may be: the square of a gradient above 1e19 is, and the loss stays finite.
        elif values.isnan().any():
            return f"{name} holds what is not a number"
        elif (name.startswith("exp_avg_sq.") or name.endswith("running_var")) and (
            values < 0
        ).any():
            return f"{name} holds a number below zero"
    if counts and max(counts) != steps:
        return f"no weight has taken all {steps} steps"
    return None
