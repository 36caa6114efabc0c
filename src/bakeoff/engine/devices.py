"""The device and the precision that a run takes."""

from __future__ import annotations

import torch
from torch import nn

from bakeoff.errors import UsageError

PRECISIONS = ("auto", "float32", "bfloat16")
DEVICES = ("auto", "cpu", "cuda")

_ANY_ORDER = ("bakeoff.", "torch.nn.modules.", "timm.", "torchvision.")
"""Where the layers are defined that take images in any order of memory."""


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


def choose_precision(asked: str, device: torch.device) -> str:
    """Return `float32` or `bfloat16`; `auto` is bfloat16 where `device` multiplies it faster.

    That is a processor with AMX or AVX512-BF16 and a GPU of the Ampere generation or newer.
    Elsewhere bfloat16 is emulated, and slower than float32.
    """
    if asked not in PRECISIONS:
        raise UsageError(f"--precision {asked}: choose one of {', '.join(PRECISIONS)}")
    if asked != "auto":
        return asked
    if device.type == "cuda":
        native = torch.cuda.get_device_capability(device) >= (8, 0)
    else:
        processor = torch.cpu.get_capabilities()
        native = bool(processor.get("amx_bf16") or processor.get("avx512_bf16"))
    return "bfloat16" if native else "float32"


def place(model: nn.Module, device: torch.device) -> nn.Module:
    """Move `model` to `device`, its images stored channels last, which convolutions prefer.

    Not those of networks by people who may count on another order, as `x.view(len(x), -1)` does,
    nor where there are weights of five sides, which torch would refuse.
    """
    strange = any(not type(each).__module__.startswith(_ANY_ORDER) for each in model.modules())
    if strange or any(each.dim() == 5 for each in (*model.parameters(), *model.buffers())):
        return model.to(device=device)
    return model.to(device=device, memory_format=torch.channels_last)  # type: ignore[call-overload,no-any-return]
