"""The threads of PyTorch: how many there really are, and what to do in each of them.

PyTorch's operators and oneDNN share the threads of one OpenMP library. oneDNN hands out work to as
many as were asked for; where the library gives fewer, a part is not done, or waited for without
end, and nobody says so.
"""

from __future__ import annotations

import ctypes
import os
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from functools import cache
from pathlib import Path

import torch

from bakeoff.engine.native.build import Say, nobody
from bakeoff.files.cores import threads_here

_BODY = ctypes.CFUNCTYPE(None, ctypes.c_void_p)
_FORKED_WITHOUT_EXEC = 0x40  # PF_FORKNOEXEC, linux/sched.h


def in_each_thread(do: Callable[[], object]) -> int:
    """Do something once in each thread of the team that an operator would get; return its size."""
    openmp, done = _openmp(), []
    if openmp is None:
        do()
        return torch.get_num_threads()
    torch.get_num_threads()  # Until it is asked, a new thread of Python's does not know.
    openmp.GOMP_parallel(_BODY(lambda _: done.append(do())), None, 0, 0)
    return len(done)


@contextmanager
def given_threads(asked: int = 1, say: Say = nobody) -> Iterator[None]:
    """Let PyTorch compute in so many threads, while this lasts; `say` hears if there are fewer.

    One, unless told otherwise: it never waits for another, and its last bits are those of any
    machine of the kind, however many cores that has.
    """
    before, openmp = torch.get_num_threads(), _openmp()
    dynamic = 0 if openmp is None else openmp.omp_get_dynamic()
    try:
        if openmp is not None:
            openmp.omp_set_dynamic(0)  # Else a team shrinks whenever the machine is busy.
        torch.set_num_threads(asked)
        if asked > 1 and _Past.lost_threads:
            torch.set_num_threads(1)
            say("forked from a process that had started threads, so this one computes with 1")
        elif (given := in_each_thread(lambda: None)) < asked:
            torch.set_num_threads(given)
            say(f"{asked} threads were asked for and {given} given, so {given} compute")
        yield
    finally:
        torch.set_num_threads(before)
        if openmp is not None:
            openmp.omp_set_dynamic(dynamic)


@cache
def _openmp() -> ctypes.CDLL | None:
    """Return what PyTorch's library calls OpenMP by; None where that is not GNU's interface."""
    try:
        library = ctypes.CDLL(str(Path(torch.__file__).parent / "lib" / "libtorch_cpu.so"))
        return library if library.GOMP_parallel and library.omp_set_dynamic else None
    except (OSError, AttributeError):
        return None


def _was_forked() -> bool:
    """Return whether this process began as a copy of another, and is not one that was started."""
    try:
        fields = Path("/proc/self/stat").read_text("latin-1").rpartition(")")[2].split()
    except OSError:
        return False
    return bool(int(fields[6]) & _FORKED_WITHOUT_EXEC)


class _Past:
    """Whether this process was forked from one that had started threads.

    A child of `fork` has none of its parent's threads, but the OpenMP library in it believes that
    it has, and waits for them for ever.
    """

    # Of what a parent did before this module was there nothing is known.
    lost_threads = _was_forked()
    at_import = at_fork = threads_here()

    @classmethod
    def before_fork(cls) -> None:
        cls.at_fork = threads_here()

    @classmethod
    def in_child(cls) -> None:
        cls.lost_threads = cls.lost_threads or cls.at_fork > cls.at_import


os.register_at_fork(before=_Past.before_fork, after_in_child=_Past.in_child)
