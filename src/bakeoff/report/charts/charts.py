"""Every chart of a report: drawn once, shown in the page and written as files."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from typing import Any, NamedTuple

from bakeoff.findings.findings import Findings
from bakeoff.report.charts.canvas import own_settings
from bakeoff.report.charts.curves import TITLES, Against, Measure, draw_curves, learning_curves
from bakeoff.report.charts.dots import dot_rows, draw_dots
from bakeoff.report.charts.grids import draw_class_table, draw_confusion, shown_of
from bakeoff.report.charts.svg import inline, standalone
from bakeoff.report.charts.tradeoff import Price, draw_offers, offers
from bakeoff.report.sections.batches import BatchGroup
from bakeoff.report.sections.classes import ClassTable, ClassTables


@dataclass(frozen=True)
class Chart:
    """A chart as matplotlib drew it, with what it shows in words."""

    name: str
    """Also its file name, without .svg."""
    description: str
    drawn: str

    def inline(self) -> str:
        """Return the SVG that stands in the page."""
        return inline(self.drawn, self.name, self.description)

    def standalone(self) -> str:
        """Return the SVG that stands in a file."""
        return standalone(self.drawn, self.description)


class BatchCharts(NamedTuple):
    """The curves of entrants that differ in the size of their batches alone."""

    by_epochs: Chart | None
    by_seconds: Chart | None


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
    batches: tuple[BatchCharts, ...]
    """One per group of entrants."""


def every_chart(charts: Chart | tuple[Any, ...] | None) -> Iterator[Chart]:
    """Yield each chart that was drawn, however deep it lies."""
    if isinstance(charts, Chart):
        yield charts
    for each in charts if isinstance(charts, tuple) else ():
        yield from every_chart(each)


def draw_charts(findings: Findings, tables: ClassTables, groups: Sequence[BatchGroup]) -> Charts:
    """Return every chart that the findings have data for; drawing them takes seconds."""
    with own_settings():
        return Charts(
            seeds=_seeds(findings),
            train_loss=_curves(findings, "train_loss"),
            validation_loss=_curves(findings, "validation_loss"),
            validation_accuracy=_curves(findings, "validation_accuracy"),
            validation_accuracy_by_seconds=_curves(findings, "validation_accuracy", "seconds"),
            accuracy_by_seconds=_cost(findings, "training_seconds"),
            accuracy_by_parameters=_cost(findings, "parameters"),
            f1=_classes(tables.f1, findings.classes),
            recall=_classes(tables.recall, findings.classes),
            precision=_classes(tables.precision, findings.classes),
            confusions=tuple(_confusions(findings)),
            batches=tuple(
                BatchCharts(
                    by_epochs=_batches(findings, group, number, "epoch"),
                    by_seconds=_batches(findings, group, number, "seconds"),
                )
                for number, group in enumerate(groups, start=1)
            ),
        )


_CLOCK: dict[Against, str] = {"epoch": "epochs", "seconds": "seconds of training"}


def _seeds(findings: Findings) -> Chart | None:
    rows = dot_rows(findings)
    if not rows:
        return None
    text = "Dot chart: test accuracy of every seed of each entrant, with mean and interval."
    return Chart("seeds", text, draw_dots(rows))


def _curves(findings: Findings, measure: Measure, against: Against = "epoch") -> Chart | None:
    curves = learning_curves(findings, measure, against)
    if not curves:
        return None
    text = f"Line chart: {TITLES[measure]} of each entrant against {_CLOCK[against]}."
    name = measure.replace("_", "-") + ("-against-seconds" if against == "seconds" else "")
    return Chart(name, text, draw_curves(curves, measure, against))


def _cost(findings: Findings, price: Price) -> Chart | None:
    found = offers(findings, price)
    if not found:
        return None
    words = "parameters" if price == "parameters" else "seconds of training"
    text = f"Scatter chart: balanced accuracy on test data against {words}."
    return Chart(f"accuracy-against-{price.replace('_', '-')}", text, draw_offers(found, price))


def _classes(table: ClassTable, classes: Sequence[str]) -> Chart | None:
    if not table.rows:
        return None
    which = shown_of(table.shown, classes, "lowest") or "each class"
    text = f"Heat map: {table.score} of each entrant for {which}, on test data."
    return Chart(f"classes-{table.score}", text, draw_class_table(table, classes))


def _confusions(findings: Findings) -> Iterator[Chart]:
    for found in findings.confusions:
        which = shown_of(found.shown, findings.classes, "most confused") or "true classes"
        text = f"Confusion matrix of {found.entrant}, {which} down, predicted across."
        drawn = draw_confusion(found, findings.classes)
        yield Chart(f"confusion-{found.entrant}", text, drawn)


def _batches(findings: Findings, group: BatchGroup, number: int, against: Against) -> Chart | None:
    curves = learning_curves(findings, "validation_accuracy", against, only=group.names)
    if not curves:
        return None
    text = (
        f"Line chart: validation accuracy of {' and '.join(group.names)} against {_CLOCK[against]}."
    )
    drawn = draw_curves(curves, "validation_accuracy", against, target=group.target)
    return Chart(f"batches-{number}-{against}", text, drawn)
