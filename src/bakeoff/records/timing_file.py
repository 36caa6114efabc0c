"""timing.json: what a training example costs each entrant, measured in turns; under a seal."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from pathlib import Path

from bakeoff.errors import StoreError, UnreadableError
from bakeoff.files.atomic import below, is_there, remove_leftovers, write_file
from bakeoff.files.reading import read_file, sealed, unsealed

TIMING = "timing.json"
_LARGEST = 1_000_000  # Bytes.


def write_timing(folder: Path, seconds_per_example: Mapping[str, Sequence[float]]) -> None:
    """Write the interleaved timing pass: entrant -> seconds per training example [rounds]."""
    document = {"seconds_per_example": {k: list(v) for k, v in seconds_per_example.items()}}
    remove_leftovers(folder / TIMING)
    write_file(folder / TIMING, sealed(document))


def read_timing(folder: Path) -> dict[str, list[float]]:
    """Return what `write_timing` wrote, or nothing where no timing pass was made yet."""
    file = below(folder, TIMING)
    if not is_there(file):
        return {}
    try:
        document = unsealed(read_file(file, _LARGEST), str(file))
        found = document["seconds_per_example"]
        timed = {str(name): [float(s) for s in rounds] for name, rounds in found.items()}
        _refuse_odd_times(timed)
    except (UnreadableError, ValueError, KeyError, TypeError, AttributeError) as error:
        raise StoreError(f"{file}: damaged; delete it and run again to time anew") from error
    return timed


def _refuse_odd_times(timed: Mapping[str, Sequence[float]]) -> None:
    """Raise ValueError where the entrants did not all take turns, or a turn took no time."""
    if len({len(rounds) for rounds in timed.values()}) > 1:
        raise ValueError("the entrants were not timed equally often")
    if not all(rounds and min(rounds) > 1e-12 and max(rounds) < 1e6 for rounds in timed.values()):
        raise ValueError("not a time")
