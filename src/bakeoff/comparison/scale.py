"""In which unit a metric's differences are told, and which way is better."""

from __future__ import annotations

import math
from dataclasses import dataclass
from typing import Literal

from bakeoff.comparison.statistics.crossed import PairedDifference
from bakeoff.comparison.statistics.interval import Interval
from bakeoff.comparison.statistics.over_items import OverItems
from bakeoff.comparison.words import interval_name, points

Metric = Literal["accuracy", "balanced_accuracy", "log_loss", "brier", "score"]
METRICS: tuple[Metric, ...] = ("accuracy", "balanced_accuracy", "log_loss", "brier", "score")
# Of these less is better.
LOSSES: dict[str, str] = {"log_loss": "log loss", "brier": "Brier score"}


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
        return self._unit.lstrip()

    def size(self, value: float) -> str:
        """Return a margin or bound: "0.25 points", "0.02 nats"."""
        number = points(value) if self.proportion else f"{value:.6g}"
        return number + self._unit

    def ahead_by(self, found: PairedDifference | OverItems) -> str:
        """Return by what the better one is better, as seen from it: "by 0.31 points (...)".

        At another confidence than 95 % that is said: "0.31 points (99 % interval 0.06 to 0.56)".
        In a score's own unit there are two digits of half the interval's width.
        """
        half = (found.high - found.low) / 2
        size, ends = self._number(abs(found.difference), half), self._ends(found, found)
        less = f" less {self.loss}" if self.loss else ""
        return f"by {size}{self._unit} ({ends}){less}"

    def stands(
        self,
        a: str,
        b: str,
        found: PairedDifference | OverItems,
        corrected: Interval | None = None,
    ) -> str:
        """Return how a stands to b: "A is 0.18 points behind B (0.71 behind to 0.36 ahead)".

        A `corrected` interval stands beside that of the pair alone.
        """
        ends = self._ends(found, found)
        if corrected is not None:
            ends += f" for this pair alone, {self._ends(corrected, found)} after correction"
        number = self._number(found.difference, (found.high - found.low) / 2)
        return f"{self._relation(a, b, number)} ({ends})"

    def stands_here(self, a: str, b: str, difference: float) -> str:
        """Return how a stands to b where that says nothing beyond: "A is 0.18 points behind B"."""
        return self._relation(a, b, self.size(difference).removesuffix(self._unit))

    def _relation(self, a: str, b: str, number: str) -> str:
        amount, way = number.removeprefix("-") + self._unit, float(number)
        if self.loss and way == 0:
            return f"{a} has the same {self.loss} as {b}"
        if self.loss:
            return f"{a} has {amount} {'less' if way < 0 else 'more'} {self.loss} than {b}"
        if way == 0:
            return f"{a} is level with {b}"
        return f"{a} is {amount} {'ahead of' if way > 0 else 'behind'} {b}"

    def _ends(
        self, ends: PairedDifference | OverItems | Interval, found: PairedDifference | OverItems
    ) -> str:
        """Return the ends of an interval, without signs; words name sides that are not found's."""
        half = (found.high - found.low) / 2
        below, above = ("less", "more") if self.loss else ("behind", "ahead")
        near, far = (self._number(abs(end), half) for end in (ends.low, ends.high))
        named = interval_name(found.confidence)
        if ends.low < 0 < ends.high:
            return f"{named}{near} {below} to {far} {above}"
        if ends.high <= 0:
            near, far = far, near
        same_side = found.difference * (ends.low + ends.high) > 0 or near == far
        word = "" if same_side else f" {above if ends.low >= 0 else below}"
        return f"{named}{near} to {far}{word}"

    def _number(self, value: float, half: float) -> str:
        if self.proportion:
            return points(value, half)
        decimals = 6 if half <= 0 else max(1 - math.floor(math.log10(half)), 0)
        text = f"{value:.{decimals}f}"
        return text.removeprefix("-") if float(text) == 0 else text

    @property
    def _unit(self) -> str:
        if self.proportion:
            return " points"
        return " nats" if self.metric == "log_loss" else ""


POINTS = Scale("accuracy", proportion=True)
