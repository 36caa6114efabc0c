"""Take turns between pieces of work, so that a drifting machine is fair to all of them."""

from __future__ import annotations

import time
from collections.abc import Callable, Mapping
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

Work = Callable[[], Callable[[], object]]
"""Makes ready, untimed, and returns the function whose call is timed."""


@dataclass(frozen=True)
class Ratio:
    """How often one time goes into another: the median over the rounds, and the outermost."""

    median: float
    low: float
    high: float

    def __str__(self) -> str:
        return f"{self.median:.2f} ({self.low:.2f} to {self.high:.2f})"

    def overhead(self) -> str:
        """Return how much more than 1 it is, in per cent."""
        median, low, high = (100 * (each - 1) for each in (self.median, self.low, self.high))
        return f"{median:+.1f} % ({low:+.1f} to {high:+.1f})"


@dataclass(frozen=True)
class Turns:
    """What every work took in every round."""

    works: tuple[str, ...]
    seconds: NDArray[np.float64]
    """[works, rounds], wall seconds."""

    def of(self, work: str) -> NDArray[np.float64]:
        """Return the seconds of one work: [rounds]."""
        return np.asarray(self.seconds[self.works.index(work)])

    def median(self, work: str) -> float:
        """Return the median seconds of one work."""
        return float(np.median(self.of(work)))

    def ratio(self, slow: str, fast: str) -> Ratio:
        """Return the seconds of `slow` over those of `fast`, compared within each round."""
        return ratio(self.of(slow), self.of(fast))

    def to_dict(self) -> dict[str, list[float]]:
        """Return the seconds of every round by work, for JSON."""
        return dict(zip(self.works, self.seconds.tolist(), strict=True))


def ratio(slow: NDArray[np.float64], fast: NDArray[np.float64]) -> Ratio:
    """Return slow / fast, both [rounds], compared within each round."""
    each = slow / fast
    return Ratio(float(np.median(each)), float(each.min()), float(each.max()))


def take_turns(works: Mapping[str, Work], rounds: int) -> Turns:
    """Return the wall seconds of every work in every round, after one round that is not counted.

    One work follows the other, each round in the reverse order of the one before: a slow second
    hits all alike, and a ratio within a round is worth more than two times taken minutes apart.
    """
    names = tuple(works)
    for make_ready in works.values():
        make_ready()()
    seconds = np.empty((len(names), rounds))
    for number in range(rounds):
        for which in range(len(names)) if number % 2 == 0 else reversed(range(len(names))):
            work = works[names[which]]()
            started = time.perf_counter()
            work()
            seconds[which, number] = time.perf_counter() - started
    return Turns(names, seconds)


def always_ready(work: Callable[[], object]) -> Work:
    """Return a work that needs nothing made ready."""
    return lambda: work
