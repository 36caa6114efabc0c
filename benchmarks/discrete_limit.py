"""Say how often any test at 5 % can reject where two entrants part on few images.

    python -m benchmarks.discrete_limit

The plainest bake-off of two equally good entrants: trained again they answer alike, and the images
on which only the one, or only the other, is right come by chance, equally many of each to be
expected. A test is a set of pairs of counts at which it rejects. It is valid if the chance of that
set is at most 5 % whatever the expected number; of all valid tests that treat the entrants alike,
an integer program finds the one that rejects most often at a given expected number. With few images
that is far less than 5 %: single pairs of counts are already too likely elsewhere.
"""

from __future__ import annotations

import argparse
from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray
from scipy import optimize, stats

Floats = NDArray[np.float64]

LEVEL = 0.05
EXPECTED = (0.5, 1.0, 1.6, 2.0, 3.0, 4.0, 5.0)
# Expected numbers of images, each way, at which a test must be valid.
EVERYWHERE = np.linspace(0.05, 8, 160)
# Counts from here on have no chance worth reckoning at the numbers above.
COUNTS = 26
NORMAL_QUANTILE_SQUARED = float(stats.norm.isf(LEVEL / 2)) ** 2


@dataclass(frozen=True)
class Limit:
    """Rejection rates at one expected number of images on which the entrants part."""

    expected: float
    best: float
    score: float


def outcomes() -> NDArray[np.int64]:
    """Return the pairs of counts, the larger first; each stands for its mirror image too."""
    return np.array([(more, less) for more in range(COUNTS) for less in range(more + 1)])


def chances(each_way: float) -> Floats:
    """Return the chance of each of `outcomes()` if so many images are expected each way."""
    of_count = stats.poisson.pmf(np.arange(COUNTS), each_way)
    more, less = outcomes().T
    return np.asarray(of_count[more] * of_count[less] * np.where(more == less, 1, 2))


def limit(expected: float) -> Limit:
    """Return how often the best valid test rejects, and the score test (|b - c| > 1.96 root)."""
    at_hand = chances(expected / 2)
    found = optimize.milp(
        -at_hand,
        constraints=optimize.LinearConstraint(
            np.array([chances(each_way) for each_way in EVERYWHERE]), ub=LEVEL
        ),
        integrality=np.ones(len(at_hand)),
        bounds=optimize.Bounds(0, 1),
        options={"mip_rel_gap": 0.001, "time_limit": 30},
    )
    more, less = outcomes().T
    rejects = (more - less) ** 2 > NORMAL_QUANTILE_SQUARED * np.maximum(more + less, 1)
    return Limit(expected, best=float(-found.fun), score=float(at_hand[rejects].sum()))


def table(limits: Sequence[Limit]) -> str:
    """Return the limits, rates in per cent."""
    lines = ["| images expected to part the two | best test | score test |", "|---:|---:|---:|"]
    lines += [
        f"| {each.expected:g} | {100 * each.best:.2f} | {100 * each.score:.2f} |" for each in limits
    ]
    return "\n".join(lines)


def main(arguments: Sequence[str] | None = None) -> None:
    """Print the table."""
    parser = argparse.ArgumentParser(description="How often any test at 5 % can reject.")
    parser.parse_args(arguments)
    print(table([limit(expected) for expected in EXPECTED]))


if __name__ == "__main__":
    main()
