"""What whoever trains a trial leaves in its lock's file, so that others see where it is made."""

from __future__ import annotations

from bakeoff.files.place import Place
from bakeoff.records.working import Working, write_working


class Signature:
    """Stands in the file of a lock from the moment it is made; only for the lock's holder."""

    def __init__(self, lock: Place) -> None:
        self._lock = lock
        self._sign(Working.here())

    def resumed(self, epochs: int) -> None:
        """Say that so many epochs were done before."""
        self._sign(self._working.model_copy(update={"first": epochs, "epoch": epochs}))

    def reached(self, epochs: int) -> None:
        """Say that so many epochs are done."""
        self._sign(self._working.model_copy(update={"epoch": epochs}))

    def at(self, machine: str, process: int) -> None:
        """Say that it is trained somewhere else than where the lock is held."""
        self._sign(self._working.model_copy(update={"machine": machine, "process": process}))

    def _sign(self, working: Working) -> None:
        self._working = working
        write_working(self._lock, working)
