"""How much longer one entrant takes for a training example than another.

Machines drift, so the entrants take turns: in every round each runs a short burst of steps, and the
ratio within a round is free of what changes between rounds.
"""

from __future__ import annotations

import math
from dataclasses import dataclass

import numpy as np
from numpy.typing import ArrayLike
from scipy import special

from bakeoff.comparison.statistics.checks import proportion
from bakeoff.comparison.statistics.interval import Interval
from bakeoff.errors import DataError

# Up to here the distribution of the signed-rank sum is counted out; beyond, it is normal enough.
MOST_ROUNDS_COUNTED = 50


@dataclass(frozen=True)
class TimeRatio:
    """Seconds per training example of a over those of b.

    Attributes:
        ratio: the Hodges-Lehmann estimate.
        low, high: its interval; None with one round.
        confidence: that the interval really has: with n rounds no more than 1 - 2**(1 - n) can be
            had, so fewer than six rounds fall short of 95 %. None with one round.
        rounds: how many.

    """

    ratio: float
    low: float | None
    high: float | None
    confidence: float | None
    rounds: int


def time_ratio(seconds_a: ArrayLike, seconds_b: ArrayLike, confidence: float = 0.95) -> TimeRatio:
    """Return the ratio of two entrants' times, robust against disturbed rounds.

    The logs of the ratios within rounds are taken as symmetric about their centre. The estimate is
    the median of the means of all pairs of them (Hodges & Lehmann 1963, Ann. Math. Stat.
    34:598-611), the interval the one that belongs to Wilcoxon's signed-rank test (Hollander, Wolfe
    & Chicken 2014, sections 3.2 and 3.3). Rounds are taken as independent given the ratio. The
    statement is about this machine in this state, not about machines.

    Args:
        seconds_a: number [rounds], positive.
        seconds_b: the same of b, from the same rounds in the same order.
        confidence: of the interval, between 0 and 1.

    Raises:
        DataError: different shapes, no round, or a time that is not positive and finite.

    """
    confidence = proportion(confidence, "confidence")
    a, b = np.asarray(seconds_a, dtype=np.float64), np.asarray(seconds_b, dtype=np.float64)
    if a.ndim != 1 or a.shape != b.shape or len(a) == 0:
        raise DataError(
            f"seconds of the two entrants have shapes {list(a.shape)} and {list(b.shape)}: "
            "give one number per round, from the same rounds"
        )
    for seconds in (a, b):
        if not (np.isfinite(seconds) & (seconds > 0)).all():
            raise DataError("seconds hold a value that is not positive and finite")
    logs = np.log(a) - np.log(b)
    # The means of all pairs, each round with itself included.
    first, second = np.triu_indices(len(logs))
    averages = np.sort((logs[first] + logs[second]) / 2)
    ratio = float(np.exp(np.median(averages)))
    rounds = len(a)
    if rounds == 1:
        return TimeRatio(ratio, None, None, None, rounds)
    drop, attained = _averages_to_drop(rounds, (1 - confidence) / 2)
    low, high = np.exp(averages[drop]), np.exp(averages[-1 - drop])
    return TimeRatio(ratio, float(low), float(high), attained, rounds)


def mean_seconds_interval(
    seconds: ArrayLike, rounds: ArrayLike, confidence: float = 0.95
) -> Interval | None:
    """Return the interval of an entrant's mean seconds of training, over new seeds.

    The logs of its seconds vary because seeds train for other numbers of epochs, and because the
    seconds of an example were measured in few rounds: a t interval of both variances together, with
    the degrees of freedom of the smaller. None with one seed, one round, or unknown seconds.

    Args:
        seconds: of each seed's training, number [seeds].
        rounds: seconds per example of each round of the timing pass, number [rounds].
        confidence: of the interval.

    """
    logs = [np.log(np.asarray(each, dtype=np.float64)) for each in (seconds, rounds)]
    if min(len(each) for each in logs) < 2 or not all(np.isfinite(each).all() for each in logs):
        return None
    spread = math.sqrt(sum(float(each.var(ddof=1)) / len(each) for each in logs))
    df = min(len(each) for each in logs) - 1
    reach = math.exp(-float(special.stdtrit(df, (1 - confidence) / 2)) * spread)
    mean = float(np.mean(np.asarray(seconds, dtype=np.float64)))
    return Interval(mean / reach, mean * reach, confidence)


def _averages_to_drop(rounds: int, tail: float) -> tuple[int, float]:
    """Return how many pairwise means to leave out at each end, and the confidence of the rest."""
    most = rounds * (rounds + 1) // 2
    if rounds > MOST_ROUNDS_COUNTED:
        spread = np.sqrt(most * (2 * rounds + 1) / 12)
        drop = int(np.floor(most / 2 + special.ndtri(tail) * spread - 0.5))
        return drop, float(1 - 2 * special.ndtr((drop + 0.5 - most / 2) / spread))
    # Under the null each rank 1 .. n counts or not with chance one half: its chance of every sum.
    chances = np.zeros(most + 1)
    chances[0] = 1.0
    for rank in range(1, rounds + 1):
        shifted = np.concatenate([np.zeros(rank), chances[:-rank]])
        chances = (chances + shifted) / 2
    below = np.cumsum(chances)
    # `below[k]` is the chance that the truth lies beyond what is left with k dropped at an end.
    drop = max(int(np.searchsorted(below, tail, side="right")) - 1, 0)
    return drop, float(1 - 2 * below[drop])
