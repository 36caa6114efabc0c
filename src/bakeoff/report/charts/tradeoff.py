"""What entrants are compared by against what it costs: seconds of training, or parameters."""

from __future__ import annotations

import math
from collections.abc import Mapping, Sequence
from itertools import pairwise
from typing import Literal

from bakeoff.findings.findings import Findings
from bakeoff.report import words
from bakeoff.report.charts import canvas
from bakeoff.report.charts.labels import extent, place_beside, two_lines
from bakeoff.report.charts.svg import Chart, Numbers
from bakeoff.report.palette import MUTED, Style, styles

_NEAR = 30.0
"""Up to here a label needs no line to its point."""

Price = Literal["training_seconds", "parameters"]
Offers = Mapping[str, tuple[float, float]]
"""Of each entrant what it costs and what it comes to on test data, means over its seeds."""


def offers(findings: Findings, price: Price) -> Offers:
    """Return the offers of the entrants that have scores, in the order of the study."""
    rows = {row.entrant: row for row in findings.standings}
    found = {}
    for entrant in findings.study.entrants:
        row = rows[entrant.name]
        cost, score = getattr(row, price), getattr(row, f"test_{findings.comparison.metric}")
        if cost and score is not None:
            found[entrant.name] = (float(cost), score)
    return found


def front(found: Offers) -> list[str]:
    """Return the entrants that nobody beats, the cheapest first.

    One is beaten by another that costs no more and does no worse, and is not the same in both.
    """
    return sorted(
        (
            name
            for name, (cost, score) in found.items()
            if not any(
                other_cost <= cost and other >= score and (other_cost, other) != (cost, score)
                for other_cost, other in found.values()
            )
        ),
        key=lambda name: found[name],
    )


def draw_offers(findings: Findings, price: Price) -> Chart | None:
    """Return the chart: offers on the front filled and joined, the others hollow."""
    found = offers(findings, price)
    if not found:
        return None
    metric = findings.comparison.metric.replace("_", " ")
    unit = "parameters" if price == "parameters" else "seconds of training"
    sheet = canvas.plot(270, f"Test {metric} by {unit}", left=42, top=36, right=80, bottom=26)
    style = styles(entrant.name for entrant in findings.study.entrants)
    sheet.accuracy_axis("y", [score for _cost, score in found.values()], room=0.14)
    sheet.log_axis("x", [cost for cost, _score in found.values()])
    best = front(found)
    sheet.axes.plot(
        [found[name][0] for name in best], [1 - found[name][1] for name in best],
        color=MUTED, linewidth=1.2, linestyle=(0, (1, 2.5)), drawstyle="steps-post",
        dash_capstyle="round",
    )  # fmt: skip
    told = []
    for name, (cost, score) in found.items():
        mark = style[name].mark
        (drawn,) = sheet.axes.plot(
            [cost], [1 - score], marker=style[name].marker, markersize=9, color=mark,
            markeredgecolor=mark, markeredgewidth=1.8,
            fillstyle="full" if name in best else "none", linestyle="none",
        )  # fmt: skip
        write = words.whole if price == "parameters" else words.duration
        cells = words.proportion(score), write(cost)
        sheet.say(drawn, f"{name}: {cells[0]}, {cells[1]} {unit}")
        told.append((name, *cells, "yes" if name in best else "no"))
    _draw_names(sheet, found, best, style)
    description = f"Scatter chart: test {metric} by {unit}."
    numbers = Numbers(("Entrant", f"Test {metric}", unit.capitalize(), "On the front"), told)
    name = f"accuracy-against-{price.replace('_', '-')}"
    return Chart(name, description, sheet.svg(), numbers, sheet.said)


def _draw_names(
    sheet: canvas.Sheet, found: Offers, best: Sequence[str], style: Mapping[str, Style]
) -> None:
    # In units of the sheet, from below.
    points = {
        name: sheet.axes.transData.transform((cost, 1 - score)).tolist()
        for name, (cost, score) in found.items()
    }
    # The joined front: along each step, then up to the next offer.
    steps = []
    for (x, y), (next_x, next_y) in pairwise(points[name] for name in best):
        steps.append((x, y - 3, next_x, y + 3))
        steps.append((next_x - 3, min(y, next_y), next_x + 3, max(y, next_y)))
    texts = [two_lines(name) for name in found]
    frame = sheet.axes.get_window_extent()
    places = place_beside(
        list(points.values()),
        [extent(text, canvas.LABEL) for text in texts],
        inside=(frame.x0 + 2, frame.y0 + 2, canvas.WIDTH, frame.y1 + 12),
        lines=steps,
    )
    for (name, point), text, place in zip(points.items(), texts, places, strict=True):
        far = math.dist(place.at, point) > _NEAR
        sheet.name(text, place.at, place.align, style[name], point if far else None)
