"""Numbers of a comparison in words. Differences are in percentage points, "points" for short."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import replace

from bakeoff.comparison.statistics.crossed import PairedDifference
from bakeoff.comparison.statistics.power import Plan

# An interval narrower than +-0.05 points is shown with three decimals.
SMALL = 0.0005
# p-values, down to "p < 0.001".
SMALLEST_P_SHOWN = 0.001
THREE_DECIMALS_BELOW = 0.1
# A sentence names so many seeds that are left out for one reason; of more it says how many.
SEEDS_NAMED = 4


def points(proportion: float, finest: float = 1.0) -> str:
    """Return a proportion in percentage points: two decimals, or three where `finest` needs them.

    `finest` is the smallest proportion that the same sentence must not show as 0.00.
    """
    decimals = 3 if finest < SMALL else 2
    text = f"{100 * proportion:.{decimals}f}"
    return text.removeprefix("-") if float(text) == 0 else text


def p_number(p_value: float) -> str:
    """Return "0.31", "0.002", "< 0.001"."""
    if p_value < SMALLEST_P_SHOWN:
        return f"< {SMALLEST_P_SHOWN}"
    if p_value >= THREE_DECIMALS_BELOW:
        return f"{p_value:.2f}"
    # 0.0496 must not read as 0.050 beside a verdict that rests on its being below 0.05.
    decimals = 4 if f"{p_value:.3f}" == "0.050" else 3
    return f"{p_value:.{decimals}f}"


def p_text(p_value: float) -> str:
    """Return "p = 0.31", "p = 0.002", "p < 0.001"."""
    number = p_number(p_value)
    return f"p {number}" if number.startswith("<") else f"p = {number}"


def amount(paired: PairedDifference) -> str:
    """Return a difference with its interval: "0.31 points (0.12 to 0.50)"."""
    low, high, difference = paired.low, paired.high, paired.difference
    finest = (high - low) / 2
    return f"{points(difference, finest)} points ({points(low, finest)} to {points(high, finest)})"


def amount_ahead(paired: PairedDifference) -> str:
    """Return the same as seen from the entrant that is ahead, so that it is positive."""
    if paired.difference >= 0:
        return amount(paired)
    turned = replace(paired, difference=-paired.difference, low=-paired.high, high=-paired.low)
    return amount(turned)


def holm_text(p_value: float, adjusted: float, pairs: int) -> str:
    """Return the adjusted p-value, and the raw one beside it where the two read differently."""
    if pairs == 1 or p_text(p_value) == p_text(adjusted):
        return p_text(adjusted)
    return (
        f"{p_text(adjusted)} after Holm's correction for {pairs} pairs ({p_number(p_value)} alone)"
    )


def plan_text(plan: Plan) -> str:
    """Return what would decide, in words."""
    if plan.more_seeds is None:
        return "neither more seeds nor more test images within reason would decide"
    if plan.test_images is None:
        return f"about {_count(plan.more_seeds, 'more seed')} would decide"
    text = f"no number of seeds can decide on this test set; about {plan.test_images:,} test images"
    if plan.more_seeds:
        text += f" and {_count(plan.more_seeds, 'more seed')}"
    return text + " would"


def left_out_text(lost: Sequence[tuple[int, str]]) -> str:
    """Return "left out: seeds 1, 3 (A diverged), seed 2 (B missing)" from (seed, "A diverged")."""
    reasons: dict[str, list[int]] = {}
    for seed, why in lost:
        reasons.setdefault(why, []).append(seed)
    return "left out: " + ", ".join(f"{_seeds(seeds)} ({why})" for why, seeds in reasons.items())


def _seeds(seeds: Sequence[int]) -> str:
    if len(seeds) > SEEDS_NAMED:
        return _count(len(seeds), "seed")
    return ("seed " if len(seeds) == 1 else "seeds ") + ", ".join(str(seed) for seed in seeds)


def _count(number: int, noun: str) -> str:
    return f"{number:,} {noun}" + ("" if number == 1 else "s")
