"""Numbers of a comparison in words. Differences are in percentage points, "points" for short."""

from __future__ import annotations

from collections.abc import Sequence

from bakeoff.comparison.statistics.power import MoreItems, Plan
from bakeoff.text import counted

# An interval narrower than +-0.05 points is shown with three decimals.
SMALL = 0.0005
# p-values, down to "p < 0.001".
SMALLEST_P_SHOWN = 0.001
THREE_DECIMALS_BELOW = 0.1
# Intervals at this confidence need not say so.
USUAL_CONFIDENCE = 0.95
# A sentence names so many seeds that are left out for one reason; of more it says how many.
SEEDS_NAMED = 4


def points(proportion: float, finest: float = 1.0) -> str:
    """Return a proportion in percentage points: two decimals, or three where `finest` needs them.

    `finest` is the smallest proportion that the same sentence must not show as 0.00.
    """
    decimals = 3 if finest < SMALL else 2
    text = f"{100 * proportion:.{decimals}f}"
    return text.removeprefix("-") if float(text) == 0 else text


def p_number(p_value: float, level: float = 0.05) -> str:
    """Return "0.31", "0.002", "< 0.001"; on that side of `level` on which the number is."""
    smallest = min(SMALLEST_P_SHOWN, level)
    if p_value < smallest:
        return f"< {smallest:g}"
    decimals = 2 if p_value >= THREE_DECIMALS_BELOW else 3
    # 0.0496 must not read as 0.050 beside a verdict that rests on its being below 0.05.
    while not _same_side(f"{p_value:.{decimals}f}", p_value, level) and p_value != level:
        decimals += 1
    return f"{p_value:.{decimals}f}"


def _same_side(shown: str, p_value: float, level: float) -> bool:
    """Return whether a reader sees whether the p-value is below the level."""
    return float(shown) != level and (float(shown) < level) == (p_value < level)


def p_text(p_value: float, level: float = 0.05) -> str:
    """Return "p = 0.31", "p = 0.002", "p < 0.001"."""
    number = p_number(p_value, level)
    return f"p {number}" if number.startswith("<") else f"p = {number}"


def interval_name(confidence: float) -> str:
    """Return "99 % interval " for the ends of an interval; nothing at the usual 95 %."""
    return "" if confidence == USUAL_CONFIDENCE else f"{100 * confidence:.10g} % interval "


def p_values_text(p_value: float, adjusted: float, pairs: int, looks: int, level: float) -> str:
    """Return the adjusted p-value, and the raw one beside it where the two read differently.

    That there were several `looks` is always said, how many `pairs` where it makes a difference.
    """
    said, same = p_text(adjusted, level), p_text(adjusted, level) == p_text(p_value, level)
    causes = [] if pairs == 1 or same else [f"Holm's correction for {pairs} pairs"]
    causes += [f"{looks} looks"] if looks > 1 else []
    after = f" after {' and '.join(causes)}" if causes else ""
    return said + after + ("" if same or not causes else f" ({p_number(p_value, level)} alone)")


def plan_text(plan: Plan | MoreItems, items: str = "test images") -> str:
    """Return what would decide, in words: numbers of one digit, and in which range they lie."""
    if isinstance(plan, MoreItems):
        if plan.items is None:
            return f"no number of {items} within reason would decide it"
        return f"about {_about(plan.items)} {items} ({_range(plan)}) would probably decide it"
    if plan.seeds is None:
        return f"neither more seeds nor more {items} within reason would decide it"
    if plan.test_images is None:
        return f"about {_about(plan.seeds)} seeds ({_range(plan)}) would probably decide it"
    return (
        f"more seeds alone cannot decide it; about {_about(plan.test_images)} {items} "
        f"({_range(plan)}) and {_about(plan.seeds)} seeds probably would"
    )


def one_digit(number: int) -> int:
    """Return a number rounded up to one significant digit, from ten on."""
    unit: int = 10 ** (len(str(number)) - 1)
    return -(-number // unit) * unit


def _about(number: int) -> str:
    return f"{one_digit(number):,}"


def _range(plan: Plan | MoreItems) -> str:
    if plan.fewest is None:
        return "or many more"
    unit = 10 ** (len(str(plan.fewest)) - 1)
    fewest = plan.fewest // unit * unit
    if plan.most is None:
        return f"{fewest:,} or more"
    return f"{fewest:,} to {_about(plan.most)}"


def left_out_text(lost: Sequence[tuple[int | str, str]]) -> str:
    """Return "left out: seeds 1, 3 (A diverged), seed 2 (B missing)" from (seed, "A diverged")."""
    reasons: dict[str, list[int | str]] = {}
    for seed, why in lost:
        reasons.setdefault(why, []).append(seed)
    return "left out: " + ", ".join(f"{_seeds(seeds)} ({why})" for why, seeds in reasons.items())


def _seeds(seeds: Sequence[int | str]) -> str:
    if len(seeds) > SEEDS_NAMED:
        return counted(len(seeds), "seed")
    return ("seed " if len(seeds) == 1 else "seeds ") + ", ".join(str(seed) for seed in seeds)


def listed(names: Sequence[str]) -> str:
    """Return "a", "a and b", "a, b and c"."""
    return " and ".join([*filter(None, [", ".join(names[:-1])]), names[-1]])
