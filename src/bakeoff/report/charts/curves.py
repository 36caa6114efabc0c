"""Learning curves: a measure against epochs or seconds, one colour per entrant."""

from __future__ import annotations

from collections.abc import Callable, Iterable
from dataclasses import dataclass
from statistics import fmean
from typing import Literal

from bakeoff.findings.findings import Findings
from bakeoff.records.record import Epoch, Record
from bakeoff.report.charts import canvas
from bakeoff.report.charts.labels import spread, two_lines
from bakeoff.report.palette import MUTED, PAPER, Style, styles
from bakeoff.study.study import Published

Measure = Literal["train_loss", "validation_loss", "validation_accuracy"]
Against = Literal["epoch", "seconds"]
Points = tuple[tuple[float, float], ...]
"""(epoch or seconds, value), in order."""

TITLES: dict[Measure, str] = {
    "train_loss": "Training loss, mean over examples",
    "validation_loss": "Validation loss, mean over examples",
    "validation_accuracy": "Validation accuracy",
}


@dataclass(frozen=True)
class Curve:
    """The curves of one entrant."""

    entrant: str
    style: Style
    seeds: tuple[Points, ...]
    """One per trial, as far as it came."""
    mean: Points
    """Over the epochs that every complete trial reached."""
    published: Points


def _value(measure: Measure) -> Callable[[Epoch], float]:
    return lambda epoch: float(getattr(epoch, measure))


def _points(record: Record, measure: Measure, scale: float) -> Points:
    value = _value(measure)
    return tuple((scale * epoch.epoch, value(epoch)) for epoch in record.epochs)


def _mean(curves: list[Points]) -> Points:
    shortest = min(map(len, curves), default=0)
    return tuple(
        (
            fmean(curve[place][0] for curve in curves),
            fmean(curve[place][1] for curve in curves),
        )
        for place in range(shortest)
    )


def _printed(published: Published | None, measure: Measure, against: Against) -> Points:
    if published is None or against == "seconds":
        return ()
    values = getattr(published, measure)
    return tuple((float(epoch), value) for epoch, value in enumerate(values, start=1))


def learning_curves(
    findings: Findings, measure: Measure, against: Against = "epoch", only: Iterable[str] = ()
) -> tuple[Curve, ...]:
    """Return the curves of all entrants that have any, or of those named in `only`."""
    names = tuple(entrant.name for entrant in findings.study.entrants)
    style, wanted = styles(names), set(only) or set(names)
    epoch_seconds = {row.entrant: row.epoch_seconds for row in findings.standings}
    found = []
    for entrant in findings.study.entrants:
        trials = findings.trials(entrant.name)
        # Beside others a trial is as slow as they make it, so seconds are clean ones.
        scale = 1.0 if against == "epoch" else epoch_seconds[entrant.name]
        if entrant.name not in wanted or scale is None:
            continue
        seeds = tuple(_points(record, measure, scale) for record in trials if record.epochs)
        if not seeds:
            continue
        complete = [_points(record, measure, scale) for record in trials if record.complete]
        found.append(
            Curve(
                entrant=entrant.name,
                style=style[entrant.name],
                seeds=seeds,
                mean=_mean(complete),
                published=_printed(entrant.published, measure, against),
            )
        )
    return tuple(found)


def draw_curves(
    curves: tuple[Curve, ...], measure: Measure, against: Against, target: float | None = None
) -> str:
    """Return the chart as SVG; `target` is a value that training was to reach."""
    figure = canvas.sheet(330)
    axes = canvas.plot(figure, left=46, top=34, right=138, bottom=44)
    canvas.heading(figure, TITLES[measure])
    accuracy = measure == "validation_accuracy"

    def height(value: float) -> float:
        return 1 - value if accuracy else value

    shown = [
        value
        for curve in curves
        for points in (*curve.seeds, curve.published)
        for _x, value in points
    ]
    if target is not None:
        shown.append(target)
    if accuracy:
        canvas.accuracy_axis(axes, "y", shown)
    elif shown and min(shown) > 0:
        canvas.log_axis(axes, "y", shown)
    axes.set_xlabel("epoch" if against == "epoch" else "seconds of training")
    far = max((x for curve in curves for points in (*curve.seeds, curve.published)
               for x, _value in points), default=1.0)  # fmt: skip
    canvas.whole_axis(axes, 1.0 if against == "epoch" else 0.0, far)
    if target is not None:
        axes.axhline(height(target), color=MUTED, linewidth=1, linestyle=(0, (2, 3)))
        axes.annotate(
            f"target {target:g}", (0, height(target)), (4, 4), xycoords=("axes fraction", "data"),
            textcoords="offset points", color=MUTED, size=canvas.TEXT - 1,
        )  # fmt: skip
    for curve in curves:
        _draw_lines(axes, curve, height)
    _draw_names(axes, curves, height)
    return canvas.to_svg(figure)


def _draw_lines(axes: canvas.Axes, curve: Curve, height: Callable[[float], float]) -> None:
    def line(points: Points, **how: object) -> None:
        xs, ys = [x for x, _y in points], [height(y) for _x, y in points]
        axes.plot(xs, ys, color=curve.style.mark, **how)  # type: ignore[arg-type]

    if curve.published:
        line(curve.published, linewidth=1.1, linestyle=(0, (4, 2.5)), alpha=0.85)
    several = len(curve.seeds) > 1
    for points in curve.seeds:
        line(points, linewidth=0.8 if several else 2.0, alpha=0.45 if several else 1.0)
    if several and curve.mean:
        line(curve.mean, linewidth=2.2)
    last = (curve.mean or curve.seeds[0])[-1:]
    line(
        last, marker=curve.style.marker, markersize=6.5, markeredgecolor=PAPER, markeredgewidth=0.8
    )


def _draw_names(
    axes: canvas.Axes,
    curves: tuple[Curve, ...],
    height: Callable[[float], float],
) -> None:
    """Write each entrant's name to the right of the end of its curve, with a thin line to it."""
    ends = [(curve.mean or curve.seeds[0])[-1] for curve in curves]
    texts = [two_lines(curve.entrant) for curve in curves]
    pixels = [axes.transData.transform((x, height(y))) for x, y in ends]
    box = axes.get_window_extent()
    line = canvas.TEXT * 1.25
    heights = [line * (text.count("\n") + 1) + 3 for text in texts]
    centres = spread([pixel[1] for pixel in pixels], heights, box.y0 - 24, box.y1 + 14)
    for curve, text, pixel, centre in zip(curves, texts, pixels, centres, strict=True):
        axes.annotate(
            text,
            (pixel[0] + 5, pixel[1]),
            (box.x1 + 10, centre),
            xycoords="figure pixels",
            textcoords="figure pixels",
            color=curve.style.text,
            size=canvas.TEXT - 0.5,
            va="center",
            linespacing=1.1,
            arrowprops={
                "arrowstyle": "-", "color": curve.style.mark, "linewidth": 0.7, "alpha": 0.6,
                "shrinkA": 0, "shrinkB": 0, "relpos": (0, 0.5),
            },
        )  # fmt: skip
