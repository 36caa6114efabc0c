"""What a run does with finished trials before it trains: damaged or failed ones go aside."""

from __future__ import annotations

import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager, suppress

from bakeoff.errors import DamagedError
from bakeoff.files import locks
from bakeoff.records.folder import RunFolder

Say = Callable[[str], None]
_POLL = 0.05
"""Seconds after which a lock that another process holds is tried again."""


def set_damaged_aside(folder: RunFolder, say: Say) -> None:
    """Check every file of every finished trial; move damaged trials away and name each in a line.

    Raises StoreError where a file cannot be read, or belongs to another study: neither is damage.
    """
    _set_aside(folder, _damage, say)


def set_failed_aside(folder: RunFolder, say: Say) -> None:
    """Move every finished trial that did not complete away, so that it is trained again."""
    _set_aside(folder, _failure, say)


def _set_aside(
    folder: RunFolder, reason: Callable[[RunFolder, str, int], str | None], say: Say
) -> None:
    for key in folder.finished():
        # Looked at again under the lock: another process may be at the same work.
        if reason(folder, *key):
            with _held(folder, *key) as there:
                why = reason(folder, *key) if there else None
                if why:
                    target = folder.set_aside(*key)
                    say(f"{why} set aside as {target}, trained again")


def _damage(folder: RunFolder, entrant: str, seed: int) -> str | None:
    try:
        folder.check_trial(entrant, seed)
    except DamagedError as error:
        return f"{error.what};"
    return None


def _failure(folder: RunFolder, entrant: str, seed: int) -> str | None:
    with suppress(DamagedError):  # Another process has just moved it away.
        record = folder.check_trial(entrant, seed)
        if not record.complete:
            return f"{entrant} seed {seed} {record.status}:"
    return None


def remove_remains(folder: RunFolder) -> None:
    """Remove what a process left that was killed after it had finished a trial.

    The checkpoints of a trial that can go on from them stay.
    """
    for key in folder.begun(folder.finished()):
        with _held(folder, *key) as there:
            if there:
                folder.tidy(folder.read_record(*key))
    folder.drop_empty()


@contextmanager
def _held(folder: RunFolder, entrant: str, seed: int) -> Iterator[bool]:
    """Hold the lock of a finished trial; the value says whether it is still there.

    Another process that holds it looks at it or moves it away, which takes a moment. The lock is
    not waited for as such: whoever trains a trial anew that was moved away holds it for hours.
    """
    while folder.has_trial(entrant, seed):
        with locks.held_if_free(folder.lock(entrant, seed)) as ours:
            if ours:
                yield folder.has_trial(entrant, seed)
                return
        time.sleep(_POLL)
    yield False
