"""Learning curves: a measure against epochs or seconds, one colour per entrant."""

from __future__ import annotations

from collections.abc import Collection, Mapping, Sequence
from dataclasses import dataclass
from typing import Any, Literal

import numpy as np
from numpy.typing import NDArray

from bakeoff.findings.findings import Findings
from bakeoff.report import words
from bakeoff.report.charts import canvas
from bakeoff.report.charts.labels import elided, spread, two_lines
from bakeoff.report.charts.svg import Chart, Numbers
from bakeoff.report.palette import MUTED, PAPER, Style, styles
from bakeoff.report.sections.batches import BatchGroup

Measure = Literal["train_loss", "validation_loss", "validation_accuracy"]
Against = Literal["epoch", "seconds"]
_POINTS = 20
_TWO_LINES = 10

Points = NDArray[np.float64]
"""[points, 2]: epoch or seconds, and the value, in order."""

_TITLES: dict[Measure, str] = {
    "train_loss": "Training loss",
    "validation_loss": "Validation loss",
    "validation_accuracy": "Validation accuracy",
}


@dataclass(frozen=True, eq=False)
class Curve:
    """The curves of one entrant."""

    style: Style
    seeds: Mapping[int, Points]
    """One per trial, as far as it came."""
    mean: Points
    """Over the epochs that every complete trial reached; empty where none is complete."""
    published: Points

    @property
    def main(self) -> Points:
        """The mean, or else the first trial."""
        return self.mean if len(self.mean) else next(iter(self.seeds.values()))

    @property
    def end(self) -> Points:
        """[1, 2]: where it ends."""
        return self.main[-1:]


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
        seeds = {
            record.seed: np.array(
                [(scale * each.epoch, getattr(each, measure)) for each in record.epochs]
            )
            for record in trials
        }
        complete = [seeds[record.seed] for record in trials if record.complete]
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
        [each for curve in curves.values() for each in (*curve.seeds.values(), curve.published)]
    )
    shown = [*every[:, 1].tolist(), *([] if target is None else [target])]
    clock = "epoch" if against == "epoch" else "seconds of training"
    title = f"{_TITLES[measure]} by {clock}"
    texts = _texts(curves)
    room = sum(map(_height, texts))
    sheet = canvas.plot(max(250, room + 20), title, left=42, top=32, right=140, bottom=26)
    if measure == "validation_accuracy":
        sheet.accuracy_axis("y", shown)
    elif min(shown) > 0:
        sheet.log_axis("y", shown)
    sheet.whole_axis(1.0 if against == "epoch" else 0.0, float(every[:, 0].max()))
    if target is not None:
        height = 1 - target
        sheet.axes.axhline(height, color=MUTED, linewidth=1, linestyle=(0, (2, 3)))
        sheet.axes.annotate(
            f"target {target:g}", (0, height), (4, 4), xycoords=("axes fraction", "data"),
            textcoords="offset points", color=MUTED, size=canvas.LABEL,
        )  # fmt: skip
    for entrant, curve in curves.items():
        _draw_lines(sheet, entrant, curve, measure, clock)
    _draw_names(sheet, curves, texts, measure)
    whose = " and ".join(only) or "each entrant"
    text = f"Line chart: {_TITLES[measure].lower()} of {whose}, by {clock}."
    return Chart(name, text, sheet.svg(), _numbers(curves, against), sheet.said)


def _on_axes(points: Points, measure: Measure) -> Points:
    """Return points as the axes have them: accuracies as errors."""
    x, y = points.T
    return np.column_stack((x, 1 - y if measure == "validation_accuracy" else y))


def _draw_lines(
    sheet: canvas.Sheet, entrant: str, curve: Curve, measure: Measure, clock: str
) -> None:
    def line(points: Points, said: Sequence[str], **how: Any) -> None:
        (drawn,) = sheet.axes.plot(*_on_axes(points, measure).T, color=curve.style.mark, **how)
        sheet.say(drawn, *said)

    def told(whose: str, points: Points) -> list[str]:
        return [f"{whose}, {clock} {x:.4g}: {words.proportion(y)}" for x, y in points]

    if len(curve.published):
        line(curve.published, [f"{entrant}, published"], linewidth=1.1, linestyle=(0, (4, 2.5)))
    several = len(curve.seeds) > 1
    for seed, points in curve.seeds.items():
        line(points, told(f"{entrant}, seed {seed}", points[-1:]), linewidth=0.6 if several else 2)
    if several and len(curve.mean):
        line(curve.mean, [f"{entrant}, mean over seeds"], linewidth=2.2)
    line(
        curve.end, told(entrant, curve.end), marker=curve.style.marker, markersize=6.5,
        markeredgecolor=PAPER, markeredgewidth=0.8,
    )  # fmt: skip
    # For the pointer alone: a point is easier to meet than a line.
    met = curve.main[_shown(len(curve.main))]
    line(met, told(entrant, met), marker="o", markersize=11, linestyle="none", alpha=0)


def _shown(points: int) -> list[int]:
    """Return the places of at most 20 points of a curve, evenly apart, both ends among them."""
    places = np.linspace(0, points - 1, min(points, _POINTS))
    return list(dict.fromkeys(map(round, places.tolist())))


def _numbers(curves: Mapping[str, Curve], against: Against) -> Numbers:
    """Return the curves as a table: a row for each epoch that is shown."""
    columns = {name: curve.main for name, curve in curves.items()} | {
        f"{name}, published": curve.published
        for name, curve in curves.items()
        if len(curve.published)
    }

    def cell(points: Points, place: int) -> str:
        if place >= len(points):
            return words.MISSING
        x, y = points[place]
        after = f" after {words.duration(x)} s" if against == "seconds" else ""
        return f"{words.proportion(y)}{after}"

    rows = [
        (str(place + 1), *(cell(points, place) for points in columns.values()))
        for place in _shown(max(map(len, columns.values())))
    ]
    return Numbers(("Epoch", *columns), rows)


def _texts(names: Collection[str]) -> list[str]:
    """Return the names as they stand beside the curves: where there are many, on one line each."""
    return [two_lines(name) if len(names) <= _TWO_LINES else elided(name, 20) for name in names]


def _height(text: str) -> float:
    return canvas.TEXT * 1.25 * (text.count("\n") + 1) + 3


def _draw_names(
    sheet: canvas.Sheet, curves: dict[str, Curve], texts: Sequence[str], measure: Measure
) -> None:
    """Write each entrant's name to the right of the end of its curve, with a thin line to it."""
    ends = np.concatenate([_on_axes(curve.end, measure) for curve in curves.values()])
    points = sheet.axes.transData.transform(ends).tolist()
    box = sheet.axes.get_window_extent()
    heights = list(map(_height, texts))
    centres = spread([y for _x, y in points], heights, box.y0 - 24, box.y1 + 14)
    for curve, text, point, centre in zip(curves.values(), texts, points, centres, strict=True):
        sheet.name(text, (box.x1 + 10, centre), "left", curve.style, point)
