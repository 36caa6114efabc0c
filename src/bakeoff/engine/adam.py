"""Adam's step without what stands around its arithmetic."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

import torch
from torch import nn
from torch.optim import Optimizer

from bakeoff.engine.factored import FactoredLinear, factored
from bakeoff.engine.native import AdamStep, kernels
from bakeoff.engine.optimizers import Adam, AdamW


def lean(optimizer: Optimizer, twin: nn.Module) -> Optimizer | LeanAdam:
    """Return what takes the steps of `optimizer` for `twin`: itself, or less if fused on a CPU."""
    kernel = {Adam: torch._fused_adam_, AdamW: torch._fused_adamw_}.get(type(optimizer))
    group, *others = optimizer.param_groups
    on_cpu = all(weight.device.type == "cpu" for weight in group["params"])
    if kernel is None or others or not group["fused"] or not on_cpu:
        return optimizer
    own = kernels()
    return LeanAdam(optimizer, kernel, [] if own is None else factored(twin, own))


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
        self._moving: list[torch.Tensor] = []
        """The weights that have a state, but for those of large layers."""
        self._state: tuple[list[torch.Tensor], ...] = ()
        """First moments, second moments and numbers of steps of the moving weights."""

    def zero_grad(self) -> None:
        """Set all gradients to None."""
        for weight in self._optimizer.param_groups[0]["params"]:
            weight.grad = None
        for layer in self._large:
            layer.factors.clear()

    @torch.no_grad()
    def step(self) -> None:
        """Move the weights once."""
        if self._optimizer.param_groups is not self._groups or not self._moving:
            self._find_state()
        gradients = [weight.grad for weight in self._moving]
        if not gradients or any(each is None for each in gradients) or not self._large_can():
            self._full_step()
            return
        means, squares, steps = self._state
        group = self._groups[0]
        beta1, beta2 = group["betas"]
        torch._foreach_add_(steps, 1)
        self._kernel(
            self._moving,
            gradients,
            means,
            squares,
            [],
            steps,
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
        weights = self._groups[0]["params"]
        self._moving = [each for each in weights if each in state and id(each) not in large]
        means, squares, steps = (
            [state[weight][name] for weight in self._moving]
            for name in ("exp_avg", "exp_avg_sq", "step")
        )
        self._state = means, squares, steps
        for moment, weight in zip(means + squares, self._moving * 2, strict=True):
            # The fused kernel does not look, and would write past the end.
            if moment.shape != weight.shape or moment.dtype != weight.dtype:
                raise ValueError(
                    f"a moment of {list(moment.shape)} for a weight of {list(weight.shape)}"
                )
