"""The page: what each section shows, gathered for the templates, which only arrange it."""

from __future__ import annotations

import base64
import hashlib
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any

from bakeoff.comparison.compare import Comparison
from bakeoff.findings.answer import pairs_of
from bakeoff.findings.findings import Findings
from bakeoff.findings.mistakes import Mistake
from bakeoff.report import words
from bakeoff.report.charts.charts import draw_charts, every_chart
from bakeoff.report.glossary import GLOSSARY
from bakeoff.report.palette import style_sheet, styles
from bakeoff.report.pictures.raster import photograph
from bakeoff.report.pictures.view_sheet import draw_view
from bakeoff.report.pictures.views import COLOUR_BAR, EVIDENCE, Picture, view_pictures
from bakeoff.report.sections.batches import batch_groups
from bakeoff.report.sections.classes import class_tables
from bakeoff.report.sections.matrix import matrix
from bakeoff.report.sections.offers import beaten_text, offers
from bakeoff.report.sections.origins import facts, recipes
from bakeoff.report.sections.published import published_rows
from bakeoff.report.sections.table import columns
from bakeoff.report.templating import environment, own_text


@dataclass(frozen=True)
class Report:
    """What is written of a run for people to look at."""

    page: str
    """HTML that needs nothing outside itself."""
    figures: Mapping[str, str]
    """Each chart of the page, and the view inside the winner: SVG by file name without .svg."""


def draw_report(findings: Findings) -> Report:
    """Return the page and its figures, each chart and picture drawn once."""
    return drawn(shown_of(findings))


def drawn(shown: Mapping[str, Any]) -> Report:
    """Return the page that shows this, and its figures."""
    figures = {chart.name: chart.standalone() for chart in every_chart(shown["charts"])}
    if shown["view"] is not None:
        figures["inside"] = draw_view(shown["view"], shown["apart"])
    return Report(environment().get_template("page.html").render(shown), figures)


def shown_of(findings: Findings) -> dict[str, Any]:
    """Return what the templates show, each of it under the name by which they know it."""
    comparison = findings.comparison
    light, made = findings.light_on_dark, facts(findings)
    tables, groups = class_tables(findings), batch_groups(findings)
    others = [view_pictures(view) for view in findings.other_views]
    said = findings.view and findings.view.predicted
    charts = draw_charts(findings, tables, groups)
    waits = [each for each in comparison.entrants if each.epochs_to_target]
    published = published_rows(findings)
    sections = (
        ("entrants", "All entrants", True),
        ("pairs", "Pair by pair", comparison.pairs or charts.seeds),
        ("curves", "How they learned", charts.train_loss),
        ("cost", "What accuracy costs", charts.accuracy_by_parameters),
        ("classes", "Class by class", charts.f1),
        ("images", "Where they err", findings.mistakes or findings.hardest),
        ("target", "Large or small batches" if groups else "Time to the target", groups or waits),
        (
            "inside",
            f"Inside the {'winner' if findings.won else 'first entrant'}",
            findings.view or findings.unseen,
        ),
        ("published", "Against the published figures", published),
        ("origins", "Methods, and where this comes from", True),
        ("glossary", "Glossary", True),
    )
    return {
        **shown_by_all(
            comparison, findings.winner, [each.name for each in findings.study.entrants], sections
        ),
        "opening": "opening.html",
        "title": findings.study.label,
        "source": "the records of this run",
        "findings": findings,
        "study": findings.study,
        "classes": findings.classes,
        "several": findings.several_seeds,
        "metric": comparison.metric.replace("_", " "),
        "decides": findings.several_seeds or comparison.about == "models",
        "data": "test data",
        "items": "test images",
        "item": "image",
        "trials": "trials",
        "named": "image {}".format,
        "every_class": "the record.json of each trial",
        "spreads": {"Accuracy": "accuracy", "Balanced acc.": "balanced_accuracy"},
        "scored": [each for each in comparison.entrants if each.accuracy],
        "charts": charts,
        "troubles": [line for row in findings.standings for line in row.troubles],
        "columns": columns(findings),
        # The entrants that train until they reach a target.
        "waits": waits,
        "beaten": {
            price: beaten_text(offers(findings, price), comparison)
            for price in ("training_seconds", "parameters")
        },
        "f1": tables["f1"],
        "mistakes": pictured(findings.mistakes, findings.classes, light),
        "hardest": pictured(findings.hardest, findings.classes, light),
        "parted": [
            (
                each.pair,
                pictured(each.only_a, findings.classes, light),
                pictured(each.only_b, findings.classes, light),
            )
            for each in findings.disagreements
        ],
        "batch_groups": groups,
        "view": findings.view and view_pictures(findings.view),
        "others": others,
        # Those of them that say something else of the image.
        "apart": [each for each in others if each.view.predicted != said],
        "evidence": EVIDENCE,
        "published_rows": published,
        "versions": [(fact.name, fact.values) for fact in made if fact.version],
        "facts": made,
        "recipes": recipes(findings),
    }


