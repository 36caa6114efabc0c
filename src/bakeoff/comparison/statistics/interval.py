"""The ends of an interval, and how sure they are."""

from __future__ import annotations

from typing import NamedTuple


class Interval(NamedTuple):
    """A confidence interval, in the unit of what it is about."""

    low: float
    high: float
    confidence: float
