"""Learning curves: a measure against epochs or seconds, one colour per entrant."""

from __future__ import annotations

from collections.abc import Collection
from dataclasses import dataclass
from typing import Any, Literal

import numpy as np
from numpy.typing import NDArray

from bakeoff.findings.findings import Findings
from bakeoff.report.charts import canvas
from bakeoff.report.charts.labels import spread, two_lines
from bakeoff.report.charts.svg import Chart
from bakeoff.report.palette import MUTED, PAPER, Style, styles
from bakeoff.report.sections.batches import BatchGroup

Measure = Literal["train_loss", "validation_loss", "validation_accuracy"]
Against = Literal["epoch", "seconds"]
Points = NDArray[np.float64]
"""[points, 2]: epoch or seconds, and the value, in order."""

_TITLES: dict[Measure, str] = {
    "train_loss": "Training loss, mean over examples",
    "validation_loss": "Validation loss, mean over examples",
    "validation_accuracy": "Validation accuracy",
}


@dataclass(frozen=True, eq=False)
class Curve:
    """The curves of one entrant."""

    style: Style
    seeds: tuple[Points, ...]
    """One per trial, as far as it came."""
    mean: Points
    """Over the epochs that every complete trial reached; empty where none is complete."""
    published: Points

    @property
    def end(self) -> Points:
        """[1, 2]: where the mean ends, or else the first trial."""
        return (self.mean if len(self.mean) else self.seeds[0])[-1:]


def learning_curves(
    findings: Findings, measure: Measure, against: Against = "epoch", only: Collection[str] = ()
) -> dict[str, Curve]:
    """Return the curves of each entrant that has any, or of those of them named in `only`."""
    style = styles(entrant.name for entrant in findings.study.entrants)
    epoch_seconds = {row.entrant: row.epoch_seconds for row in findings.standings}
    found = {}
    for entrant in findings.study.entrants:
        trials = [record for record in findings.trials(entrant.name) if record.epochs]
        # Beside others a trial is as slow as they make it, so seconds are clean ones.
        scale = 1.0 if against == "epoch" else epoch_seconds[entrant.name]
        if not trials or scale is None or (only and entrant.name not in only):
            continue
        seeds = tuple(
            np.array([(scale * each.epoch, getattr(each, measure)) for each in record.epochs])
            for record in trials
        )
        complete = [points for record, points in zip(trials, seeds, strict=True) if record.complete]
        shortest = min(map(len, complete), default=0)
        printed = entrant.published if against == "epoch" else None
        values = getattr(printed, measure) if printed else ()
        found[entrant.name] = Curve(
            style=style[entrant.name],
            seeds=seeds,
            mean=np.mean([each[:shortest] for each in complete or [np.empty((0, 2))]], axis=0),
            published=np.column_stack((np.arange(1, len(values) + 1), values)),
        )
    return found


def draw_curves(
    findings: Findings, measure: Measure, against: Against, group: BatchGroup | None = None
) -> Chart | None:
    """Return the chart of all entrants that have curves, or of those of a group."""
    name = measure.replace("_", "-") + ("-against-seconds" if against == "seconds" else "")
    only: tuple[str, ...] = ()
    target = None
    if group is not None:
        name, only, target = f"batches-{group.number}-{against}", group.names, group.target
    curves = learning_curves(findings, measure, against, only)
    if not curves:
        return None
    every = np.concatenate(
        [points for curve in curves.values() for points in (*curve.seeds, curve.published)]
    )
    shown = [*every[:, 1].tolist(), *([] if target is None else [target])]
    sheet = canvas.plot(330, _TITLES[measure], left=46, top=34, right=138, bottom=44)
    if measure == "validation_accuracy":
        sheet.accuracy_axis("y", shown)
    elif min(shown) > 0:
        sheet.log_axis("y", shown)
    sheet.whole_axis(1.0 if against == "epoch" else 0.0, float(every[:, 0].max()))
    sheet.axes.set_xlabel("epoch" if against == "epoch" else "seconds of training")
    if target is not None:
        height = 1 - target
        sheet.axes.axhline(height, color=MUTED, linewidth=1, linestyle=(0, (2, 3)))
        sheet.axes.annotate(
            f"target {target:g}", (0, height), (4, 4), xycoords=("axes fraction", "data"),
            textcoords="offset points", color=MUTED, size=canvas.TEXT - 1,
        )  # fmt: skip
    for curve in curves.values():
        _draw_lines(sheet, curve, measure)
    _draw_names(sheet, curves, measure)
    whose = " and ".join(only) or "each entrant"
    clock = "epochs" if against == "epoch" else "seconds of training"
    text = f"Line chart: {_TITLES[measure]} of {whose} against {clock}."
    return Chart(name, text, sheet.svg())


def _on_axes(points: Points, measure: Measure) -> Points:
    """Return points as the axes have them: accuracies as errors."""
    x, y = points.T
    return np.column_stack((x, 1 - y if measure == "validation_accuracy" else y))


def _draw_lines(sheet: canvas.Sheet, curve: Curve, measure: Measure) -> None:
    def line(points: Points, **how: Any) -> None:
        sheet.axes.plot(*_on_axes(points, measure).T, color=curve.style.mark, **how)

    if len(curve.published):
        line(curve.published, linewidth=1.1, linestyle=(0, (4, 2.5)), alpha=0.85)
    several = len(curve.seeds) > 1
    for points in curve.seeds:
        line(points, linewidth=0.8 if several else 2.0, alpha=0.45 if several else 1.0)
    if several and len(curve.mean):
        line(curve.mean, linewidth=2.2)
    line(
        curve.end, marker=curve.style.marker, markersize=6.5, markeredgecolor=PAPER,
        markeredgewidth=0.8,
    )  # fmt: skip


def _draw_names(sheet: canvas.Sheet, curves: dict[str, Curve], measure: Measure) -> None:
    """Write each entrant's name to the right of the end of its curve, with a thin line to it."""
    texts = [two_lines(name) for name in curves]
    ends = np.concatenate([_on_axes(curve.end, measure) for curve in curves.values()])
    points = sheet.axes.transData.transform(ends).tolist()
    box = sheet.axes.get_window_extent()
    heights = [canvas.TEXT * 1.25 * (text.count("\n") + 1) + 3 for text in texts]
    centres = spread([y for _x, y in points], heights, box.y0 - 24, box.y1 + 14)
    for curve, text, point, centre in zip(curves.values(), texts, points, centres, strict=True):
        sheet.name(text, (box.x1 + 10, centre), "left", curve.style, point)