def shown_by_all(
    comparison: Comparison,
    winner: str,
    names: Sequence[str],
    sections: Sequence[tuple[str, str, object]],
) -> dict[str, Any]:
    """Return what every page shows, of trainings or of predictions alone.

    winner: whose pairs come first. names: of all entrants, by whose place they have colours.
    sections: the anchor, which is also the template's name, the title, and what it shows.
    """
    scale, margin, script = comparison.scale, comparison.equivalence_margin, own_text("page.js")
    tested = comparison.tested
    fewest = min((len(each.seeds) for each in comparison.entrants), default=0)
    return {
        "comparison": comparison,
        "policy": _policy(script),
        "style": style_sheet() + own_text("page.css"),
        "script": script,
        "sections": [(anchor, title) for anchor, title, anything in sections if anything],
        "confidence": f"{100 * comparison.confidence:g}",
        "margin": None if margin is None else f"{margin / scale.per_unit:g} {scale.unit}".rstrip(),
        "unit": scale.unit,
        "unit_in_full": "percentage points" if scale.proportion else "its own unit",
        "amount": words.signed_points if scale.proportion else words.signed,
        "winner_pairs": pairs_of(winner, comparison),
        "other_pairs": [pair for pair in tested if winner not in (pair.a, pair.b)],
        # With a baseline it would be one row.
        "matrix": matrix(comparison) if comparison.baseline is None else {},
        "colours": {name: style.css for name, style in styles(names).items()},
        "colour_bar": COLOUR_BAR,
        "glossary": GLOSSARY,
        # What the entrant with the fewest runs cannot see, at 95 %: the exact rule of three.
        "fewest": fewest,
        "unseen": 1 - 0.05 ** (1 / max(fewest, 1)),
    }


def pictured(
    mistakes: Sequence[Mistake], classes: Sequence[str], light_on_dark: bool
) -> list[tuple[Mistake, Picture | None]]:
    """Return mistakes with their pictures, where there are any."""
    return [
        (
            each,
            None
            if each.image is None
            else Picture(
                photograph(each.image, light_on_dark=light_on_dark), _words(each, classes)
            ),
        )
        for each in mistakes
    ]


def _words(mistake: Mistake, classes: Sequence[str]) -> str:
    told = [
        f"{how} {classes[place]}"
        for how, place in (("labelled", mistake.label), ("taken for", mistake.predicted))
        if place is not None
    ]
    return ", ".join(told)


def _policy(script: str) -> str:
    """Return a content security policy that lets the page load nothing but what stands in it.

    Styles are allowed inline, for charts carry them on their elements; of scripts only this one.
    """
    digest = base64.b64encode(hashlib.sha256(script.encode()).digest()).decode("ascii")
    return (
        "default-src 'none'; img-src data:; style-src 'unsafe-inline'; "
        f"script-src 'sha256-{digest}'; base-uri 'none'; form-action 'none'"
    )
