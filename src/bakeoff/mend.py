"""What a run does with finished trials before it trains: damaged or failed ones go aside."""

from __future__ import annotations

from collections.abc import Callable

from bakeoff import locks
from bakeoff.errors import DamagedError
from bakeoff.record import Record
from bakeoff.store import RunFolder

Say = Callable[[str], None]


def set_damaged_aside(folder: RunFolder, say: Say) -> None:
    """Check every file of every finished trial; move damaged trials away and name each in a line.

    Raises StoreError where a file cannot be read, or belongs to another study: neither is damage.
    """
    for entrant, seed in _finished(folder):
        try:
            folder.check_trial(entrant, seed)
        except DamagedError:
            # Looked at again under the lock: another process may be at the same work, and where it
            # holds the lock the trial is in its hands.
            with locks.held_if_free(folder.lock(entrant, seed)) as ours:
                if ours:
                    _set_aside_if_damaged(folder, entrant, seed, say)


def remove_remains(folder: RunFolder) -> None:
    """Remove what a process left that was killed after it had finished a trial."""
    for entrant, seed in _finished(folder):
        if folder.unfinished(entrant, seed).exists():
            with locks.held_if_free(folder.lock(entrant, seed)) as ours:
                if ours and folder.has_trial(entrant, seed):
                    folder.tidy(entrant, seed)
    folder.drop_empty()


def set_failed_aside(folder: RunFolder, say: Say) -> None:
    """Move every finished trial that did not complete away, so that it is trained again."""
    for entrant, seed in _finished(folder):
        with locks.held_if_free(folder.lock(entrant, seed)) as ours:
            record = _record(folder, entrant, seed) if ours else None
            if record is not None and not record.complete:
                target = folder.set_aside(entrant, seed)
                say(f"{entrant} seed {seed} {record.status}: set aside as {target}, trained again")


def _finished(folder: RunFolder) -> list[tuple[str, int]]:
    study = folder.study
    return [
        (entrant.name, seed)
        for entrant in study.entrants
        for seed in study.trial_seeds
        if folder.has_trial(entrant.name, seed)
    ]


def _set_aside_if_damaged(folder: RunFolder, entrant: str, seed: int, say: Say) -> None:
    try:
        _record(folder, entrant, seed)
    except DamagedError as error:
        target = folder.set_aside(entrant, seed)
        say(f"{error.what}; set aside as {target}, trained again")


def _record(folder: RunFolder, entrant: str, seed: int) -> Record | None:
    return folder.check_trial(entrant, seed) if folder.has_trial(entrant, seed) else None
