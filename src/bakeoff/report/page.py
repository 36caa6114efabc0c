"""The page: what each section shows, gathered for the templates, which only arrange it."""

from __future__ import annotations

import base64
import hashlib
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any

from bakeoff.findings.answer import pairs_of
from bakeoff.findings.findings import Findings
from bakeoff.findings.mistakes import Mistake
from bakeoff.report.charts.charts import draw_charts, every_chart
from bakeoff.report.palette import style_sheet, styles
from bakeoff.report.pictures.raster import photograph
from bakeoff.report.pictures.view_sheet import draw_view
from bakeoff.report.pictures.views import COLOUR_BAR, Picture, view_pictures
from bakeoff.report.sections.batches import batch_groups
from bakeoff.report.sections.classes import class_tables
from bakeoff.report.sections.matrix import matrix
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
    shown = shown_of(findings)
    figures = {chart.name: chart.standalone() for chart in every_chart(shown["charts"])}
    if shown["view"] is not None:
        figures["inside"] = draw_view(shown["view"])
    return Report(environment().get_template("page.html").render(shown), figures)


def shown_of(findings: Findings) -> dict[str, Any]:
    """Return what the templates show, each of it under the name by which they know it."""
    comparison, parted = findings.comparison, findings.disagreement
    tables, groups = class_tables(findings), batch_groups(findings)
    charts = draw_charts(findings, tables, groups)
    winner_pairs = pairs_of(findings.winner, comparison)
    waits = [each for each in comparison.entrants if each.epochs_to_target]
    published, script = published_rows(findings), own_text("page.js")
    sections = (
        ("entrants", "All entrants", True),
        ("pairs", "Pair by pair", comparison.pairs or charts.seeds),
        ("curves", "How they learned", charts.train_loss),
        ("cost", "What accuracy costs", charts.accuracy_by_parameters),
        ("classes", "Class by class", charts.f1),
        ("images", "Where they err", findings.mistakes or findings.hardest),
        ("target", "Time to the target", waits),
        ("batches", "Large or small batches", groups),
        ("inside", "Inside the winner", findings.view or findings.unseen),
        ("published", "Against the published figures", published),
        ("origins", "Where this comes from", True),
    )
    return {
        "findings": findings,
        "study": findings.study,
        "comparison": comparison,
        "policy": _policy(script),
        "style": style_sheet() + own_text("page.css"),
        "script": script,
        # The anchor, which is also the template's name, and the title of each that shows anything.
        "sections": [(anchor, title) for anchor, title, anything in sections if anything],
        "charts": charts,
        "troubles": [line for row in findings.standings for line in row.troubles],
        "columns": columns(findings),
        "winner_pairs": winner_pairs,
        "other_pairs": [
            pair for pair in comparison.tested if findings.winner not in (pair.a, pair.b)
        ],
        "matrix": matrix(comparison),
        # The entrants that train until they reach a target.
        "waits": waits,
        "f1": tables["f1"],
        "mistakes": _pictured(findings.mistakes, findings),
        "hardest": _pictured(findings.hardest, findings),
        # What the first two entrants disagree about.
        "only_a": _pictured(parted.only_a if parted else (), findings),
        "only_b": _pictured(parted.only_b if parted else (), findings),
        "batch_groups": groups,
        "view": findings.view and view_pictures(findings.view),
        "other_views": [view_pictures(view) for view in findings.other_views],
        "published_rows": published,
        "facts": facts(findings),
        "recipes": recipes(findings),
        # CSS, by entrant.
        "colours": {
            name: style.css
            for name, style in styles(entrant.name for entrant in findings.study.entrants).items()
        },
        "colour_bar": COLOUR_BAR,
    }


def _pictured(mistakes: Sequence[Mistake], findings: Findings) -> list[tuple[Mistake, Picture]]:
    names, light_on_dark = findings.classes, findings.light_on_dark
    return [
        (
            each,
            Picture(
                photograph(each.image, light_on_dark=light_on_dark),
                f"labelled {names[each.label]}, taken for {names[each.predicted]}",
            ),
        )
        for each in mistakes
    ]


def _policy(script: str) -> str:
    """Return a content security policy that lets the page load nothing but what stands in it.

    Styles are allowed inline, for charts carry them on their elements; of scripts only this one.
    """
    digest = base64.b64encode(hashlib.sha256(script.encode()).digest()).decode("ascii")
    return (
        "default-src 'none'; img-src data:; style-src 'unsafe-inline'; "
        f"script-src 'sha256-{digest}'; base-uri 'none'; form-action 'none'"
    )
