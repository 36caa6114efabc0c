"""In which unit a metric's differences are told, and which way is better."""

from __future__ import annotations

import math
from dataclasses import dataclass
from typing import Literal, Self

from bakeoff.comparison.statistics.crossed import PairedDifference
from bakeoff.comparison.statistics.over_items import OverItems
from bakeoff.comparison.words import interval_name, points

Metric = Literal["accuracy", "balanced_accuracy", "log_loss", "brier", "score"]
METRICS: tuple[Metric, ...] = ("accuracy", "balanced_accuracy", "log_loss", "brier", "score")
# Of these less is better.
LOSSES: dict[str, str] = {"log_loss": "log loss", "brier": "Brier score"}


@dataclass(frozen=True)
class Turned:
    """A difference as seen from the other entrant."""

    difference: float
    low: float
    high: float
    confidence: float

    @classmethod
    def of(cls, ranged: PairedDifference | OverItems) -> Self:
        """Return b minus a for a minus b."""
        return cls(-ranged.difference, -ranged.high, -ranged.low, ranged.confidence)


Ranged = PairedDifference | OverItems | Turned


@dataclass(frozen=True)
class Scale:
    """How differences of a metric are told.

    Attributes:
        metric: of which they are differences.
        proportion: whether each answer is right or wrong (or a mean of such), so that differences
            are percentage points; else they are in the score's own unit.

    """

    metric: Metric
    proportion: bool

    @property
    def loss(self) -> str | None:
        """What a metric is called of which less is better; None where more is."""
        return LOSSES.get(self.metric)

    @property
    def sign(self) -> int:
        """1 where more is better, -1 where less is."""
        return -1 if self.loss else 1

    @property
    def per_unit(self) -> float:
        """Return what one unit of sentences and of `--margin` is: 0.01 for points, else 1."""
        return 0.01 if self.proportion else 1.0

    @property
    def unit(self) -> str:
        """What differences are in: "points", "nats", or nothing where a score has no unit."""
        return "points" if self.proportion else self._unit.lstrip()

    def size(self, value: float) -> str:
        """Return a margin or bound: "0.25 points", "0.02 nats"."""
        if self.proportion:
            return f"{points(value)} points"
        return f"{value:.6g}{self._unit}"

    def amount(self, ranged: Ranged) -> str:
        """Return a difference with its interval: "0.31 points (0.12 to 0.50)".

        At another confidence than 95 % that is said: "0.31 points (99 % interval 0.06 to 0.56)".
        In a score's own unit there are two digits of half the interval's width.
        """
        half = (ranged.high - ranged.low) / 2
        low, difference, high = (
            self._number(value, half) for value in (ranged.low, ranged.difference, ranged.high)
        )
        unit = " points" if self.proportion else self._unit
        return f"{difference}{unit} ({interval_name(ranged.confidence)}{low} to {high})"

    def ahead_by(self, ranged: PairedDifference | OverItems) -> str:
        """Return by what the better one is better, as seen from it: "by 0.31 points (...)"."""
        ahead = self.amount(ranged if ranged.difference >= 0 else Turned.of(ranged))
        return f"by {ahead}" + (f" less {self.loss}" if self.loss else "")

    def minus(self, a: str, b: str) -> str:
        """Return what a difference is called: "A minus B", with the loss where less is better."""
        return f"{self.loss} of {a} minus that of {b}" if self.loss else f"{a} minus {b}"

    def _number(self, value: float, half: float) -> str:
        if self.proportion:
            return points(value, half)
        decimals = 6 if half <= 0 else max(1 - math.floor(math.log10(half)), 0)
        text = f"{value:.{decimals}f}"
        return text.removeprefix("-") if float(text) == 0 else text

    @property
    def _unit(self) -> str:
        return " nats" if self.metric == "log_loss" else ""


POINTS = Scale("accuracy", proportion=True)
