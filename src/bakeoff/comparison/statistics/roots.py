"""Where a function of one number crosses zero."""

from __future__ import annotations

from collections.abc import Callable

_MOST_ROUNDS = 200
"""Halving alone needs about fifty."""


def bracketed_root(
    function: Callable[[float], float], low: float, high: float, *, within: float
) -> float:
    """Return where `function` is zero, or at most `within` from where it changes its sign.

    It is continuous; ValueError where it has the same sign at `low` and `high`. Inverse quadratic
    interpolation where that can be trusted, halving where not: T. Chandrupatla, "A new hybrid
    quadratic/bisection algorithm for finding the zero of a nonlinear function without using
    derivatives", Advances in Engineering Software 28, 1997. SciPy's `brentq` does as well, but
    importing it takes a third of a second, as long as many a comparison.
    """
    newest, other = low, high
    at_newest, at_other = function(low), function(high)
    if at_newest * at_other > 0:
        raise ValueError(f"no change of sign between {low} and {high}")
    share = 0.5
    for _ in range(_MOST_ROUNDS):
        middle = newest + share * (other - newest)
        at_middle = function(middle)
        if (at_middle > 0) == (at_newest > 0):
            before, at_before = newest, at_newest
        else:
            before, at_before, other, at_other = other, at_other, newest, at_newest
        newest, at_newest = middle, at_middle
        best, at_best = min((newest, at_newest), (other, at_other), key=lambda each: abs(each[1]))
        width = abs(other - newest)
        if at_best == 0 or width <= 2 * within:
            return best
        share = _share(newest, other, before, at_newest, at_other, at_before)
        least = within / width
        share = min(max(share, least), 1 - least)
    return best


def _share(a: float, b: float, c: float, at_a: float, at_b: float, at_c: float) -> float:
    """Return how far from a to b the next look is: where a parabola through all three crosses 0."""
    place, height = (a - b) / (c - b), (at_a - at_b) / (at_c - at_b)
    # Outside of this the parabola turns between a and b.
    if not 1 - (1 - place) ** 0.5 < height < place**0.5:
        return 0.5
    return at_a / (at_b - at_a) * at_c / (at_b - at_c) + (c - a) / (b - a) * at_a / (
        at_c - at_a
    ) * at_b / (at_c - at_b)
