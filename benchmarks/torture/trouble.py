"""Trainings that go wrong at a step of our choice."""

from __future__ import annotations

import itertools
import sys
from typing import Any, Literal

import torch
from torch import nn

from bakeoff.engine.step import Update, make_update
from bakeoff.training.run_trial import run_trial
from bakeoff.training.trial import Trial, TrialSpec

Kind = Literal["nan", "memory"]


def install(entrant: str, step: int, kind: Kind) -> None:
    """Let the given training step, counted from 1, of each trial of `entrant` go wrong."""
    fit, serial = (sys.modules[f"bakeoff.{name}"] for name in ("training.fit", "runners.serial"))

    def troubled(spec: TrialSpec, *rest: Any) -> Trial:
        going_wrong = spec.entrant.name == entrant
        fit.__dict__["make_update"] = _spoilt(step, kind) if going_wrong else make_update
        return run_trial(spec, *rest)

    serial.__dict__["run_trial"] = troubled


def _spoilt(step: int, kind: Kind) -> Any:
    """Return what makes an update of which one step goes wrong."""
    steps = itertools.count(1)

    def make(twin: nn.Module, *rest: Any) -> Update:
        update = make_update(twin, *rest)

        def one(images: torch.Tensor, labels: torch.Tensor) -> torch.Tensor:
            due = next(steps) == step
            if due and kind == "memory":
                raise torch.OutOfMemoryError("CUDA out of memory. Tried to allocate 20.00 GiB.")
            loss = update(images, labels)
            return loss * float("nan") if due else loss

        return one

    return make
