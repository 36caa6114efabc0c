"""Text from files as a person may see it: nothing in it can steer a terminal or reorder a line."""

from __future__ import annotations

import math
import re
import textwrap
import unicodedata

# Control characters, those that turn the direction of a line or hide in it, halves of pairs,
# line and paragraph separators: what a reader cannot see but a terminal or browser obeys.
_STEERING = {"Cc", "Cf", "Cs", "Zl", "Zp"}

_STYLE = re.compile(r"\x1b\[[\d;]*m")
"""Takes no room in a terminal."""


def visible(text: str, keep: str = "") -> str:
    r"""Return `text` with each character that steers written out, as \x1b or \u202e.

    The characters in `keep` stay as they are.
    """
    if text.isprintable():
        return text
    return "".join(
        _escape(each) if each not in keep and unicodedata.category(each) in _STEERING else each
        for each in text
    )


def _escape(character: str) -> str:
    return character.encode("unicode_escape").decode("ascii")


def shortened(text: str, most: int = 80) -> str:
    """Return at most `most` characters of `text`, with an ellipsis where something is left out."""
    return text if len(text) <= most else f"{text[: most - 1]}…"


def broken(line: str, width: int) -> str:
    """Return a line broken between words where it is wider; what goes on below is moved in.

    A word that is wider by itself, as a path may be, stays whole, so that it can be copied.
    """
    if len(_STYLE.sub("", line)) <= width:
        return line
    return textwrap.fill(
        line, width, subsequent_indent="  ", break_long_words=False, break_on_hyphens=False
    )


def counted(number: int, noun: str) -> str:
    """Return "1 seed", "2 seeds"."""
    return f"{number:,} {noun}" + ("" if number == 1 else "s")


def lasting(seconds: float) -> str:
    """Return a duration in the unit that suits it, as "90 s" or "2 hours"."""
    for unit, size in (("days", 86400), ("hours", 3600), ("minutes", 60)):
        if seconds >= 2 * size:
            return f"{seconds / size:.0f} {unit}"
    return f"{math.ceil(seconds)} s"
