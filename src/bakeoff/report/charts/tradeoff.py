"""What entrants are compared by against what it costs: seconds of training, or parameters."""

from __future__ import annotations

import math
from collections.abc import Callable, Mapping, Sequence

from bakeoff.findings.findings import Findings
from bakeoff.report import words
from bakeoff.report.charts import canvas
from bakeoff.report.charts.labels import Placed, extent, legible, place_beside, two_lines
from bakeoff.report.charts.svg import Chart, Numbers
from bakeoff.report.palette import PAPER, Style, styles
from bakeoff.report.sections.offers import Offer, Price, beaten, offers

_NEAR = 30.0
"""Up to here a label needs no line to its point."""


def draw_offers(findings: Findings, price: Price) -> Chart | None:
    """Return the chart: offers with their intervals, hollow where another one beats them."""
    found = offers(findings, price)
    if not found:
        return None
    metric = findings.comparison.metric.replace("_", " ")
    unit = "parameters" if price == "parameters" else "seconds of training"
    sheet = canvas.plot(270, f"Test {metric} by {unit}", left=42, top=36, right=80, bottom=26)
    style = styles(entrant.name for entrant in findings.study.entrants)
    scores = [end for each in found.values() for end in (each.score_low, each.score_high)]
    sheet.accuracy_axis("y", [end for end in scores if 0 < end < 1], room=0.14)
    sheet.log_axis("x", [end for each in found.values() for end in _costs(each)])
    beaten_by = {each.name: each for each in beaten(found, findings.comparison)}
    write = words.whole if price == "parameters" else words.duration
    told = []
    for name, each in found.items():
        mark = style[name].mark
        for across, up in _intervals(each):
            sheet.axes.plot(across, up, color=mark, linewidth=1.4, solid_capstyle="butt")
        (drawn,) = sheet.axes.plot(
            [each.cost], [1 - each.score], marker=style[name].marker, markersize=9, color=mark,
            markeredgecolor=mark, markeredgewidth=1.8, linestyle="none",
            markerfacecolor=PAPER if name in beaten_by else mark,
        )  # fmt: skip
        cells = (
            words.proportion(each.score),
            _range(each.score_low, each.score_high, words.proportion),
            write(each.cost),
            _range(each.cost_low, each.cost_high, write),
        )
        lost = beaten_by.get(name)
        said = f"{name}: {cells[0]} ({cells[1]}), {cells[2]} {unit}"
        said += "" if price == "parameters" else f" ({cells[3]})"
        sheet.say(drawn, said + (f"; beaten by {lost.by}, {lost.how}" if lost else ""))
        told.append((name, *cells, f"{lost.by}, {lost.how}" if lost else words.MISSING))
    _draw_names(sheet, found, style)
    numbers = Numbers(
        ("Entrant", f"Test {metric}", "Interval", unit.capitalize(), "Interval", "Beaten by"), told
    )
    name = f"accuracy-against-{price.replace('_', '-')}"
    return Chart(name, f"Scatter chart: test {metric} by {unit}.", sheet.svg(), numbers, sheet.said)


def _costs(offer: Offer) -> list[float]:
    return [each for each in (offer.cost_low, offer.cost, offer.cost_high) if each is not None]


def _intervals(offer: Offer) -> list[tuple[list[float], list[float]]]:
    """Return the two lines of the cross: what it costs, and how wrong it is."""
    costs = _costs(offer)
    errors = [1 - min(end, 1 - 1e-9) for end in (offer.score_low, offer.score_high)]
    return [([min(costs), max(costs)], [1 - offer.score] * 2), ([offer.cost] * 2, errors)]


def _range(low: float | None, high: float | None, write: Callable[[float | None], str]) -> str:
    if low is None or high is None or low == high:
        return words.MISSING
    return f"{write(low)} to {write(high)}"


def _draw_names(
    sheet: canvas.Sheet, found: Mapping[str, Offer], style: Mapping[str, Style]
) -> None:
    # In units of the sheet, from below.
    def spot(cost: float, error: float) -> tuple[float, float]:
        x, y = sheet.axes.transData.transform((cost, error)).tolist()
        return x, y

    points = {name: spot(each.cost, 1 - each.score) for name, each in found.items()}
    crosses = []
    for each in found.values():
        for across, up in _intervals(each):
            (x, y), (other_x, other_y) = map(spot, across, up)
            left, right = sorted((x, other_x))
            bottom, top = sorted((y, other_y))
            crosses.append((left - 1, bottom - 1, right + 1, top + 1))
    texts = {name: two_lines(name) for name in found}
    frame = sheet.axes.get_window_extent()

    def places(names: Sequence[str]) -> list[Placed]:
        return place_beside(
            [points[name] for name in names],
            [extent(texts[name], canvas.LABEL) for name in names],
            inside=(frame.x0 + 2, frame.y0 + 2, canvas.WIDTH, frame.y1 + 12),
            lines=crosses,
        )

    names = list(found)
    best_first = sorted(range(len(names)), key=lambda place: -found[names[place]].score)
    # Where some are left out there is room for the others to come nearer.
    names = [names[place] for place in sorted(legible(places(names), best_first))]
    for name, near in zip(names, places(names), strict=True):
        far = math.dist(near.at, points[name]) > _NEAR
        sheet.name(texts[name], near.at, near.align, style[name], points[name] if far else None)
