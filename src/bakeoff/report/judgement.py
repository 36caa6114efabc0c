"""The page of a judgement: what the page of a run shows, less what only training knows."""

from __future__ import annotations

from typing import Any

from bakeoff.comparison.words import listed
from bakeoff.findings.judged import JudgedFindings
from bakeoff.report.charts.canvas import own_settings
from bakeoff.report.charts.charts import Charts
from bakeoff.report.charts.dots import draw_dots
from bakeoff.report.charts.grids import draw_class_table, draw_confusion
from bakeoff.report.glossary import GLOSSARY
from bakeoff.report.page import Report, drawn, pictured, shown_by_all
from bakeoff.report.sections.classes import class_table

_CONFUSIONS = 6
"""So many entrants have a matrix of their own; those of more hide what differs."""


def draw_judgement(findings: JudgedFindings) -> Report:
    """Return the page and its figures, each chart and picture drawn once."""
    return drawn(shown_of_judgement(findings))


def shown_of_judgement(findings: JudgedFindings) -> dict[str, Any]:
    """Return what the templates show, each of it under the name by which they know it."""
    comparison = findings.comparison
    names = [row.name for row in findings.standings]
    classes = findings.predictions.classes
    tables = {
        score: class_table(score, values, len(classes))
        for score, values in findings.class_scores.items()
    }
    confusions = findings.confusions[:_CONFUSIONS]
    with own_settings():
        charts = Charts(
            seeds=draw_dots(comparison, findings.scores, names),
            train_loss=None,
            validation_loss=None,
            validation_accuracy=None,
            validation_accuracy_by_seconds=None,
            accuracy_by_seconds=None,
            accuracy_by_parameters=None,
            f1=draw_class_table(tables["f1"], classes),
            recall=draw_class_table(tables["recall"], classes),
            precision=draw_class_table(tables["precision"], classes),
            confusions=tuple(draw_confusion(each, classes) for each in confusions),
            batches=(),
        )
    sections = (
        ("spreads", "All entrants", True),
        ("pairs", "Pair by pair", comparison.pairs or charts.seeds),
        ("classes", "Class by class", charts.f1),
        ("images", "Where they err", findings.hardest),
        ("glossary", "Glossary", True),
    )
    spreads = {"Accuracy": "accuracy", "Balanced acc.": "balanced_accuracy"}
    if not comparison.scale.proportion:
        spreads = {findings.called.capitalize(): "score"}
    elif not classes:
        spreads = {"Accuracy": "accuracy"}
    several = any(len(row.seeds) > 1 for row in findings.standings)
    items = findings.predictions.items
    return {
        **shown_by_all(comparison, comparison.baseline or names[0], names, sections),
        # Nobody was trained here, or chosen.
        "glossary": {each: GLOSSARY[each] for each in GLOSSARY if each != "validation data"},
        "opening": "understood.html",
        "title": f"{listed(names)} judged" if len(names) < 4 else f"{len(names)} entrants judged",
        "source": "these predictions",
        "findings": findings,
        "called": findings.called,
        "answer": findings.answer,
        "classes": classes,
        "several": several,
        "decides": several or comparison.about == "models",
        "data": "these items",
        "items": "items",
        "item": "item",
        "trials": "runs",
        "named": lambda place: items[place],
        "every_class": "comparison.json",
        "spreads": spreads,
        "scored": list(findings.standings),
        "charts": charts,
        "f1": tables["f1"],
        "mistakes": [],
        "view": None,
        "hardest": pictured(findings.hardest, classes, light_on_dark=False),
        "parted": [
            (
                each.pair,
                pictured(each.only_a, classes, light_on_dark=False),
                pictured(each.only_b, classes, light_on_dark=False),
            )
            for each in findings.disagreements
        ],
    }
