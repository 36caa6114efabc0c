"""The one place that knows matplotlib: sheets to draw on, axes that suit a report, SVG text.

One unit of a sheet is one CSS pixel at full size.
"""

from __future__ import annotations

import io
from collections.abc import Iterator, Sequence
from contextlib import contextmanager

import matplotlib as mpl
from matplotlib.axes import Axes
from matplotlib.backends.backend_svg import FigureCanvasSVG
from matplotlib.figure import Figure
from matplotlib.patches import Rectangle
from matplotlib.ticker import FixedLocator, FuncFormatter, MaxNLocator, NullLocator

from bakeoff.report.palette import INK, MUTED, RULE

__all__ = [
    "TEXT",
    "WIDTH",
    "Axes",
    "Figure",
    "Rectangle",
    "accuracy_axis",
    "bare",
    "heading",
    "log_axis",
    "own_settings",
    "plot",
    "sheet",
    "to_svg",
    "whole_axis",
]

WIDTH = 480.0
"""A sheet's width: on a phone, three quarters of it, text still reads."""
TEXT = 13.0
"""Size of text on a sheet."""
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


def sheet(height: float, width: float = WIDTH) -> Figure:
    """Return an empty figure of `width` x `height` units."""
    inches = (width / _UNITS_PER_INCH, height / _UNITS_PER_INCH)
    figure = Figure(figsize=inches, dpi=_UNITS_PER_INCH)
    FigureCanvasSVG(figure)
    figure.patch.set_visible(False)
    return figure


def plot(
    figure: Figure, left: float, top: float, right: float, bottom: float, grid: str = "y"
) -> Axes:
    """Return axes that leave these margins (in units), with a quiet grid and no frame."""
    width, height = figure.get_size_inches() * _UNITS_PER_INCH
    box = (left / width, bottom / height, (width - left - right) / width)
    axes = figure.add_axes((*box, (height - top - bottom) / height))
    axes.patch.set_visible(False)
    for side, spine in axes.spines.items():
        spine.set_visible(side == "bottom")
        spine.set_color(MUTED)
        spine.set_linewidth(0.8)
    axes.set_axisbelow(True)
    if grid:
        axes.grid(axis="y" if grid == "y" else "x", color=RULE, linewidth=0.8)
    axes.tick_params(which="both", colors=MUTED, labelsize=TEXT - 1, length=0, pad=5)
    axes.xaxis.label.set(color=MUTED, size=TEXT - 1)
    return axes


def bare(figure: Figure) -> Axes:
    """Return axes over the whole sheet in its own units, origin at the top left, nothing drawn."""
    width, height = figure.get_size_inches() * _UNITS_PER_INCH
    axes = figure.add_axes((0, 0, 1, 1))
    axes.set_axis_off()
    axes.set_xlim(0, width)
    axes.set_ylim(height, 0)
    return axes


def heading(figure: Figure, text: str) -> None:
    """Write what the vertical axis shows above it, left-aligned."""
    height = float(figure.get_size_inches()[1]) * _UNITS_PER_INCH
    figure.text(0.0, 1 - 14 / height, text, color=INK, size=TEXT, weight="bold", va="baseline")


def accuracy_ticks(low: float, high: float) -> list[float]:
    """Return errors (1 - accuracy) between `low` and `high` that make round accuracies."""
    for steps in ((1.0,), (1.0, 2.0, 5.0), (1.0, 1.5, 2.0, 3.0, 5.0, 7.0)):
        errors = [step * 10.0**power for power in range(-6, 1) for step in steps]
        inside = [error for error in errors if low <= error <= high and error < 1]
        if len(inside) >= _ENOUGH_TICKS:
            return inside
    return [tick for tick in MaxNLocator(4).tick_values(low, high) if low <= tick <= high]


def accuracy_axis(axes: Axes, which: str, accuracies: Sequence[float], room: float = 0.06) -> None:
    """Set an axis for errors 1 - accuracy: logarithmic, better to the top or right.

    `room` is the share of the axis left free at each end. Near 1 a plain axis hides what matters:
    0.98 to 0.99 halves the errors. Where an error is zero the axis is linear, for the logarithm has
    no place for it.
    """
    errors = [1 - accuracy for accuracy in accuracies] or [0.1, 1.0]
    axis = axes.yaxis if which == "y" else axes.xaxis
    set_limits = axes.set_ylim if which == "y" else axes.set_xlim
    low, high = min(errors), max(errors)
    if low > 0:
        (axes.set_yscale if which == "y" else axes.set_xscale)("log")
        factor = max((high / low) ** room, 1.04)
        low, high = low / factor, min(high * factor, 1.0)
        axis.set_major_locator(FixedLocator(accuracy_ticks(low, high)))
    else:
        high += 0.05 * (high - low) or 0.01
        low -= 0.05 * (high - low)
    axis.set_minor_locator(NullLocator())
    axis.set_major_formatter(FuncFormatter(lambda error, _place: f"{1 - error:.6g}"))
    set_limits(high, low)


def log_axis(axes: Axes, which: str, values: Sequence[float]) -> None:
    """Set a logarithmic axis with plain numbers for positive `values`."""
    axis = axes.yaxis if which == "y" else axes.xaxis
    low, high = (min(values), max(values)) if values else (0.1, 1.0)
    (axes.set_yscale if which == "y" else axes.set_xscale)("log")
    room = max((high / low) ** 0.08, 1.15)
    low, high = low / room, high * room
    (axes.set_ylim if which == "y" else axes.set_xlim)(low, high)
    for steps in ((1,), (1, 3), (1, 2, 5), (1, 2, 3, 4, 5, 6, 7, 8, 9)):
        ticks = [step * 10.0**power for power in range(-9, 13) for step in steps]
        ticks = [tick for tick in ticks if low <= tick <= high]
        if len(ticks) >= _ENOUGH_TICKS:
            break
    axis.set_major_locator(FixedLocator(ticks))
    axis.set_minor_locator(NullLocator())
    axis.set_major_formatter(FuncFormatter(lambda value, _place: _plain(value)))


def _plain(value: float) -> str:
    for limit, letter in ((1e9, "G"), (1e6, "M"), (1e4, "k")):
        if value >= limit:
            return f"{value / (1e3 if letter == 'k' else limit):g}{letter}"
    return f"{value:,g}"


def whole_axis(axes: Axes, low: float, high: float) -> None:
    """Let the horizontal axis count from `low` to `high` in whole numbers, with some room."""
    room = 0.03 * (high - low) or 0.5
    axes.set_xlim(low - room, high + room)
    axes.xaxis.set_major_locator(MaxNLocator(nbins=8, integer=True))


def to_svg(figure: Figure) -> str:
    """Return the drawing as matplotlib writes it, the same bytes for the same drawing."""
    silent = {"Date": None, "Creator": None, "Format": None, "Type": None}
    buffer = io.StringIO()
    figure.savefig(buffer, format="svg", transparent=True, metadata=silent)
    return buffer.getvalue()
