"""Every chart of a report by its name: drawn once, used in the page and as files."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass
from functools import lru_cache

from bakeoff.findings.findings import Findings
from bakeoff.report.charts.canvas import own_settings
from bakeoff.report.charts.curves import AGAINST, TITLES, Measure, draw_curves, learning_curves
from bakeoff.report.charts.dots import dot_rows, draw_dots
from bakeoff.report.charts.grids import (
    ClassScore,
    class_rows,
    confusions,
    draw_class_rows,
    draw_confusion,
)
from bakeoff.report.charts.svg import inline, standalone
from bakeoff.report.charts.tradeoff import Price, draw_offers, offers
from bakeoff.report.concluded import concluded
from bakeoff.report.sections.batches import batch_groups


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


def _curves(findings: Findings) -> Iterator[Chart]:
    measures: tuple[Measure, ...] = ("train_loss", "validation_loss", "validation_accuracy")
    for measure in measures:
        curves = learning_curves(findings, measure)
        if curves:
            words = f"Line chart: {TITLES[measure]} of each entrant against epochs."
            drawn = draw_curves(curves, measure, "epoch")
            yield Chart(measure.replace("_", "-"), words, drawn)
    curves = learning_curves(findings, "validation_accuracy", "seconds")
    if curves:
        words = "Line chart: validation accuracy of each entrant against seconds of training."
        drawn = draw_curves(curves, "validation_accuracy", "seconds")
        yield Chart("validation-accuracy-against-seconds", words, drawn)


def _costs(findings: Findings) -> Iterator[Chart]:
    prices: tuple[tuple[Price, str], ...] = (
        ("training_seconds", "seconds of training"),
        ("parameters", "parameters"),
    )
    for price, words in prices:
        found = offers(findings, price)
        if found:
            text = f"Scatter chart: balanced accuracy on test data against {words}."
            name = f"accuracy-against-{price.replace('_', '-')}"
            yield Chart(name, text, draw_offers(found, price))


def _classes(findings: Findings) -> Iterator[Chart]:
    kinds: tuple[ClassScore, ...] = ("f1", "recall", "precision")
    for score in kinds:
        rows = class_rows(findings, score)
        if rows:
            text = f"Heat map: {score} of each entrant for each class, on test data."
            yield Chart(f"classes-{score}", text, draw_class_rows(rows, findings.classes, score))
    for found in confusions(findings):
        text = f"Confusion matrix of {found.entrant}, true classes down, predicted across."
        yield Chart(f"confusion-{found.entrant}", text, draw_confusion(found, findings.classes))


def _batches(findings: Findings) -> Iterator[Chart]:
    for number, group in enumerate(batch_groups(findings), start=1):
        for against in AGAINST:
            names = group.names
            curves = learning_curves(findings, "validation_accuracy", against, only=names)
            if curves:
                words = "epochs" if against == "epoch" else "seconds of training"
                text = f"Line chart: validation accuracy of {' and '.join(names)} against {words}."
                drawn = draw_curves(curves, "validation_accuracy", against, target=group.target)
                yield Chart(f"batches-{number}-{against}", text, drawn)


def _seeds(findings: Findings) -> Iterator[Chart]:
    rows = dot_rows(findings, concluded(findings.comparison.to_dict()))
    if rows:
        text = "Dot chart: test accuracy of every seed of each entrant, with mean and interval."
        yield Chart("seeds", text, draw_dots(rows))


@lru_cache(maxsize=1)
def charts(findings: Findings) -> dict[str, Chart]:
    """Return every chart that the findings have data for, by name.

    Page and files show the same charts, and drawing them takes seconds: the last set is kept.
    """
    with own_settings():
        found = [
            chart
            for kind in (_seeds, _curves, _costs, _classes, _batches)
            for chart in kind(findings)
        ]
    return {chart.name: chart for chart in found}
