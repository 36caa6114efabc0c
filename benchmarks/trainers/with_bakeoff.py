"""bakeoff's own `fit`."""

from __future__ import annotations

import torch

from benchmarks.task import Fitted, Task, start_fit

PRECISIONS = ("float32", "bfloat16")


class WithBakeoff:
    """The trainer that the others are set beside."""

    fitted: Fitted

    def __init__(self, task: Task) -> None:
        self.task = task

    def fresh(self) -> None:
        """Build the network anew."""
        self.fitted = start_fit(self.task)

    def fit(self) -> object:
        """Train with history and stopping rule, as a trial does."""
        return self.fitted.fit()

    def logits(self, images: torch.Tensor) -> torch.Tensor:
        """Score as a trial does."""
        return self.fitted.logits(images)
