"""Every seed as a dot, with the mean and interval of its entrant."""

from __future__ import annotations

from dataclasses import dataclass
from statistics import fmean

from bakeoff.findings.findings import Findings
from bakeoff.records.record import evaluations
from bakeoff.report.charts import canvas
from bakeoff.report.charts.labels import elided
from bakeoff.report.palette import INK, PAPER, Style, styles


@dataclass(frozen=True)
class DotRow:
    """One entrant's test accuracies, a proportion per seed."""

    entrant: str
    style: Style
    values: tuple[float, ...]
    mean: float
    interval: tuple[float, float] | None
    """Over new seeds, where the comparison has one."""


def dot_rows(findings: Findings) -> tuple[DotRow, ...]:
    """Return the entrants that have scores, best on validation data first."""
    estimates = {each.name: each.accuracy for each in findings.comparison.entrants}
    style = styles(tuple(entrant.name for entrant in findings.study.entrants))
    found = []
    for row in findings.standings:
        values = tuple(each.test.accuracy for each in evaluations(findings.trials(row.entrant)))
        if values:
            estimate = estimates.get(row.entrant)
            found.append(
                DotRow(
                    entrant=row.entrant,
                    style=style[row.entrant],
                    values=values,
                    mean=fmean(values),
                    interval=(estimate.low, estimate.high) if estimate else None,
                )
            )
    return tuple(found)


def draw_dots(rows: tuple[DotRow, ...]) -> str:
    """Return the chart as SVG, one row per entrant with its name above the dots."""
    each = 46
    figure = canvas.sheet(74 + each * len(rows))
    axes = canvas.plot(figure, left=6, top=26, right=16, bottom=44, grid="x")
    canvas.heading(figure, "Test accuracy of every seed")
    shown = [value for row in rows for value in row.values]
    shown += [end for row in rows for end in row.interval or () if 0 < end < 1]
    canvas.accuracy_axis(axes, "x", shown)
    axes.set_ylim(len(rows) - 0.1, -0.45)
    axes.set_yticks([])
    axes.set_xlabel("test accuracy (steps halve or tenth the errors)")
    for place, row in enumerate(rows):
        if row.interval is not None:
            ends = [1 - min(end, 1 - 1e-9) for end in row.interval]
            axes.plot(ends, [place + 0.42] * 2, color=row.style.mark, linewidth=6, alpha=0.35,
                      solid_capstyle="butt")  # fmt: skip
        axes.plot(
            [1 - value for value in row.values], [place + 0.2] * len(row.values),
            marker=row.style.marker, linestyle="none", color=row.style.mark, markersize=6.5,
            alpha=0.8, markeredgecolor=PAPER, markeredgewidth=0.8,
        )  # fmt: skip
        if len(row.values) > 1:
            axes.plot([1 - row.mean] * 2, [place + 0.3, place + 0.54], color=INK, linewidth=1.8)
        axes.annotate(
            elided(row.entrant, 56), (0, place - 0.14), xycoords=("axes fraction", "data"),
            color=row.style.text, size=canvas.TEXT - 0.5, va="center",
        )  # fmt: skip
    return canvas.to_svg(figure)
