"""Which kernels train on the CPU in this process: ours, or PyTorch's and why.

Ours are compiled once a machine, and loaded and proven once a process.
"""

from __future__ import annotations

import ctypes
import os
import platform
import re
import sys
from pathlib import Path
from tempfile import TemporaryDirectory

import torch

from bakeoff.engine.native.build import (
    Compiler,
    NoKernelsError,
    Say,
    compile_library,
    find_compiler,
    library_key,
    nobody,
)
from bakeoff.engine.native.cache import keep, kept
from bakeoff.engine.native.kernels import Kernels
from bakeoff.engine.native.proof import wrong_answer
from bakeoff.errors import UsageError
from bakeoff.files.private import cache_folder
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


def load(sources: Path, folder: Path | None, say: Say) -> tuple[ctypes.CDLL, Compiler]:
    """Return the library of the C files in the folder `sources`, and what compiled it.

    It is compiled unless `folder` has it, and kept there where that is safe. Raises NoKernelsError
    or OSError where there can be none; `say` hears of a compiler that takes a while, and of what
    cannot be kept.
    """
    if (sys.platform, platform.machine()) != ("linux", "x86_64"):
        raise NoKernelsError("not Linux on x86-64")
    if torch.backends.cpu.get_cpu_capability() != "AVX512":
        raise NoKernelsError("the processor has no AVX-512")
    compiler = find_compiler()
    key = library_key(sources, compiler)
    library = None if folder is None else kept(folder, key)
    if library is None:
        with TemporaryDirectory(prefix="bakeoff-") as work:
            output = Path(work) / "kernels.so"
            compile_library(sources, compiler, output, say)
            library = output.read_bytes()
        if folder is not None:
            keep(folder, key, library)
        if folder is None or kept(folder, key) is None:
            where = folder or "a folder for caches"
            say(f"kernels cannot be kept safely in {where}, so every process compiles them anew")
    return _opened(library), compiler


def _opened(library: bytes) -> ctypes.CDLL:
    """Load a library that shares the threads of PyTorch; raise NoKernelsError if it has others.

    Two pools of threads would take turns on the same cores, each waiting busily for the other. GNU
    OpenMP is there once, since torch brings it under the name that gcc's libraries ask for.
    """
    before = openmp_libraries()
    # These very bytes, whatever happens to the file meanwhile. The descriptor stays open, since the
    # loader takes two libraries of one name for the same.
    descriptor = os.memfd_create("bakeoff-kernels")
    with open(descriptor, "wb", closefd=False) as memory:
        memory.write(library)
    opened = ctypes.CDLL(f"/proc/self/fd/{descriptor}")
    if openmp_libraries() != before:
        raise NoKernelsError("the compiler's OpenMP is not PyTorch's")
    return opened


def openmp_libraries() -> set[bytes]:
    """Return the paths of the OpenMP libraries in this process: GNU's, LLVM's and Intel's."""
    maps = Path("/proc/self/maps").read_bytes()  # Paths may be in any encoding.
    return set(re.findall(rb"/[^\n]*/lib(?:g|i)?omp[^/\s]*\.so[^\s]*", maps))
