"""The ends of an interval, and how sure they are."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass


@dataclass(frozen=True)
class Interval:
    """A confidence interval, in the unit of what it is about."""

    low: float
    high: float
    confidence: float

    def __iter__(self) -> Iterator[float]:
        """Yield the two ends."""
        yield from (self.low, self.high)
