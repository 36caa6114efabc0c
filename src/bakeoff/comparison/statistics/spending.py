"""What a further look at a growing study costs: the rule by which several looks share an error.

docs/statistics.md holds the rule, its reasons and what simulations say of it.
"""

from __future__ import annotations

import functools
import itertools
import math
from collections.abc import Sequence

import numpy as np
from numpy.typing import NDArray
from scipy import special

from bakeoff.comparison.statistics.roots import bracketed_root

Floats = NDArray[np.float64]

# The first look has the whole level; all later ones together have this share of it. That makes 5 %
# into 5.5 %. The rest to 6 % is a reserve: t statistics of few seeds have less in common than the
# normal ones that bounds are made of, and somebody may look again just when p came near.
LATER_LOOKS = 0.1

# Gauss and Legendre's nodes for each look's statistic, below its bound.
_NODES, _WEIGHTS = np.polynomial.legendre.leggauss(160)
# No statistic is lower than this, and none further above its centre than that.
_LOWEST, _HIGHEST = -9.0, 37.0


def seeds_at_looks(
    earlier: Sequence[frozenset[int | str]], now: frozenset[int | str]
) -> tuple[int, ...]:
    """Return the number of seeds of a pair at each look that counts, the present one last.

    Looks with fewer than two seeds claim nothing. Another look at the same seeds is the same look.
    Other seeds, though no more of them, are a further look; it counts as one with a seed more.
    """
    numbers: list[int] = []
    for seeds in earlier:
        if seeds == now:
            break
        if len(seeds) > max(numbers, default=1):
            numbers.append(len(seeds))
    return (*numbers, max(len(now), *(each + 1 for each in numbers[-1:]), 2))


def price(seeds: Sequence[int], level: float) -> float:
    """Return by what the p-values of the last of several looks are multiplied; 1 for a first look.

    An error-spending rule (Lan & DeMets 1983, Biometrika 70:659-663) whose information is the
    degrees of freedom of the seeds, so that nobody need say before how many looks there will be:
    a first look at n1 seeds spends the `level`, and by a look at n seeds the later ones have spent
    `LATER_LOOKS * level * (1 - (n1 - 1) / (n - 1))`.

    Args:
        seeds: of each look, at least two, ascending.
        level: of the two-sided test, after correction for the number of pairs.

    """
    return _price(tuple(seeds), level)


@functools.lru_cache(maxsize=4096)
def _price(seeds: tuple[int, ...], level: float) -> float:
    """Find each look's bound from the ones before (Armitage, McPherson & Rowe 1969).

    One-sided, at half the level: `density` is that of the statistic, a standard normal one, of
    studies that crossed no bound so far. Images would make looks more alike, and errors rarer.
    """
    tail, information = level / 2, [each - 1 for each in seeds]
    bound = float(-special.ndtri(tail))
    places, weights = _below(bound)
    density = np.exp(-(places**2) / 2) / math.sqrt(2 * math.pi)
    for before, now in itertools.pairwise(information):
        spent = LATER_LOOKS * tail * information[0] * (1 / before - 1 / now)
        likeness, fresh = math.sqrt(before / now), math.sqrt(1 - before / now)
        likely, mass = likeness / fresh * places, weights * density
        bound = fresh * _exceeded_by(spent, likely, mass)
        places, weights = _below(bound)
        steps = places[:, None] / fresh - likely
        density = np.exp(-(steps**2) / 2) @ mass / (fresh * math.sqrt(2 * math.pi))
    return tail / float(special.ndtr(-bound)) if len(seeds) > 1 else 1.0


def _exceeded_by(share: float, centres: Floats, mass: Floats) -> float:
    """Return what a mixture of normal variables, each of spread 1, exceeds with chance `share`."""

    def excess(bound: float) -> float:
        return float(special.ndtr(centres - bound) @ mass) - share

    return bracketed_root(excess, 0.0, _HIGHEST + float(centres.max()), within=1e-11)


def _below(bound: float) -> tuple[Floats, Floats]:
    """Return nodes from the lowest statistic to the bound, and their weights."""
    half = (bound - _LOWEST) / 2
    return _LOWEST + half * (_NODES + 1), half * _WEIGHTS
