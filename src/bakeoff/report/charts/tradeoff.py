"""Balanced accuracy against what it costs: seconds of training, or parameters."""

from __future__ import annotations

import math
from dataclasses import dataclass
from itertools import pairwise
from typing import Literal

from bakeoff.findings.findings import Findings
from bakeoff.report.charts import canvas
from bakeoff.report.charts.labels import Box, place_beside, two_lines
from bakeoff.report.palette import MUTED, Style, styles

_NEAR = 30.0
"""Up to here a label needs no line to its point."""

Price = Literal["training_seconds", "parameters"]

TITLES: dict[Price, str] = {
    "training_seconds": "seconds of training (logarithmic)",
    "parameters": "parameters (logarithmic)",
}


@dataclass(frozen=True)
class Offer:
    """One entrant: what it costs and how well it does, both means over its seeds."""

    entrant: str
    style: Style
    price: float
    balanced_accuracy: float
    """On test data."""
    on_front: bool
    """No other entrant is at least as cheap and at least as good, and better in one of them."""


def offers(findings: Findings, price: Price) -> tuple[Offer, ...]:
    """Return the entrants that have scores, in the order of the study."""
    style = styles(tuple(entrant.name for entrant in findings.study.entrants))
    rows = [
        (row.entrant, float(cost), row.test_balanced_accuracy)
        for row in findings.standings
        if row.test_balanced_accuracy is not None
        and (cost := getattr(row, price)) is not None
        and cost > 0
    ]

    def beaten(cost: float, score: float) -> bool:
        return any(
            other_cost <= cost and other >= score and (other_cost, other) != (cost, score)
            for _name, other_cost, other in rows
        )

    found = [
        Offer(name, style[name], cost, score, not beaten(cost, score)) for name, cost, score in rows
    ]
    order = list(style)
    return tuple(sorted(found, key=lambda offer: order.index(offer.entrant)))


def draw_offers(found: tuple[Offer, ...], price: Price) -> str:
    """Return the chart as SVG: offers on the front filled and joined, the others hollow."""
    figure = canvas.sheet(350)
    axes = canvas.plot(figure, left=52, top=40, right=92, bottom=46)
    canvas.heading(figure, "Balanced accuracy on test data")
    canvas.accuracy_axis(axes, "y", [offer.balanced_accuracy for offer in found], room=0.14)
    canvas.log_axis(axes, "x", [offer.price for offer in found])
    axes.set_xlabel(TITLES[price])
    front = sorted((offer for offer in found if offer.on_front), key=lambda offer: offer.price)
    axes.plot(
        [offer.price for offer in front],
        [1 - offer.balanced_accuracy for offer in front],
        color=MUTED, linewidth=1.2, linestyle=(0, (1, 2.5)), drawstyle="steps-post",
        dash_capstyle="round",
    )  # fmt: skip
    for offer in found:
        axes.plot(
            [offer.price], [1 - offer.balanced_accuracy], marker=offer.style.marker, markersize=9,
            color=offer.style.mark, markeredgecolor=offer.style.mark, markeredgewidth=1.8,
            fillstyle="full" if offer.on_front else "none", linestyle="none",
        )  # fmt: skip
    _draw_names(figure, axes, found)
    return canvas.to_svg(figure)


def _steps(corners: list[tuple[float, float]]) -> list[Box]:
    """Return the joined front as thin boxes: along each step, then up to the next offer."""
    found = []
    for (x, y), (next_x, next_y) in pairwise(sorted(corners)):
        found.append(Box(x, y - 3, next_x, y + 3))
        found.append(Box(next_x - 3, min(y, next_y), next_x + 3, max(y, next_y)))
    return found


def _draw_names(figure: canvas.Figure, axes: canvas.Axes, found: tuple[Offer, ...]) -> None:
    total = float(figure.get_size_inches()[1]) * 72

    def down(point: tuple[float, float]) -> tuple[float, float]:
        """Return data as units of the sheet from its top left."""
        x, y = axes.transData.transform(point)
        return float(x), total - float(y)

    points = [down((offer.price, 1 - offer.balanced_accuracy)) for offer in found]
    corners = [point for point, offer in zip(points, found, strict=True) if offer.on_front]
    frame = axes.get_window_extent()
    inside = Box(frame.x0 + 2, total - frame.y1 - 12, canvas.WIDTH, total - frame.y0 - 2)
    size = canvas.TEXT - 0.5
    texts = [two_lines(offer.entrant) for offer in found]
    places = place_beside(points, texts, size, inside, _steps(corners))
    for offer, text, point, place in zip(found, texts, points, places, strict=True):
        far = math.dist((place.x, place.y), point) > _NEAR
        arrow = {"arrowstyle": "-", "color": offer.style.mark, "linewidth": 0.8, "alpha": 0.7,
                 "shrinkA": 1, "shrinkB": 6}  # fmt: skip
        axes.annotate(
            text,
            (point[0], total - point[1]),
            (place.x, total - place.y),
            xycoords="figure pixels", textcoords="figure pixels",
            color=offer.style.text, size=size, va="center", ha=place.align, linespacing=1.1,
            arrowprops=arrow if far else None,
        )  # fmt: skip
