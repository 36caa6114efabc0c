"""The kernels of this process: compiled once a machine, loaded once a process."""

from __future__ import annotations

import ctypes
import os
import platform
import re
import sys
from dataclasses import dataclass
from functools import cache
from pathlib import Path
from tempfile import TemporaryDirectory

import torch

from bakeoff.engine.native.build import (
    Compiler,
    NoKernelsError,
    compile_library,
    find_compiler,
    library_name,
)
from bakeoff.errors import StoreError, UsageError
from bakeoff.files.atomic import write_file

SOURCES = Path(__file__).parent


def library() -> ctypes.CDLL | None:
    """Return the compiled kernels, or None where PyTorch's have to serve.

    Raises UsageError where BAKEOFF_KERNELS is neither `native` nor `pytorch`.
    """
    return _here(_asked()).library


def kernels_in_use() -> str:
    """Return which kernels train on the CPU: `native, gcc 12.2.0`, or `PyTorch: no C compiler`.

    Raises UsageError as `library` does.
    """
    return _here(_asked()).told


@dataclass(frozen=True)
class Kernels:
    """A library or none, and what the record says of it."""

    library: ctypes.CDLL | None
    told: str


def _asked() -> str:
    asked = os.environ.get("BAKEOFF_KERNELS") or "native"
    if asked not in {"native", "pytorch"}:
        raise UsageError(f"BAKEOFF_KERNELS={asked}: choose one of native, pytorch")
    return asked


@cache
def _here(asked: str) -> Kernels:
    if asked == "pytorch":
        return Kernels(None, "PyTorch: BAKEOFF_KERNELS=pytorch")
    return load(SOURCES, cache_folder())


def cache_folder() -> Path:
    """Return where compiled kernels are kept: `bakeoff` in the user's folder for caches."""
    home = Path(os.environ.get("HOME", "/"))
    return Path(os.environ.get("XDG_CACHE_HOME") or home / ".cache") / "bakeoff"


def load(sources: Path, kept_in: Path) -> Kernels:
    """Return the library of the C files in the folder `sources`, or why there is none.

    It is compiled unless the folder `kept_in` has it, and kept there where that can be written.
    """
    try:
        _refuse_other_machines()
        compiler = find_compiler()
        return Kernels(_loaded(sources, compiler, kept_in), f"native, {compiler.name}")
    except (NoKernelsError, OSError) as reason:
        return Kernels(None, f"PyTorch: {reason}")


def _refuse_other_machines() -> None:
    if (sys.platform, platform.machine()) != ("linux", "x86_64"):
        raise NoKernelsError("not Linux on x86-64")
    if torch.backends.cpu.get_cpu_capability() != "AVX512":
        raise NoKernelsError("the processor has no AVX-512")


def _loaded(sources: Path, compiler: Compiler, kept_in: Path) -> ctypes.CDLL:
    kept = kept_in / library_name(sources, compiler)
    if _is_own(kept):
        return _opened(kept)
    with TemporaryDirectory(prefix="bakeoff-") as folder:
        compiled = Path(folder) / kept.name
        compile_library(sources, compiler, compiled)
        try:
            write_file(kept, compiled.read_bytes())
        except StoreError:
            # Nothing can be kept here. What is loaded stays so when its file is removed.
            return _opened(compiled)
    return _opened(kept)


def _is_own(file: Path) -> bool:
    """Return whether a file is there and the user's: a folder for caches may be shared."""
    try:
        return file.stat().st_uid == os.getuid()
    except OSError:
        return False


def _opened(file: Path) -> ctypes.CDLL:
    """Load a library that shares the threads of PyTorch; raise NoKernelsError if it has others.

    Two pools of threads would take turns on the same cores, each waiting busily for the other. GNU
    OpenMP is there once, since torch brings it under the name that gcc's libraries ask for.
    """
    before = openmp_libraries()
    opened = ctypes.CDLL(str(file))
    if openmp_libraries() != before:
        raise NoKernelsError("the compiler's OpenMP is not PyTorch's")
    return opened


def openmp_libraries() -> set[str]:
    """Return the paths of the OpenMP libraries in this process: GNU's, LLVM's and Intel's."""
    maps = Path("/proc/self/maps").read_text()
    return set(re.findall(r"\S*/lib(?:g|i)?omp[^/\s]*\.so\S*", maps))
