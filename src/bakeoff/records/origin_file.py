"""origin.json: where and as what the trials of a run were begun; under a seal.

Whoever trains more of them elsewhere compares himself with it, before a trial is lost.
"""

from __future__ import annotations

from pydantic import TypeAdapter

from bakeoff.records.record import Provenance
from bakeoff.records.sealed_file import SealedFile

ORIGIN: SealedFile[Provenance | None] = SealedFile(
    "origin.json",
    TypeAdapter(Provenance | None),
    most=100_000,
    mend="delete it and run the study again",
    nothing=None,
)
