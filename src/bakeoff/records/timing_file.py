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
    """Write the interleaved timing pass: entrant -> seconds per training example [rounds].

    Raises StoreError, and writes nothing, where the times could not be read back.
    """
    file = folder / TIMING
    document = {"seconds_per_example": {k: list(v) for k, v in seconds_per_example.items()}}
    try:
        content = sealed(document)
        _timed(content, file)
    except ValueError as error:
        raise StoreError(f"{file}: cannot write: {error}; run again to time anew") from error
    remove_leftovers(file)
    write_file(file, content)


def read_timing(folder: Path) -> dict[str, list[float]]:
    """Return what `write_timing` wrote, or nothing where no timing pass was made yet."""
    file = below(folder, TIMING)
    if not is_there(file):
        return {}
    try:
        return _timed(read_file(file, _LARGEST), file)
    except (UnreadableError, ValueError, KeyError, TypeError, AttributeError) as error:
        raise StoreError(f"{file}: damaged; delete it and run again to time anew") from error


def _timed(content: bytes, file: Path) -> dict[str, list[float]]:
    """Return entrant -> seconds.

    Raises ValueError where the entrants did not all take turns, or a turn took no time.
    """
    found = unsealed(content, str(file))["seconds_per_example"]
    timed = {str(name): [float(s) for s in rounds] for name, rounds in found.items()}
    if len({len(rounds) for rounds in timed.values()}) > 1:
        raise ValueError("the entrants were not timed equally often")
    if not all(rounds and min(rounds) > 1e-12 and max(rounds) < 1e6 for rounds in timed.values()):
        raise ValueError("not a time")
    return timed
