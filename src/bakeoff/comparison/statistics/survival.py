"""Time or epochs to a target score, when some trials never reach it (right-censored data)."""

from __future__ import annotations

import functools
import itertools
import math
from dataclasses import dataclass

import numpy as np
from numpy.typing import ArrayLike
from scipy import special

from bakeoff.comparison.statistics.checks import Bools, Floats, booleans, proportion
from bakeoff.errors import DataError

# Up to here all ways to deal the trials out to the two entrants are counted: ten against ten.
MOST_DEALS = 200_000
# Beyond, so many are drawn, always the same ones: p-values near 5 % are then within 0.2 %.
DRAWN_DEALS = 50_000
# Scores that are dealt, and summed, at a time: those fit into a core's own memory.
_AT_ONCE = 100_000


@dataclass(frozen=True)
class TimeToTarget:
    """How long an entrant takes to the target, in the unit of the times given.

    Attributes:
        median: of the Kaplan-Meier curve: the first time by which half of the trials, or more, are
            there; None if the curve never falls that far.
        low, high: interval for the median; None for an end that the trials leave open.
        confidence: that the interval really has, whichever trials are censored and why: with n
            trials no more than 1 - 2**(1 - n) can be had, so fewer than six fall short of 95 %.
            None with one trial, which has no interval.
        trials, reached: how many there were, and how many of them reached the target.

    """

    median: float | None
    low: float | None
    high: float | None
    confidence: float | None
    trials: int
    reached: int


@dataclass(frozen=True)
class LogRank:
    """The log-rank test of two entrants' times.

    Attributes:
        chi_square: nearly distributed so, with one degree of freedom, if trials are many.
        p_value: two-sided; exact, counted over all ways to deal the trials out to the two entrants
            (over `DRAWN_DEALS` of them where there are more than `MOST_DEALS`).
        least_p_value: no way to deal them out has a smaller one: with three against three and no
            ties 0.10, so that three cannot tell.

    """

    chi_square: float
    p_value: float
    least_p_value: float


def time_to_target(times: ArrayLike, reached: ArrayLike, confidence: float = 0.95) -> TimeToTarget:
    """Return the median time to the target with its interval.

    The median is that of Kaplan & Meier (1958, JASA 53:457-481). The interval is the one of the
    sign test, from one order statistic to another (Hollander, Wolfe & Chicken 2014, section 3.6).
    For its lower end a censored trial counts as if it arrived where it ended, for the upper end as
    if it never arrived; the truth lies between.

    Args:
        times: number [trials], time at which the target was reached or, where it never was, at
            which the trial ended; finite and not negative.
        reached: boolean [trials].
        confidence: that the interval should have, between 0 and 1.

    Raises:
        DataError: wrong dtype or shape, or a time that is negative or not finite.

    """
    durations, events = _checked(times, reached)
    tail = (1 - proportion(confidence, "confidence")) / 2
    trials = len(events)
    moments, under_way, arrive = _race(durations, events)
    half_there = np.cumprod(1 - arrive.sum(axis=1) / under_way.sum(axis=1)) <= 0.5 + 1e-12
    median = float(moments[np.argmax(half_there)]) if half_there.any() else None
    if trials == 1:
        return TimeToTarget(median, None, None, None, trials, int(events.sum()))
    # Of fair coins, at most `drop` fall on one side with this chance: the truth lies beyond an end.
    beyond = special.bdtr(np.arange(trials), trials, 0.5)
    drop = max(int(np.searchsorted(beyond, tail, side="right")) - 1, 0)
    high = float(np.sort(np.where(events, durations, np.inf))[trials - 1 - drop])
    return TimeToTarget(
        median=median,
        low=float(np.sort(durations)[drop]),
        high=high if math.isfinite(high) else None,
        confidence=float(1 - 2 * beyond[drop]),
        trials=trials,
        reached=int(events.sum()),
    )


def log_rank(
    times_a: ArrayLike, reached_a: ArrayLike, times_b: ArrayLike, reached_b: ArrayLike
) -> LogRank:
    """Return the log-rank test (Mantel 1966, Cancer Chemother. Rep. 50:163-170).

    The null is that both entrants reach the target at the same rate at every time. Trials are
    treated as independent; that those of one seed share their batches is not made use of. Arrivals
    of a beyond those expected are a sum of scores of its trials (Peto & Peto 1972, J. R. Stat. Soc.
    A 135:185-207), so that the exact test deals the scores out anew; it takes trials to be censored
    alike in both entrants, as with one budget. Without any trial that reached the target, or at
    identical times, the p-value is 1.
    """
    parts = [_checked(times_a, reached_a), _checked(times_b, reached_b)]
    durations, events = (np.concatenate(both) for both in zip(*parts, strict=True))
    of_a = len(parts[0][0])
    _, under_way, arrive = _race(durations, events)
    there, arrivals = under_way.sum(axis=1), arrive.sum(axis=1)
    scores = events - (arrivals / there) @ under_way
    excess = abs(float(scores[:of_a].sum()))

    share = under_way[:, :of_a].sum(axis=1) / there
    spread = (there - arrivals) / np.maximum(there - 1, 1)
    variance = float((arrivals * share * (1 - share) * spread).sum())
    chi_square = excess**2 / variance if variance > 0 else 0.0
    dealt = _excesses(scores, of_a)
    # Sums of the same scores in another order differ by rounding.
    return LogRank(
        chi_square,
        p_value=float(np.mean(dealt >= excess - 1e-9)),
        least_p_value=float(np.mean(dealt >= dealt.max() - 1e-9)),
    )


def _excesses(scores: Floats, of_a: int) -> Floats:
    """Return the size of the sum of `of_a` of the scores, for all choices of them or for many.

    The first is the one at hand, so that a p-value from drawn ones is valid too, and never 0
    (Phipson & Smyth 2010, Stat. Appl. Genet. Mol. Biol. 9:39).
    """
    dealt, rows = _deals(len(scores), of_a), max(_AT_ONCE // len(scores), 1)
    sums = [dealt[first : first + rows] @ scores for first in range(0, len(dealt), rows)]
    return np.asarray(np.abs(np.concatenate(sums)))


@functools.lru_cache(maxsize=4)
def _deals(trials: int, of_a: int) -> Bools:
    """Return which trials a is dealt, all ways or drawn ones: boolean [deals, trials].

    The first are the first ones. All pairs of equally many trials are dealt out the same ways.
    """
    if math.comb(trials, of_a) <= MOST_DEALS:
        choices = np.array(list(itertools.combinations(range(trials), of_a)), dtype=np.int64)
    else:
        rng, rows = np.random.default_rng(0), max(_AT_ONCE // trials, 1)
        drawn = [np.arange(of_a)[None]]
        for first in range(0, DRAWN_DEALS, rows):
            decks = np.tile(np.arange(trials), (min(rows, DRAWN_DEALS - first), 1))
            drawn.append(rng.permuted(decks, axis=1)[:, :of_a])
        choices = np.concatenate(drawn)
    dealt = np.zeros((len(choices), trials), np.bool_)
    np.put_along_axis(dealt, choices, True, axis=1)
    return dealt


def _race(durations: Floats, events: Bools) -> tuple[Floats, Bools, Bools]:
    """Return when trials arrive, and which are under way then and which arrive.

    The moments are float64 [moments], ascending; the others boolean [moments, trials].
    """
    moments = np.unique(durations[events])
    under_way = durations >= moments[:, None]
    return moments, under_way, events & (durations == moments[:, None])


def _checked(times: ArrayLike, reached: ArrayLike) -> tuple[Floats, Bools]:
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
