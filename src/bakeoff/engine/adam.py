"""Adam's step without what stands around its arithmetic."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any, Self

import torch
from torch import nn
from torch.optim import Optimizer

from bakeoff.engine.factored import FactoredLinear, factored
from bakeoff.engine.native import AdamStep, kernels
from bakeoff.engine.optimizers import Adam, AdamW


def lean(optimizer: Optimizer, twin: nn.Module) -> Optimizer | LeanAdam:
    """Return what takes the steps of `optimizer` for `twin`: itself, or less if fused on a CPU."""
    kernel = {Adam: torch._fused_adam_, AdamW: torch._fused_adamw_}.get(type(optimizer))
    groups = optimizer.param_groups
    on_cpu = all(weight.device.type == "cpu" for group in groups for weight in group["params"])
    if kernel is None or not on_cpu or not all(group["fused"] for group in groups):
        return optimizer
    own = kernels()
    return LeanAdam(optimizer, kernel, [] if own is None else factored(twin, own))


@dataclass(frozen=True)
class _Moving:
    """The weights of one group that have a state, but for those of large layers."""

    group: dict[str, Any]
    weights: list[torch.Tensor]
    means: list[torch.Tensor]
    """Of their gradients, as `squares` of the squares of these."""
    squares: list[torch.Tensor]
    steps: list[torch.Tensor]

    @classmethod
    def of(
        cls,
        group: dict[str, Any],
        weights: list[torch.Tensor],
        state: Mapping[torch.Tensor, Mapping[str, torch.Tensor]],
    ) -> Self:
        """Return the weights with what `state` has of each; ValueError where that cannot be."""
        means, squares, steps = (
            [state[weight][name] for weight in weights]
            for name in ("exp_avg", "exp_avg_sq", "step")
        )
        for moment, weight in zip(means + squares, weights * 2, strict=True):
            # The fused kernel does not look, and would write past the end.
            if moment.shape != weight.shape or moment.dtype != weight.dtype:
                raise ValueError(
                    f"a moment of {list(moment.shape)} for a weight of {list(weight.shape)}"
                )
        return cls(group, weights, means, squares, steps)


class LeanAdam:
    """The fused kernel of Adam or AdamW, called as `Optimizer.step` calls it, and nothing else.

    `Optimizer.step` and `zero_grad` run hooks, look for each weight's state and sort the weights
    by device and type, which takes longer than the arithmetic of a small network. The state stays
    where it is, in the optimizer, which keeps and restores it. Large layers whose gradient is
    factored take their step themselves.
    """

    def __init__(
        self, optimizer: Optimizer, kernel: Any, large: Sequence[FactoredLinear] = ()
    ) -> None:
        self._optimizer = optimizer
        self._kernel = kernel
        self._large = large
        self._groups = optimizer.param_groups
        self._moving: list[_Moving] = []

    def zero_grad(self) -> None:
        """Set all gradients to None."""
        for group in self._optimizer.param_groups:
            for weight in group["params"]:
                weight.grad = None
        for layer in self._large:
            layer.factors.clear()

    @torch.no_grad()
    def step(self) -> None:
        """Move the weights once."""
        if self._optimizer.param_groups is not self._groups or not self._moving:
            self._find_state()
        gradients = [[weight.grad for weight in moving.weights] for moving in self._moving]
        found = [each is not None for of_group in gradients for each in of_group]
        if not found or not all(found) or not self._large_can():
            self._full_step()
            return
        for moving, of_group in zip(self._moving, gradients, strict=True):
            group = moving.group
            beta1, beta2 = group["betas"]
            torch._foreach_add_(moving.steps, 1)
            self._kernel(
                moving.weights,
                of_group,
                moving.means,
                moving.squares,
                [],
                moving.steps,
                lr=group["lr"],
                beta1=beta1,
                beta2=beta2,
                weight_decay=group["weight_decay"],
                eps=group["eps"],
                amsgrad=False,
                maximize=False,
            )
        for layer in self._large:
            self._large_step(layer)

    def _large_can(self) -> bool:
        """Return whether all large layers have a state and a gradient, from nowhere else."""
        state = self._optimizer.state
        return all(
            layer.factors and layer.weight.grad is None and layer.weight in state
            for layer in self._large
        )

    def _large_step(self, layer: FactoredLinear) -> None:
        # Weights of layers stand in the first group, whether or not there is one that is spared.
        state, group = self._optimizer.state[layer.weight], self._groups[0]
        beta1, beta2 = group["betas"]
        rate, decay = group["lr"], group["weight_decay"]
        state["step"] += 1
        steps = state["step"].item()
        decoupled = isinstance(self._optimizer, AdamW)
        adam = AdamStep(
            news1=1 - beta1,
            news2=1 - beta2,
            beta2=beta2,
            epsilon=group["eps"],
            rate=rate / (1 - beta1**steps),
            correction=(1 - beta2**steps) ** -0.5,
            decay=0 if decoupled else decay,
            shrink=1 - rate * decay if decoupled else 1,
        )
        layer.step(adam, state["exp_avg"], state["exp_avg_sq"])

    def _full_step(self) -> None:
        """Let the optimizer take the step, by which every weight with a gradient has a state."""
        for layer in self._large:
            layer.add_gradient()
        self._optimizer.step()
        self.zero_grad()
        self._find_state()

    def _find_state(self) -> None:
        """Look up which weights have a state: after their first step, or a restored one."""
        state, self._groups = self._optimizer.state, self._optimizer.param_groups
        large = {id(layer.weight) for layer in self._large}
        self._moving = []
        for group in self._groups:
            weights = [each for each in group["params"] if each in state and id(each) not in large]
            if weights:
                self._moving.append(_Moving.of(group, weights, state))
