"""Every seed as a dot, with the mean and interval of its entrant."""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence

from bakeoff.comparison.compare import Comparison
from bakeoff.report.charts import canvas
from bakeoff.report.charts.labels import elided
from bakeoff.report.charts.svg import Chart
from bakeoff.report.palette import INK, PAPER, styles


def draw_dots(
    comparison: Comparison, accuracies: Mapping[str, Sequence[float]], names: Iterable[str]
) -> Chart | None:
    """Return the chart: one row per entrant that has scores, its name above the dots.

    accuracies: by entrant, one per run. names: of all entrants, by whose place they have colours.
    """
    style = styles(names)
    rows = [
        (
            each.name,
            accuracies[each.name],
            each.accuracy,
        )
        for each in comparison.entrants
        if each.accuracy
    ]
    if not rows:
        return None
    sheet = canvas.plot(
        74 + 46 * len(rows), "Test accuracy of every seed",
        left=6, top=26, right=16, bottom=44, grid="x",
    )  # fmt: skip
    axes = sheet.axes
    shown = [value for _name, values, _seen in rows for value in values]
    shown += [end for *_, seen in rows for end in (seen.low, seen.high) if 0 < end < 1]
    sheet.accuracy_axis("x", shown)
    axes.set_ylim(len(rows) - 0.1, -0.45)
    axes.set_yticks([])
    axes.set_xlabel("test accuracy (steps halve or tenth the errors)")
    for place, (name, values, seen) in enumerate(rows):
        ends = [1 - min(end, 1 - 1e-9) for end in (seen.low, seen.high)]
        axes.plot(ends, [place + 0.42] * 2, color=style[name].mark, linewidth=6, alpha=0.35,
                  solid_capstyle="butt")  # fmt: skip
        axes.plot(
            [1 - value for value in values], [place + 0.2] * len(values),
            marker=style[name].marker, linestyle="none", color=style[name].mark, markersize=6.5,
            alpha=0.8, markeredgecolor=PAPER, markeredgewidth=0.8,
        )  # fmt: skip
        if len(values) > 1:
            axes.plot([1 - seen.mean] * 2, [place + 0.3, place + 0.54], color=INK, linewidth=1.8)
        axes.annotate(
            elided(name, 56), (0, place - 0.14), xycoords=("axes fraction", "data"),
            color=style[name].text, size=canvas.LABEL, va="center",
        )  # fmt: skip
    text = "Dot chart: test accuracy of every seed of each entrant, with mean and interval."
    return Chart("seeds", text, sheet.svg())
