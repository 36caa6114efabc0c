"""The one place that knows matplotlib: sheets to draw on, axes that suit a report, SVG text.

One unit of a sheet is one CSS pixel at full size.
"""

from __future__ import annotations

import io
from collections.abc import Callable, Iterator, Sequence
from contextlib import contextmanager
from dataclasses import dataclass, field
from typing import Literal

import matplotlib as mpl
from matplotlib.artist import Artist
from matplotlib.axes import Axes
from matplotlib.backends.backend_svg import FigureCanvasSVG
from matplotlib.figure import Figure
from matplotlib.ticker import FixedLocator, FuncFormatter, MaxNLocator, NullLocator

from bakeoff.report.palette import GRID, INK, MUTED, Style

WIDTH = 400.0
"""A sheet's width: on a phone, nine tenths of it, the smallest text still has 11 pixels."""
TEXT = 13.0
"""Size of a title."""
LABEL = TEXT - 0.5
"""Size of all other text."""
_UNITS_PER_INCH = 72.0
_ENOUGH_TICKS = 3


@contextmanager
def own_settings() -> Iterator[None]:
    """Draw by matplotlib's defaults and ours, whatever the user's settings are.

    Names are never read as formulas. The salt gives ids that are the same in every run.
    """
    with mpl.rc_context():
        mpl.rcdefaults()
        mpl.rcParams.update(
            {
                "svg.fonttype": "none",
                "svg.hashsalt": "bakeoff",
                "path.simplify": False,
                "text.parse_math": False,
            }
        )
        yield


@dataclass(frozen=True)
class Sheet:
    """A figure and its one set of axes."""

    figure: Figure
    axes: Axes
    said: dict[str, tuple[str, ...]] = field(default_factory=dict)
    """What marks say, by their id in the drawing."""

    def say(self, mark: Artist, *said: str) -> None:
        """Let a mark say this to the pointer and the screen reader, or each of its points one."""
        mark.set_gid(f"said-{len(self.said)}")
        self.said[f"said-{len(self.said)}"] = said

    def accuracy_axis(
        self, which: Literal["x", "y"], accuracies: Sequence[float], room: float = 0.06
    ) -> None:
        """Set an axis for errors 1 - accuracy: logarithmic, better to the top or right.

        `room` is the share of the axis left free at each end. Near 1 a plain axis hides what
        matters: 0.98 to 0.99 halves the errors. Where an error is zero the axis is linear, for the
        logarithm has no place for it.
        """
        errors = [1 - accuracy for accuracy in accuracies]
        low, high = min(errors), max(errors)
        ticks = None
        if low > 0:
            factor = max((high / low) ** room, 1.04)
            low, high = low / factor, min(high * factor, 1.0)
            ladders = ((1,), (1, 2, 5), (1, 1.5, 2, 3, 5, 7))
            # An accuracy of 0 needs no tick.
            ticks = _round_numbers(low, min(high, 0.999), ladders)
        else:
            high += 0.05 * (high - low) or 0.01
            low -= 0.05 * (high - low)
        self._scale(which, (high, low), ticks, lambda error, _place: f"{1 - error:.6g}")

    def log_axis(self, which: Literal["x", "y"], values: Sequence[float]) -> None:
        """Set a logarithmic axis with plain numbers for positive `values`."""
        low, high = min(values), max(values)
        room = max((high / low) ** 0.08, 1.15)
        low, high = low / room, high * room
        ladders = ((1,), (1, 3), (1, 2, 5), (1, 2, 3, 4, 5, 6, 7, 8, 9))
        self._scale(which, (low, high), _round_numbers(low, high, ladders), _plain)

    def _scale(
        self,
        which: Literal["x", "y"],
        ends: tuple[float, float],
        ticks: Sequence[float] | None,
        write: Callable[[float, int | None], str],
    ) -> None:
        """Set the ends of an axis and its ticks; where these are given it is logarithmic."""
        axis = {"x": self.axes.xaxis, "y": self.axes.yaxis}[which]
        if ticks is not None:
            self.axes.set(**{f"{which}scale": "log"})
            axis.set_major_locator(FixedLocator(ticks))
        axis.set_minor_locator(NullLocator())
        axis.set_major_formatter(FuncFormatter(write))
        self.axes.set(**{f"{which}lim": ends})

    def whole_axis(self, low: float, high: float) -> None:
        """Let the horizontal axis count from `low` to `high` in whole numbers, with some room."""
        room = 0.03 * (high - low) or 0.5
        self.axes.set_xlim(low - room, high + room)
        # Parts of one are written with several digits: fewer of them have room.
        most = 8 if high - low >= 1 else 4
        self.axes.xaxis.set_major_locator(MaxNLocator(nbins=most, integer=True))

    def name(
        self,
        text: str,
        at: tuple[float, float],
        align: str,
        style: Style,
        point: tuple[float, float] | None = None,
    ) -> None:
        """Write an entrant's name, with a thin line to its point; both in units, from below."""
        end = {"left": 0.0, "center": 0.5, "right": 1.0}[align]
        line = {
            "arrowstyle": "-", "color": style.mark, "linewidth": 0.6,
            "shrinkA": 1, "shrinkB": 6, "relpos": (end, 0.5),
        }  # fmt: skip
        self.axes.annotate(
            text, point or at, at, xycoords="figure pixels", textcoords="figure pixels",
            color=style.text, size=LABEL, va="center", ha=align, linespacing=1.1,
            arrowprops=line if point else None,
        )  # fmt: skip

    def svg(self) -> str:
        """Return the drawing as matplotlib writes it, the same bytes for the same drawing."""
        silent = {"Date": None, "Creator": None, "Format": None, "Type": None}
        buffer = io.StringIO()
        self.figure.savefig(buffer, format="svg", transparent=True, metadata=silent)
        return buffer.getvalue()


