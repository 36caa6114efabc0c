"""Measure how often the time statistics err with few trials.

    python -m benchmarks.simulate_times [--repeats 4000]

Both entrants' times to the target come from one Weibull distribution; with censoring a third of
the trials end before they arrive, at a time of their own. How often is a difference claimed at 5 %,
and how often does the interval hold the median? Beside them stand the usual test and interval.
"""

from __future__ import annotations

import argparse
import math

import numpy as np
from numpy.typing import NDArray
from scipy import stats

from bakeoff.comparison.statistics.survival import log_rank, time_to_target

TRIALS = (1, 2, 3, 4, 5, 6, 8, 10)
SHAPE = 3.0
MEDIAN = math.log(2) ** (1 / SHAPE)


def greenwood_holds(
    times: NDArray[np.float64], there: NDArray[np.bool_], confidence: float = 0.95
) -> bool:
    """Return whether the log-log interval (Brookmeyer & Crowley 1982) holds the median."""
    if not there.any():
        return True
    curve = stats.ecdf(stats.CensoredData(uncensored=times[there], right=times[~there])).sf
    low, high, quantile, greenwood = 0.0, math.inf, stats.norm.isf((1 - confidence) / 2), 0.0
    upper = 1.0
    for time, left in zip(curve.quantiles, curve.probabilities, strict=True):
        under_way, arrive = (times >= time).sum(), (there & (times == time)).sum()
        lower = float(left)
        if left < 1 - 1e-12:
            greenwood += arrive / (under_way * max(under_way - arrive, 1))
        if 1e-12 < left < 1 - 1e-12:
            spread = quantile * math.sqrt(greenwood) / abs(math.log(left))
            lower, upper = left ** math.exp(spread), left ** math.exp(-spread)
        if lower <= 0.5 and low == 0.0:
            low = time
        if upper < 0.5 and math.isinf(high):
            high = time
    return bool(low <= MEDIAN <= high)


def row(trials: int, censored: bool, repeats: int, rng: np.random.Generator) -> str:
    """Return the line of one number of trials."""
    rejected = usual = covered = covered_usual = 0
    attained = None
    for _ in range(repeats):
        times = rng.weibull(SHAPE, 2 * trials)
        ends = rng.weibull(SHAPE, 2 * trials) * 1.26 if censored else np.full(2 * trials, np.inf)
        there, times = times <= ends, np.minimum(times, ends)
        a, b = slice(None, trials), slice(trials, None)
        test = log_rank(times[a], there[a], times[b], there[b])
        rejected += test.p_value <= 0.05
        usual += stats.chi2.sf(test.chi_square, 1) <= 0.05
        found = time_to_target(times[a], there[a])
        attained = found.confidence
        covered += found.low is None or found.low <= MEDIAN <= (found.high or math.inf)
        covered_usual += greenwood_holds(times[a], there[a])
    holds = "none" if attained is None else f"{100 * covered / repeats:.1f}"
    said = "none" if attained is None else f"{100 * attained:.1f}"
    return (
        f"| {trials} | {'a third' if censored else 'none'} "
        f"| {100 * rejected / repeats:.1f} | {100 * usual / repeats:.1f} "
        f"| {said} | {holds} | {100 * covered_usual / repeats:.1f} |"
    )


def main() -> None:
    """Print the table of results/simulate_times.md."""
    parser = argparse.ArgumentParser(description="Measure how often time statistics err.")
    parser.add_argument("--repeats", type=int, default=4000)
    repeats = parser.parse_args().repeats
    rng = np.random.default_rng(20240501)
    print("| trials each | censored | rejected | (chi-square) | said | covered | (log-log) |")
    print("|---:|---|---:|---:|---:|---:|---:|")
    for censored in (False, True):
        for trials in TRIALS:
            fewer = repeats // 4 if trials > 8 else repeats
            print(row(trials, censored, fewer, rng), flush=True)


if __name__ == "__main__":
    main()
