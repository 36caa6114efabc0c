"""timing.json: what the entrants cost, measured in turns on a quiet machine; under a seal."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import asdict, dataclass, fields
from pathlib import Path

from bakeoff.errors import StoreError, UnreadableError
from bakeoff.files.atomic import below, is_there, remove_leftovers, write_file
from bakeoff.files.reading import read_file, sealed, unsealed

TIMING = "timing.json"
_LARGEST = 1_000_000  # Bytes.

Rounds = Mapping[str, Sequence[float]]
"""By entrant: one figure for each round, in which all entrants took their turns."""


@dataclass(frozen=True)
class Timing:
    """What the timing pass measured, or nothing where none was made yet."""

    seconds_per_example: Rounds
    """Of an epoch, its validation pass included, for each of its training examples."""
    milliseconds_per_image_batch_1: Rounds
    milliseconds_per_image_batch_1000: Rounds


NOTHING = Timing({}, {}, {})


def write_timing(folder: Path, timing: Timing) -> None:
    """Write what was measured.

    Raises StoreError, and writes nothing, where it could not be read back.
    """
    file = folder / TIMING
    try:
        content = sealed(asdict(timing))
        _timed(content, file)
    except ValueError as error:
        raise StoreError(f"{file}: cannot write: {error}; run again to time anew") from error
    remove_leftovers(file)
    write_file(file, content)


def read_timing(folder: Path) -> Timing:
    """Return what `write_timing` wrote, or nothing where no timing pass was made yet."""
    file = below(folder, TIMING)
    if not is_there(file):
        return NOTHING
    try:
        return _timed(read_file(file, _LARGEST), file)
    except (UnreadableError, ValueError, KeyError, TypeError, AttributeError) as error:
        raise StoreError(f"{file}: damaged; delete it and run again to time anew") from error


def _timed(content: bytes, file: Path) -> Timing:
    """Return what a document says.

    Raises ValueError where the entrants did not all take turns, or a turn took no time.
    """
    found = unsealed(content, str(file))
    # Earlier versions measured the time of single images in each trial.
    return Timing(**{each.name: _rounds(found.get(each.name, {})) for each in fields(Timing)})


def _rounds(found: Rounds) -> dict[str, list[float]]:
    timed = {str(name): [float(s) for s in rounds] for name, rounds in found.items()}
    if len({len(rounds) for rounds in timed.values()}) > 1:
        raise ValueError("the entrants were not timed equally often")
    if not all(rounds and min(rounds) > 1e-12 and max(rounds) < 1e6 for rounds in timed.values()):
        raise ValueError("not a time")
    return timed
