"""Brings the compiled kernels into the process: compiled once a machine, loaded once a process."""

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
)
from bakeoff.engine.native.cache import keep, kept


def load(sources: Path, folder: Path | None, say: Say) -> tuple[ctypes.CDLL, Compiler]:
    """Return the library of the C files in the folder `sources`, and what compiled it.

    It is compiled unless `folder` has it, and kept there where that is safe. Raises NoKernelsError
    or OSError where there can be none; `say` hears of a compiler that takes a while.
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
