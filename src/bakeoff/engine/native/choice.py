"""Which kernels train on the CPU in this process: ours, or PyTorch's and why."""

from __future__ import annotations

import os
from pathlib import Path

from bakeoff.engine.native.build import NoKernelsError, Say, nobody
from bakeoff.engine.native.cache import cache_folder
from bakeoff.engine.native.kernels import Kernels
from bakeoff.engine.native.load import load
from bakeoff.engine.native.proof import wrong_answer
from bakeoff.errors import UsageError
from bakeoff.text import visible

SOURCES = Path(__file__).parent


Choice = tuple[Kernels | None, str]
"""Kernels or none, and what the record says of it."""

_CHOSEN: dict[str, Choice] = {}
"""By what was asked for: once a process, so that a training never changes its kernels."""


def kernels(say: Say = nobody) -> Kernels | None:
    """Return the kernels of this process, or None where PyTorch's have to serve.

    `say` hears of a compiler that takes a while. Raises UsageError where BAKEOFF_KERNELS is neither
    `native` nor `pytorch`.
    """
    return _chosen(say)[0]


def kernels_in_use() -> str:
    """Return which kernels train on the CPU: `native, gcc 12.2.0`, or `PyTorch: no C compiler`.

    Raises UsageError as `kernels` does.
    """
    return _chosen(nobody)[1]


def _chosen(say: Say) -> Choice:
    asked = os.environ.get("BAKEOFF_KERNELS") or "native"
    if asked not in {"native", "pytorch"}:
        raise UsageError(f"BAKEOFF_KERNELS={asked}: choose one of native, pytorch")
    if asked not in _CHOSEN:
        off = (None, "PyTorch: BAKEOFF_KERNELS=pytorch")
        _CHOSEN[asked] = off if asked == "pytorch" else _native(say)
    return _CHOSEN[asked]


def _native(say: Say) -> Choice:
    try:
        library, compiler = load(SOURCES, cache_folder(), say)
        found = Kernels.of(library)
        if wrong := wrong_answer(found):
            raise NoKernelsError(f"{wrong}, compiled by {compiler.name}, gave other numbers")
    except (NoKernelsError, OSError, AttributeError) as reason:
        return None, visible(f"PyTorch: {reason}")
    return found, f"native, {compiler.name}"
