"""Who trains a trial: what its holder leaves in the file of its lock, for others to see."""

from __future__ import annotations

import os
import platform
from datetime import UTC, datetime

from pydantic import Field, ValidationError

from bakeoff.errors import BakeoffError
from bakeoff.files import locks
from bakeoff.files.place import Place
from bakeoff.records.record import Part
from bakeoff.text import shortened, visible


def machine_name() -> str:
    """Return what this machine is called in its network."""
    return shortened(visible(platform.node() or "a machine without a name"))


class Working(Part):
    """A trial in the making: where, since when, how far."""

    machine: str = Field(max_length=80)
    process: int
    since: datetime
    first: int = 0
    """Epochs that were done when this attempt began."""
    epoch: int = 0
    """Epochs that are done."""

    @classmethod
    def here(cls) -> Working:
        """Return what this process, which begins a trial now, says of itself."""
        now = datetime.now(UTC).replace(microsecond=0)
        return cls(machine=machine_name(), process=os.getpid(), since=now)


def write_working(lock: Place, working: Working) -> None:
    """Leave it where others look; only for the holder of the lock."""
    locks.write_note(lock, working.model_dump_json())


def read_working(lock: Place) -> Working | None:
    """Return what the holder of a lock left, or None where it left nothing that can be read."""
    try:
        return Working.model_validate_json(locks.read_note(lock))
    except (BakeoffError, ValidationError):
        return None
