"""Numbers as text, each kind in one way throughout the page."""

from __future__ import annotations

from bakeoff.comparison.words import p_number

MISSING = "–"


def proportion(value: float | None) -> str:
    """Return a proportion with four places: 0.9879."""
    return MISSING if value is None else f"{value:.4f}"


def signed_points(difference: float | None) -> str:
    """Return a difference of proportions as percentage points with their sign: +0.31, −0.05."""
    return MISSING if difference is None else signed(100 * difference, 2)


def signed(value: float | None, places: int = 4) -> str:
    """Return a signed difference with a true minus; what rounds to zero has no sign."""
    if value is None:
        return MISSING
    text = f"{value:+.{places}f}"
    return text.replace("-", "\N{MINUS SIGN}") if float(text) else text[1:]


def whole(value: float | None) -> str:
    """Return a count with separators: 3,274,634."""
    return MISSING if value is None else f"{value:,.0f}"


def count(value: float | None) -> str:
    """Return a mean of counts: 11, or 13.4 where it is not whole."""
    return MISSING if value is None else f"{value:,.1f}".removesuffix(".0")


def duration(value: float | None) -> str:
    """Return seconds or milliseconds with about three digits: 0.0214, 0.84, 9.31, 31.4, 452."""
    if value is None:
        return MISSING
    for limit, places in ((100, 0), (10, 1), (1, 2), (0.1, 3), (0.01, 4)):
        if value >= limit:
            return f"{value:,.{places}f}"
    return f"{value:.5f}"


def p_value(value: float | None) -> str:
    """Return a p-value as the verdicts' sentences have it: 0.023, or < 0.001."""
    return MISSING if value is None else p_number(value)


def percent(value: float | None) -> str:
    """Return a share as per cent: 99.4 %. Never 100.0 % unless it is all."""
    if value is None:
        return MISSING
    text = f"{100 * value:.1f}"
    if text == "100.0" and value < 1:
        text = "> 99.9"
    return f"{text}\N{NO-BREAK SPACE}%"


def setting(value: object) -> str:
    """Return a setting as it would stand in a study file."""
    if value is None:
        return MISSING
    if isinstance(value, float):
        return f"{value:g}"
    return str(value)
