"""Numbers as text, each kind in one way throughout the page."""

from __future__ import annotations

MISSING = "–"


def proportion(value: float | None) -> str:
    """Return a proportion with four places: 0.9879."""
    return MISSING if value is None else f"{value:.4f}"


def points(value: float | None) -> str:
    """Return signed percentage points with a true minus: +0.31, −0.05."""
    return signed(value, 2)


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


def seconds(value: float | None) -> str:
    """Return seconds with about three digits: 9.31, 31.4, 452."""
    return _three_digits(value)


def milliseconds(value: float | None) -> str:
    """Return milliseconds with about three digits: 0.0214, 0.84, 12.1."""
    return _three_digits(value)


def _three_digits(value: float | None) -> str:
    if value is None:
        return MISSING
    for limit, places in ((100, 0), (10, 1), (1, 2), (0.1, 3), (0.01, 4)):
        if value >= limit:
            return f"{value:,.{places}f}"
    return f"{value:.5f}"


_SMALLEST_P = 0.001
_CLOSE_P = 0.1
"""Below it the third place matters."""


def p_value(value: float | None) -> str:
    """Return a p-value: 0.023, or < 0.001."""
    if value is None:
        return MISSING
    if value < _SMALLEST_P:
        return f"< {_SMALLEST_P}"
    return f"{value:.3f}" if value < _CLOSE_P else f"{value:.2f}"


def percent(value: float | None) -> str:
    """Return a share as per cent: 99.4 %. Never 100.0 % unless it is all."""
    if value is None:
        return MISSING
    text = f"{100 * value:.1f}"
    if text == "100.0" and value < 1:
        text = "> 99.9"
    return f"{text}\N{NO-BREAK SPACE}%"


def plain(value: object) -> str:
    """Return a setting as it would stand in a study file."""
    if value is None:
        return MISSING
    if isinstance(value, float):
        return f"{value:g}"
    return str(value)
