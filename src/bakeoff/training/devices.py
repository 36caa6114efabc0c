"""The device and the precision that a run takes."""

from __future__ import annotations

import torch
from torch import nn

from bakeoff.errors import UsageError

PRECISIONS = ("auto", "float32", "bfloat16")
DEVICES = ("auto", "cpu", "cuda")


def choose_device(asked: str) -> torch.device:
    """Return the device for `auto`, `cpu` or `cuda`; `auto` takes a GPU where there is one.

    Raises UsageError where `cuda` is asked for and torch sees no GPU.
    """
    if asked not in DEVICES:
        raise UsageError(f"--device {asked}: choose one of {', '.join(DEVICES)}")
    if asked == "cuda" and not torch.cuda.is_available():
        raise UsageError("--device cuda: torch sees no GPU here; use --device cpu")
    if asked == "auto":
        asked = "cuda" if torch.cuda.is_available() else "cpu"
    return torch.device(asked)


def choose_precision(asked: str) -> str:
    """Return `float32` or `bfloat16`; `auto` is float32, the precision of the published figures."""
    if asked not in PRECISIONS:
        raise UsageError(f"--precision {asked}: choose one of {', '.join(PRECISIONS)}")
    return "float32" if asked == "auto" else asked


def place(model: nn.Module, device: torch.device) -> nn.Module:
    """Move `model` to `device`, its images stored channels last, which convolutions prefer."""
    return model.to(device=device, memory_format=torch.channels_last)  # type: ignore[call-overload,no-any-return]
