"""Trainings that go wrong at a step of our choice."""

from __future__ import annotations

import itertools
import sys
from typing import Any, Literal

import torch

from bakeoff.training.run_trial import run_trial
from bakeoff.training.trial import Trial, TrialSpec

Kind = Literal["nan", "memory"]


def install(entrant: str, step: int, kind: Kind) -> None:
    """Let the given training step, counted from 1, of each trial of `entrant` go wrong."""
    loss = torch.nn.functional.cross_entropy

    def troubled(spec: TrialSpec, *rest: Any) -> Trial:
        if spec.entrant.name != entrant:
            return run_trial(spec, *rest)
        steps = itertools.count(1)

        def spoilt(logits: torch.Tensor, labels: torch.Tensor) -> torch.Tensor:
            found = loss(logits, labels)
            if not logits.requires_grad or next(steps) != step:
                return found
            if kind == "memory":
                raise torch.OutOfMemoryError("CUDA out of memory. Tried to allocate 20.00 GiB.")
            return found * float("nan")

        torch.nn.functional.cross_entropy = spoilt  # type: ignore[assignment]
        try:
            return run_trial(spec, *rest)
        finally:
            torch.nn.functional.cross_entropy = loss

    sys.modules["bakeoff.runners.serial"].__dict__["run_trial"] = troubled