def _sheet(height: float, title: str, box: tuple[float, float, float, float]) -> Sheet:
    """Return a sheet of this height with axes in `box` (left, bottom, width, height; shares).

    The title, what the chart shows, stands at the top left.
    """
    size = (WIDTH / _UNITS_PER_INCH, height / _UNITS_PER_INCH)
    figure = Figure(figsize=size, dpi=_UNITS_PER_INCH)
    FigureCanvasSVG(figure)
    figure.patch.set_visible(False)
    figure.text(0, 1 - 14 / height, title, color=INK, size=TEXT, weight="bold", va="baseline")
    return Sheet(figure, figure.add_axes(box))


def plot(
    height: float,
    title: str,
    *,
    left: float,
    top: float,
    right: float,
    bottom: float,
    grid: Literal["x", "y"] = "y",
) -> Sheet:
    """Return a sheet whose axes leave these margins (in units), with a quiet grid and no frame."""
    box = (
        left / WIDTH,
        bottom / height,
        (WIDTH - left - right) / WIDTH,
        (height - top - bottom) / height,
    )
    sheet = _sheet(height, title, box)
    axes = sheet.axes
    axes.patch.set_visible(False)
    for side, spine in axes.spines.items():
        spine.set_visible(side == "bottom")
        spine.set_color(MUTED)
        spine.set_linewidth(0.8)
    axes.set_axisbelow(True)
    # Dots are quiet, and dark enough to be seen by all.
    axes.grid(axis=grid, color=GRID, linewidth=0.8, linestyle=(0, (1, 3)))
    axes.tick_params(which="both", colors=MUTED, labelsize=LABEL, length=0, pad=5)
    axes.xaxis.label.set(color=MUTED, size=LABEL)
    return sheet


def _round_numbers(low: float, high: float, ladders: Sequence[Sequence[float]]) -> list[float]:
    """Return round numbers from `low` to `high`, of the first ladder that has enough there."""
    for steps in ladders:
        ticks = [step * 10.0**power for power in range(-9, 13) for step in steps]
        inside = [tick for tick in ticks if low <= tick <= high]
        if len(inside) >= _ENOUGH_TICKS:
            return inside
    return [tick for tick in MaxNLocator(4).tick_values(low, high) if low <= tick <= high]


def _plain(value: float, _place: int | None = None) -> str:
    for limit, letter in ((1e9, "G"), (1e6, "M"), (1e4, "k")):
        if value >= limit:
            return f"{value / (1e3 if letter == 'k' else limit):g}{letter}"
    return f"{value:,g}"
