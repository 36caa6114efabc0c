"""The page: what each section shows, gathered for the templates, which only arrange it."""

from __future__ import annotations

import base64
import hashlib
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, fields
from typing import Any

from bakeoff.comparison.compare import EntrantComparison
from bakeoff.comparison.pair import PairComparison
from bakeoff.findings.findings import Findings
from bakeoff.report.charts.charts import Charts, draw_charts, every_chart
from bakeoff.report.palette import style_sheet, styles
from bakeoff.report.pictures.view_sheet import draw_view
from bakeoff.report.pictures.views import Picture, ViewPictures, colour_bar, view_pictures
from bakeoff.report.sections import published
from bakeoff.report.sections.batches import BatchGroup, batch_groups
from bakeoff.report.sections.classes import ClassTable, ClassTables, class_tables
from bakeoff.report.sections.matrix import Matrix, matrix
from bakeoff.report.sections.origins import Fact, Recipes, facts, recipes
from bakeoff.report.sections.published import PublishedRow
from bakeoff.report.sections.samples import Card, cards
from bakeoff.report.sections.table import Table, table
from bakeoff.report.templating import environment, own_text


def policy(script: str) -> str:
    """Return a content security policy that lets the page load nothing but what stands in it.

    Styles are allowed inline, for charts carry them on their elements; of scripts only this one.
    """
    digest = base64.b64encode(hashlib.sha256(script.encode()).digest()).decode("ascii")
    return (
        "default-src 'none'; img-src data:; style-src 'unsafe-inline'; "
        f"script-src 'sha256-{digest}'; base-uri 'none'; form-action 'none'"
    )


@dataclass(frozen=True)
class Section:
    """A part of the page with a heading of its own."""

    anchor: str
    title: str
    shown: bool
    """Whether there is anything to show in it."""

    @property
    def template(self) -> str:
        """The file that says how it looks."""
        return f"{self.anchor}.html"


@dataclass(frozen=True)
class Page:
    """What the templates show, each of them under the name that it has here."""

    findings: Findings
    charts: Charts
    table: Table
    winner_pairs: Sequence[PairComparison]
    other_pairs: Sequence[PairComparison]
    matrix: Matrix | None
    waits: Sequence[EntrantComparison]
    """The entrants that train until they reach a target."""
    f1: ClassTable
    mistakes: Sequence[Card]
    hardest: Sequence[Card]
    only_a: Sequence[Card]
    """What the first two entrants disagree about, as `findings.disagreement` has it."""
    only_b: Sequence[Card]
    batch_groups: Sequence[BatchGroup]
    view: ViewPictures | None
    other_views: Sequence[ViewPictures]
    published_rows: Sequence[PublishedRow]
    facts: Sequence[Fact]
    recipes: Recipes
    colours: Mapping[str, str]
    """CSS, by entrant."""
    colour_bar: Picture
    published_titles: Sequence[str] = published.TITLES
    style: str = style_sheet() + own_text("page.css")
    script: str = own_text("page.js")

    @property
    def sections(self) -> tuple[Section, ...]:
        """All sections, in the order of the page."""
        charts = self.charts
        return (
            Section("entrants", "All entrants", True),
            Section("pairs", "Pair by pair", bool(self.matrix or charts.seeds)),
            Section("curves", "How they learned", charts.train_loss is not None),
            Section("cost", "What accuracy costs", charts.accuracy_by_parameters is not None),
            Section("classes", "Class by class", charts.f1 is not None),
            Section("images", "Where they err", bool(self.mistakes or self.hardest)),
            Section("target", "Time to the target", bool(self.waits)),
            Section("batches", "Large or small batches", bool(self.batch_groups)),
            Section("inside", "Inside the winner", self.view is not None),
            Section("published", "Against the published figures", bool(self.published_rows)),
            Section("origins", "Where this comes from", True),
        )

    @property
    def context(self) -> dict[str, Any]:
        """The names that the templates know."""
        return {each.name: getattr(self, each.name) for each in fields(self)} | {
            "study": self.findings.study,
            "comparison": self.findings.comparison,
            "policy": policy(self.script),
            "sections": [section for section in self.sections if section.shown],
        }

    def render(self) -> str:
        """Return the page as HTML."""
        return environment().get_template("page.html").render(self.context)


@dataclass(frozen=True)
class Report:
    """What is written of a run for people to look at."""

    page: str
    """HTML that needs nothing outside itself."""
    figures: Mapping[str, str]
    """Each chart of the page, and the view inside the winner: SVG by file name without .svg."""


def draw_report(findings: Findings) -> Report:
    """Return the page and its figures, each chart and picture drawn once."""
    tables, groups = class_tables(findings), batch_groups(findings)
    charts = draw_charts(findings, tables, groups)
    figures = {chart.name: chart.standalone() for chart in every_chart(charts)}
    view = view_pictures(findings.view) if findings.view else None
    if view is not None:
        figures["inside"] = draw_view(view)
    return Report(_page(findings, charts, tables, groups, view).render(), figures)


def _page(
    findings: Findings,
    charts: Charts,
    tables: ClassTables,
    groups: Sequence[BatchGroup],
    view: ViewPictures | None,
) -> Page:
    comparison, winner = findings.comparison, findings.winner
    parted = findings.disagreement
    names = tuple(entrant.name for entrant in findings.study.entrants)
    return Page(
        findings=findings,
        charts=charts,
        table=table(findings),
        winner_pairs=[pair for pair in comparison.pairs if winner in (pair.a, pair.b)],
        other_pairs=[pair for pair in comparison.pairs if winner not in (pair.a, pair.b)],
        matrix=matrix(comparison),
        waits=[each for each in comparison.entrants if each.epochs_to_target],
        f1=tables.f1,
        mistakes=cards(findings.mistakes, findings),
        hardest=cards(findings.hardest, findings),
        only_a=cards(parted.only_a if parted else (), findings),
        only_b=cards(parted.only_b if parted else (), findings),
        batch_groups=groups,
        view=view,
        other_views=[view_pictures(view) for view in findings.other_views],
        published_rows=published.published_rows(findings),
        facts=facts(findings),
        recipes=recipes(findings),
        colours={name: style.css for name, style in styles(names).items()},
        colour_bar=colour_bar(),
    )
