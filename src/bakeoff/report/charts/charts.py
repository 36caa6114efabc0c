"""Every chart of a report: drawn once, shown in the page and written as files."""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from typing import Any, NamedTuple

from bakeoff.findings.findings import Findings
from bakeoff.report.charts.canvas import own_settings
from bakeoff.report.charts.curves import draw_curves
from bakeoff.report.charts.dots import draw_dots
from bakeoff.report.charts.grids import draw_class_table, draw_confusion
from bakeoff.report.charts.svg import Chart
from bakeoff.report.charts.tradeoff import draw_offers
from bakeoff.report.sections.batches import BatchGroup
from bakeoff.report.sections.classes import ClassScore, ClassTable


class Charts(NamedTuple):
    """Every chart of a report; None where there are no data for it."""

    seeds: Chart | None
    train_loss: Chart | None
    validation_loss: Chart | None
    validation_accuracy: Chart | None
    validation_accuracy_by_seconds: Chart | None
    accuracy_by_seconds: Chart | None
    accuracy_by_parameters: Chart | None
    f1: Chart | None
    recall: Chart | None
    precision: Chart | None
    confusions: tuple[Chart, ...]
    """One per entrant that has scores, best on validation data first."""
    batches: tuple[tuple[Chart | None, Chart | None], ...]
    """Per group of entrants the curves by epochs, and by seconds."""


def every_chart(charts: Chart | tuple[Any, ...] | None) -> Iterator[Chart]:
    """Yield each chart that was drawn, however deep it lies."""
    if isinstance(charts, Chart):
        yield charts
    for each in charts if isinstance(charts, tuple) else ():
        yield from every_chart(each)


def draw_charts(
    findings: Findings, tables: Mapping[ClassScore, ClassTable], groups: Sequence[BatchGroup]
) -> Charts:
    """Return every chart that the findings have data for; drawing them takes seconds."""
    classes = findings.classes
    with own_settings():
        return Charts(
            seeds=draw_dots(
                findings.comparison,
                findings.scores,
                [entrant.name for entrant in findings.study.entrants],
            ),
            train_loss=draw_curves(findings, "train_loss", "epoch"),
            validation_loss=draw_curves(findings, "validation_loss", "epoch"),
            validation_accuracy=draw_curves(findings, "validation_accuracy", "epoch"),
            validation_accuracy_by_seconds=draw_curves(findings, "validation_accuracy", "seconds"),
            accuracy_by_seconds=draw_offers(findings, "training_seconds"),
            accuracy_by_parameters=draw_offers(findings, "parameters"),
            f1=draw_class_table(tables["f1"], classes),
            recall=draw_class_table(tables["recall"], classes),
            precision=draw_class_table(tables["precision"], classes),
            confusions=tuple(draw_confusion(each, classes) for each in findings.confusions),
            batches=tuple(
                (draw_curves(findings, "validation_accuracy", "epoch", group),
                 draw_curves(findings, "validation_accuracy", "seconds", group))
                for group in groups
            ),
        )  # fmt: skip
