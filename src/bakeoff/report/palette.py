"""The colours: one table, from which the style sheet and every chart take theirs.

A chart is drawn in stand-in colours, one per tone. Afterwards each becomes a CSS variable (inline,
so that the chart follows light and dark) or the tone's light colour (a file of its own).
"""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass


@dataclass(frozen=True)
class Tone:
    """A colour by its role, as it is on light and on dark paper."""

    role: str
    light: str
    dark: str
    stand_in: str
    """Six hex digits that nothing else in a drawing uses."""

    @property
    def variable(self) -> str:
        """The CSS value: follows the page, or is the light colour where no page is."""
        return f"var(--{self.role}, {self.light})"


_ROLES = (
    ("ink", "#1b1d21", "#eceae4"),
    ("muted", "#5c626b", "#a7aab0"),
    ("rule", "#d9d7d0", "#3a3d43"),
    ("grid", "#8d8d88", "#6d7077"),
    ("paper", "#fdfcf9", "#16181c"),
    ("panel", "#f4f2ec", "#1f2227"),
    ("accent", "#0b5cad", "#7ab8f5"),
    ("good", "#006b4f", "#4fd1a5"),
    ("warn", "#a33b00", "#ff9d66"),
    ("heat", "#0b5cad", "#7ab8f5"),
    ("miss", "#b34300", "#ff9257"),
)
"""role, on light paper, on dark paper. Text keeps 4.5:1 against paper and panel, lines 3:1."""

_SERIES = (
    ("#0072b2", "#006aa6", "#5db4ee"),
    ("#d55e00", "#b34e00", "#ff8a4c"),
    ("#009e73", "#007556", "#33c79c"),
    ("#c2609a", "#a3437c", "#ec9fcb"),
    ("#c08300", "#855a00", "#f0b73e"),
    ("#3f4752", "#3f4752", "#d3d6db"),
    ("#4596cb", "#2a7099", "#a4dcff"),
    ("#8a5a3c", "#7a4e33", "#d1a182"),
)
"""After Okabe and Ito, darkened where white paper asks for it: mark, text (both on light), dark."""


def _tones() -> dict[str, Tone]:
    table = list(_ROLES)
    for number, (mark, text, dark) in enumerate(_SERIES, start=1):
        table.append((f"series-{number}", mark, dark))
        table.append((f"series-{number}-text", text, dark))
    return {
        role: Tone(role, light, dark, f"#ab{place:02x}cd")
        for place, (role, light, dark) in enumerate(table)
    }


TONES = _tones()
INK = TONES["ink"].stand_in
MUTED = TONES["muted"].stand_in
GRID = TONES["grid"].stand_in
PAPER = TONES["paper"].stand_in
HEAT = TONES["heat"].stand_in
MISS = TONES["miss"].stand_in

_MARKERS = ("o", "s", "D", "^", "v", "P", "X", "h")


@dataclass(frozen=True)
class Style:
    """How one entrant looks in every chart: colour and shape, so that neither stands alone."""

    number: int
    mark: str
    """Stand-in of lines and points."""
    text: str
    """Stand-in of labels."""
    marker: str
    """Matplotlib's letter for the shape of a point."""

    @property
    def css(self) -> str:
        """The mark's colour as a CSS value."""
        return TONES[f"series-{self.number}"].variable


def styles(entrants: Iterable[str]) -> dict[str, Style]:
    """Return the style of each entrant, by its place in the study.

    After eight entrants colours return with other shapes.
    """
    found = {}
    for place, name in enumerate(entrants):
        number = place % len(_SERIES) + 1
        turn = place // len(_SERIES)
        found[name] = Style(
            number=number,
            mark=TONES[f"series-{number}"].stand_in,
            text=TONES[f"series-{number}-text"].stand_in,
            marker=_MARKERS[(place + turn) % len(_MARKERS)],
        )
    return found


def style_sheet() -> str:
    """Return the CSS variables for light paper, dark paper and print."""
    light = "".join(f"--{tone.role}:{tone.light};" for tone in TONES.values())
    dark = "".join(f"--{tone.role}:{tone.dark};" for tone in TONES.values())
    return (
        f":root{{color-scheme:light dark;{light}}}\n"
        f"@media (prefers-color-scheme: dark){{:root{{{dark}}}}}\n"
        f"@media print{{:root{{color-scheme:light;{light}--paper:#fff}}}}\n"
    )
