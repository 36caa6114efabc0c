"""Time or epochs to a target score, when some trials never reach it (right-censored data)."""

from __future__ import annotations

import math
from dataclasses import dataclass

import numpy as np
from numpy.typing import ArrayLike, NDArray
from scipy import stats

from bakeoff.comparison.statistics.checks import booleans, proportion
from bakeoff.errors import DataError

Floats = NDArray[np.float64]


@dataclass(frozen=True)
class TimeToTarget:
    """How long an entrant takes to the target, in the unit of the times given.

    Attributes:
        median: of the Kaplan-Meier curve: the first time by which half of the trials, or more, are
            there; None if the curve never falls that far.
        low, high: interval for the median at the confidence asked for; None for an end that the
            trials leave open.
        trials, reached: how many there were, and how many of them reached the target.

    """

    median: float | None
    low: float | None
    high: float | None
    trials: int
    reached: int


@dataclass(frozen=True)
class LogRank:
    """The log-rank test of two entrants' times: its chi-square (1 df) and two-sided p-value."""

    chi_square: float
    p_value: float


def time_to_target(times: ArrayLike, reached: ArrayLike, confidence: float = 0.95) -> TimeToTarget:
    """Return the median time to the target with its interval.

    Kaplan & Meier (1958, JASA 53:457-481); the interval holds the times at which the log-log
    interval of the curve contains one half (Brookmeyer & Crowley 1982, Biometrics 38:29-41).

    Args:
        times: number [trials], time at which the target was reached or, where it never was, at
            which the trial ended; finite and not negative.
        reached: boolean [trials].
        confidence: of the interval, between 0 and 1.

    Raises:
        DataError: wrong dtype or shape, or a time that is negative or not finite.

    """
    durations, events = _checked(times, reached)
    confidence = proportion(confidence, "confidence")
    if not events.any():
        return TimeToTarget(None, None, None, len(events), 0)
    times_seen, curve, low, high = _curve(durations, events, confidence)
    # A count of halves may come out as 0.5000000001.
    half = 0.5 + 1e-12
    return TimeToTarget(
        median=_first_time(times_seen, curve <= half),
        low=_first_time(times_seen, low <= half),
        high=_first_time(times_seen, high < half),
        trials=len(events),
        reached=int(events.sum()),
    )


def log_rank(
    times_a: ArrayLike, reached_a: ArrayLike, times_b: ArrayLike, reached_b: ArrayLike
) -> LogRank:
    """Return the log-rank test (Mantel 1966, Cancer Chemother. Rep. 50:163-170).

    The null is that both entrants reach the target at the same rate at every time. Trials are
    treated as independent; that those of one seed share their batches is not made use of. Without
    any trial that reached the target, or at identical times, the p-value is 1.
    """
    durations_a, events_a = _checked(times_a, reached_a)
    durations_b, events_b = _checked(times_b, reached_b)
    if not _any_comparison(durations_a, events_a, durations_b, events_b):
        return LogRank(chi_square=0.0, p_value=1.0)
    result = stats.logrank(_censored(durations_a, events_a), _censored(durations_b, events_b))
    return LogRank(chi_square=float(result.statistic) ** 2, p_value=float(result.pvalue))


def _curve(
    durations: Floats, events: NDArray[np.bool_], confidence: float
) -> tuple[Floats, Floats, Floats, Floats]:
    """Return times, the Kaplan-Meier curve and its log-log interval, float64 [times] each.

    The variance on the log-log scale is Greenwood's sum over the squared log of the curve. Where
    the curve is 0 the interval has no width in the formula; the upper end stays at its last value
    and the lower end is 0.
    """
    curve = stats.ecdf(_censored(durations, events)).sf
    times, probability = curve.quantiles, curve.probabilities
    at_risk = np.array([(durations >= time).sum() for time in times], dtype=np.float64)
    deaths = np.array([(events & (durations == time)).sum() for time in times], dtype=np.float64)
    survivors = np.maximum(at_risk - deaths, 1)
    greenwood = np.cumsum(deaths / (at_risk * survivors))
    quantile = float(stats.norm.isf((1 - confidence) / 2))
    low, high = np.zeros_like(probability), np.ones_like(probability)
    last_high = 1.0
    for place, value in enumerate(probability):
        if value >= 1 - 1e-12:
            low[place] = 1.0
        elif value > 1e-12:
            spread = quantile * math.sqrt(greenwood[place]) / abs(math.log(value))
            low[place] = value ** math.exp(spread)
            last_high = value ** math.exp(-spread)
        high[place] = last_high
    return times, probability, low, high


def _first_time(times: Floats, holds: NDArray[np.bool_]) -> float | None:
    return float(times[np.argmax(holds)]) if holds.any() else None


def _any_comparison(
    durations_a: Floats,
    events_a: NDArray[np.bool_],
    durations_b: Floats,
    events_b: NDArray[np.bool_],
) -> bool:
    """Return whether, at some time, some but not all trials under way arrive, in both entrants."""
    arrivals = np.concatenate([durations_a[events_a], durations_b[events_b]])
    return any(
        (durations_a >= time).any()
        and (durations_b >= time).any()
        and (durations_a >= time).sum() + (durations_b >= time).sum() > (arrivals == time).sum()
        for time in arrivals
    )


def _censored(durations: Floats, events: NDArray[np.bool_]) -> stats.CensoredData:
    return stats.CensoredData(uncensored=durations[events], right=durations[~events])


def _checked(times: ArrayLike, reached: ArrayLike) -> tuple[Floats, NDArray[np.bool_]]:
    events = booleans(reached, "reached", ("trials",))
    durations = np.asarray(times, dtype=np.float64)
    if durations.shape != events.shape:
        raise DataError(
            f"times and reached have shapes {list(durations.shape)} and {list(events.shape)}: "
            "give one of each per trial"
        )
    if not (np.isfinite(durations) & (durations >= 0)).all():
        raise DataError(
            "times holds a value that is negative or not finite: give the end of trials"
        )
    return durations, events
