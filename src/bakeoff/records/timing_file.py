"""timing.json: what the entrants cost, measured in turns on a quiet machine; under a seal."""

from __future__ import annotations

from dataclasses import dataclass, field
from typing import Annotated

from pydantic import AfterValidator, Field, TypeAdapter

from bakeoff.records.sealed_file import SealedFile

_Measured = Annotated[float, Field(gt=1e-12, lt=1e6)]


def _in_turns(rounds: dict[str, list[float]]) -> dict[str, list[float]]:
    if len({len(figures) for figures in rounds.values()}) > 1:
        raise ValueError("the entrants were not timed equally often")
    return rounds


Rounds = Annotated[
    dict[str, Annotated[list[_Measured], Field(min_length=1)]], AfterValidator(_in_turns)
]
"""By entrant: one figure for each round, in which all entrants took their turns."""


@dataclass(frozen=True)
class Timing:
    """What the timing pass measured, or nothing where none was made yet."""

    seconds_per_example: Rounds
    """Of an epoch, its validation pass included, for each of its training examples."""
    # Earlier versions measured the time of single images in each trial.
    milliseconds_per_image_batch_1: Rounds = field(default_factory=dict)
    milliseconds_per_image_batch_1000: Rounds = field(default_factory=dict)
    machine: str | None = None
    """What the machine is called in its network; earlier versions did not say."""


NOTHING = Timing({})

TIMING = SealedFile(
    "timing.json",
    TypeAdapter(Timing),
    most=1_000_000,
    mend="delete it and run again to time anew",
    nothing=NOTHING,
)
