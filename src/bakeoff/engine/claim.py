"""A training has its process to itself, and leaves it as it was."""

from __future__ import annotations

import os
import warnings
from collections.abc import Iterator
from contextlib import contextmanager
from threading import Lock

from bakeoff.engine.denormals import flushed_denormals
from bakeoff.engine.native.build import Say, nobody
from bakeoff.engine.team import given_threads
from bakeoff.errors import UsageError

_CLAIMS: dict[int, Lock] = {}
"""By process: a child of `fork` may train, whatever its parent was at."""


@contextmanager
def claimed_process(say: Say = nobody) -> Iterator[None]:
    """Compute with the threads that there are, denormals flushed, and nobody beside; set all back.

    Threads, the precision of products and random numbers belong to the whole process: two trainings
    at once would take them out of each other's hands, and end elsewhere. Raises UsageError where
    another one is at work. `say` hears where there are fewer threads than were asked for.
    """
    claim = _CLAIMS.setdefault(os.getpid(), Lock())
    if not claim.acquire(blocking=False):
        raise UsageError(
            "another training is at work in this process; wait for its end, or start a process"
        )
    try:
        with warnings.catch_warnings(), given_threads(say), flushed_denormals():
            yield
    finally:
        claim.release()
