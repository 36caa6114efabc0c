"""Adam's step without what stands around its arithmetic."""

from __future__ import annotations

from typing import Any

import torch
from torch.optim import Adam, AdamW, Optimizer


def lean(optimizer: Optimizer) -> Optimizer | LeanAdam:
    """Return what takes the steps of `optimizer`: itself, or less where it is fused on a CPU."""
    kernels = {Adam: torch._fused_adam_, AdamW: torch._fused_adamw_}
    kernel = kernels.get(type(optimizer))
    groups = optimizer.param_groups
    if kernel is None or len(groups) != 1 or not groups[0]["fused"]:
        return optimizer
    if any(weight.device.type != "cpu" for weight in groups[0]["params"]):
        return optimizer
    return LeanAdam(optimizer, kernel)


class LeanAdam:
    """The fused kernel of Adam or AdamW, called as `Optimizer.step` calls it, and nothing else.

    `Optimizer.step` and `zero_grad` run hooks, look for each weight's state and sort the weights
    by device and type, which takes longer than the arithmetic of a small network. The state stays
    where it is, in the optimizer, which keeps and restores it.
    """

    def __init__(self, optimizer: Optimizer, kernel: Any) -> None:
        self._optimizer = optimizer
        self._kernel = kernel
        self._groups = optimizer.param_groups
        self._moving: list[torch.Tensor] = []
        """The weights that have a state."""
        self._state: tuple[list[torch.Tensor], ...] = ()
        """First moments, second moments and numbers of steps of the moving weights."""

    def zero_grad(self) -> None:
        """Set all gradients to None."""
        for weight in self._optimizer.param_groups[0]["params"]:
            weight.grad = None

    @torch.no_grad()
    def step(self) -> None:
        """Move the weights once."""
        gradients = [weight.grad for weight in self._moving]
        restored = self._optimizer.param_groups is not self._groups
        if restored or not gradients or any(gradient is None for gradient in gradients):
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

    def _full_step(self) -> None:
        """Let the optimizer take the step, by which every weight with a gradient has a state."""
        self._optimizer.step()
        state, self._groups = self._optimizer.state, self._optimizer.param_groups
        self._moving = [weight for weight in self._groups[0]["params"] if weight in state]
        self._state = tuple(
            [state[weight][name] for weight in self._moving]
            for name in ("exp_avg", "exp_avg_sq", "step")
        )
