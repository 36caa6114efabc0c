"""The distribution by which differences are judged: a t for the seeds plus a normal for the images.

A mean over seeds and images errs for two reasons. The part from the seeds has a spread that is
itself estimated from few seeds (`seeds - 1` degrees of freedom); the part from the images has a
spread estimated from thousands of images, as good as known. The error is therefore judged as

    sqrt(seed_part) * T + sqrt(image_part) * Z,    T ~ Student t (seeds - 1),    Z ~ normal,

the Behrens-Fisher quantity with one infinite number of degrees of freedom, which is also the
generalised pivotal quantity of Weerahandi (1993, JASA 88:899-905). Satterthwaite's single t
(the usual choice) puts an estimate of its degrees of freedom in the place of the true number; with
three seeds that errs to the optimistic side, the further into the tail the more.
Here `seed_part` and `image_part` are squared standard errors, in the squared unit of the mean.

Given the chi-square variable U of the seeds' mean square, the quantity is normal with variance
`seed_part * (seeds - 1) / U + image_part`, so each tail is an average of normal tails over U.
Where the images' spread, too, is estimated from little (few groups of images, classes of two), Z is
a t variable of its own, and the average is over its chi-square variable as well.
"""

from __future__ import annotations

import functools
import math
from collections.abc import Callable

import numpy as np
from numpy.typing import ArrayLike
from scipy import special

from bakeoff.comparison.statistics.checks import Floats
from bakeoff.comparison.statistics.roots import bracketed_root

# The average over U is a trapezoid sum in log U, whose integrand is smooth and dies at both ends:
# 300 nodes give about twelve digits. What is cut off at the ends is no more than this probability.
NODES = 300
CUT_OFF = 1e-14
# Over two such variables fewer nodes each must do: six digits, or three at one degree of freedom.
NODES_OF_EACH = 64
# From so many degrees of freedom on the spread over images counts as known: a 5 % test then rejects
# in 5.09 %.
KNOWN = 300

# From here on a t quantile and the normal one agree to seven digits.
AS_GOOD_AS_NORMAL = 1e7


@functools.lru_cache(maxsize=64)
def _spread_of_a_variance(df: float, nodes: int = NODES) -> tuple[Floats, Floats]:
    """Return nodes of `df / U`, U chi-square, and their weights: float64 [nodes] each."""
    lowest = np.log(CUT_OFF) * 2 / df
    highest = np.log(special.chdtri(df, CUT_OFF))
    log_u = np.linspace(lowest, highest, nodes)
    log_density = df / 2 * log_u - np.exp(log_u) / 2
    weights = np.exp(log_density - log_density.max())
    return df / np.exp(log_u), weights / weights.sum()


@functools.lru_cache(maxsize=64)
def _spreads_of_both(seed_df: int, image_df: float) -> tuple[Floats, Floats, Floats]:
    """Return nodes of both `df / U`, seeds' and images', and weights: float64 [nodes] each."""
    seeds, seed_weights = _spread_of_a_variance(seed_df, NODES_OF_EACH)
    images, image_weights = _spread_of_a_variance(image_df, NODES_OF_EACH)
    weights = np.outer(seed_weights, image_weights).ravel()
    return np.repeat(seeds, len(images)), np.tile(images, len(seeds)), weights


def one_sided_p(
    distance: ArrayLike,
    seed_part: ArrayLike,
    image_part: ArrayLike,
    seed_df: int,
    image_df: float = math.inf,
) -> Floats:
    """Return the probability that the error is at least `distance` in one given direction.

    `distance` (unit of the mean) and the two parts (squared unit, not both zero) may be arrays of
    any shapes that broadcast; the result has the broadcast shape, float64. `image_df` are the
    degrees of freedom of `image_part`; from `KNOWN` on they count as infinite.
    """
    distance, seed_part, image_part = np.broadcast_arrays(distance, seed_part, image_part)
    if image_df >= KNOWN:
        inflation, weights = _spread_of_a_variance(seed_df)
        variance = np.multiply.outer(seed_part, inflation) + np.asarray(image_part)[..., None]
    else:
        inflation, swelling, weights = _spreads_of_both(seed_df, image_df)
        variance = np.multiply.outer(seed_part, inflation)
        variance += np.multiply.outer(image_part, swelling)
    tails: Floats = special.ndtr(-np.asarray(distance)[..., None] / np.sqrt(variance))
    # The sum of weights may round to a little more than one.
    return np.minimum(tails @ weights, 1.0)


def two_sided_p(
    distance: ArrayLike,
    seed_part: ArrayLike,
    image_part: ArrayLike,
    seed_df: int,
    image_df: float = math.inf,
) -> Floats:
    """Return the probability of an error at least as far from zero as `distance`, either way."""
    # At distance 0 the sum of weights may round to a little less than one half.
    both = 2 * one_sided_p(np.abs(distance), seed_part, image_part, seed_df, image_df)
    return np.where(np.asarray(distance) == 0, 1.0, np.minimum(both, 1.0))


def critical_distance(
    tail: float,
    seed_part: float,
    image_part: Callable[[float], float],
    seed_df: int,
    start: float | None = None,
    image_df: float = math.inf,
) -> float:
    """Return the distance that the error exceeds with probability `tail` in one direction.

    Args:
        tail: in (0, 0.5); 0.025 for a two-sided 95 % interval.
        seed_part: the squared standard error from the seeds.
        image_part: that from the images if the truth lies this distance away.
        seed_df: seeds - 1.
        start: where to look first; one standard error unless given. If the tail is small enough
            there, the answer lies before it, though the image part should grow so fast with the
            distance that beyond it the tail is large once more.
        image_df: of `image_part`; from `KNOWN` on they count as infinite.

    """
    # `one_sided_p` of single numbers, with what does not depend on the distance done once.
    if image_df >= KNOWN:
        inflation, weights = _spread_of_a_variance(seed_df)
        swelling: Floats | float = 1.0
    else:
        inflation, swelling, weights = _spreads_of_both(seed_df, image_df)
    from_seeds = seed_part * inflation

    def excess(distance: float) -> float:
        spread = np.sqrt(from_seeds + image_part(distance) * swelling)
        return min(float(special.ndtr(-distance / spread) @ weights), 1.0) - tail

    high = math.sqrt(seed_part + image_part(0.0)) if start is None else start
    while excess(high) > 0:
        high *= 2
    return bracketed_root(excess, 0.0, high, within=1e-13 * high)


def degrees_of_freedom_of(quantile: float, tail: float, least: float) -> float:
    """Return the degrees of freedom of the t distribution with this upper `quantile` at `tail`.

    It puts `critical_distance / standard error` on the scale that readers know. The answer lies
    between `least`, the fewer of the two parts', and infinity; beyond `AS_GOOD_AS_NORMAL` it is
    given as that number.
    """
    low, high = 1 / AS_GOOD_AS_NORMAL, 1 / least
    for _ in range(60):
        middle = (low + high) / 2
        if -float(special.stdtrit(1 / middle, tail)) < quantile:
            low = middle
        else:
            high = middle
    return float(min(max(2 / (low + high), least), AS_GOOD_AS_NORMAL))
