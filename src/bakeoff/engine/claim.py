"""A training has its process to itself, without denormal numbers, and leaves it as it was."""

from __future__ import annotations

import os
import sys
import warnings
from collections.abc import Iterator
from contextlib import contextmanager
from functools import partial
from threading import Lock

import torch

from bakeoff.engine.native.build import Say, nobody
from bakeoff.engine.team import given_threads, in_each_thread
from bakeoff.errors import UsageError

_CLAIMS: dict[int, Lock] = {}
"""By process: a child of `fork` may train, whatever its parent was at."""


@contextmanager
def flushed_denormals() -> Iterator[None]:
    """Take numbers below 1.2e-38 as zero while this lasts, in this thread and those of PyTorch.

    Adam's first moment of a unit that has died shrinks by a tenth in every step and ends among
    these numbers, each of which takes many processors a hundred cycles: after two epochs of
    `cnn-1conv` they were three quarters of all, and the optimizer took twenty times as long. No
    weight is near enough to zero to see the difference.
    """
    before = sys.float_info.min / 2 == 0.0
    in_each_thread(partial(torch.set_flush_denormal, True))
    try:
        yield
    finally:
        in_each_thread(partial(torch.set_flush_denormal, before))


@contextmanager
def claimed_process(threads: int = 1, say: Say = nobody) -> Iterator[None]:
    """Compute in so many threads, denormals flushed, and nobody beside; set all back.

    Threads, filters of warnings and the precision of products belong to the whole process: two
    trainings at once would take them out of each other's hands, and end elsewhere. Raises
    UsageError where another one is at work. `say` hears where there are fewer threads than were
    asked for.
    """
    claim = _CLAIMS.setdefault(os.getpid(), Lock())
    if not claim.acquire(blocking=False):
        raise UsageError(
            "another training is at work in this process; wait for its end, or start a process"
        )
    try:
        with warnings.catch_warnings(), given_threads(threads, say), flushed_denormals():
            yield
    finally:
        claim.release()
