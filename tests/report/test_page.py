"""The page as a whole: self-contained, valid, escaped, the same every time."""

from __future__ import annotations

import base64
import dataclasses
import hashlib
import re
from collections import Counter
from itertools import pairwise
from xml.etree import ElementTree as ET

import pytest
from jinja2 import TemplateNotFound, UndefinedError
from jinja2.meta import find_referenced_templates, find_undeclared_variables
from jinja2.nodes import Template

from bakeoff.commands.item_pictures import ItemPictures
from bakeoff.comparison.compare import compare
from bakeoff.findings.findings import Findings
from bakeoff.findings.judged import judged_findings
from bakeoff.findings.judgement import judge_predictions
from bakeoff.findings.standings import standings
from bakeoff.records.predictions.given import predictions_of_arrays
from bakeoff.report import Report, draw_report
from bakeoff.report.charts.charts import draw_charts
from bakeoff.report.judgement import shown_of_judgement
from bakeoff.report.page import shown_of
from bakeoff.report.palette import TONES
from bakeoff.report.sections.batches import batch_groups
from bakeoff.report.sections.classes import class_tables
from bakeoff.report.templating import environment, own_text
from tests.report.bakeoffs import LABELS, findings_of, small_study
from tests.report.page_reading import Element, everything, read_page

JUDGED = judge_predictions(
    predictions_of_arrays(
        {"a": [[0, 1, 2, 0]] * 2, "b": [[0, 1, 2, 1]] * 2}, [0, 1, 2, 2], None, None, None
    )
)


def test_no_request_leaves_the_page(page: Element, html: str) -> None:
    for element in everything(page):
        assert element.tag not in {"link", "iframe", "object", "embed", "base", "form"}
        for name in ("src", "href", "xlink:href", "srcset", "poster", "action", "data"):
            value = element.attributes.get(name)
            # A citation leads elsewhere, but nothing is asked for before somebody follows it.
            cited = element.tag == "a" and element.attributes.get("rel") == "noreferrer"
            starts = "https://doi.org/" if cited else ("#", "data:image/png;base64,")
            assert value is None or value.startswith(starts), value
    assert not re.search(r"url\(\s*['\"]?(?!#)", html)
    assert "@import" not in html
    # What is left of the web are the names of namespaces.
    assert set(re.findall(r"https?://(?!doi\.org/)[^\s\"'<)]+", html)) <= {
        "http://www.w3.org/2000/svg",
        "http://www.w3.org/1999/xlink",
    }


def test_policy_allows_only_the_pages_own_script(page: Element) -> None:
    (policy,) = (
        meta.attributes["content"]
        for meta in page.all("meta")
        if meta.attributes.get("http-equiv") == "Content-Security-Policy"
    )
    (script,) = page.all("script")
    digest = hashlib.sha256(script.words[0].encode()).digest()
    assert policy is not None
    assert "default-src 'none'" in policy
    assert f"script-src 'sha256-{base64.b64encode(digest).decode()}'" in policy


def test_is_small(html: str, fair_html: str) -> None:
    assert len(html.encode()) < 5_000_000
    assert len(fair_html.encode()) < 5_000_000


@pytest.mark.parametrize("which", ["page", "fair_page"])
def test_ids_are_unique_and_references_lead_somewhere(
    which: str, request: pytest.FixtureRequest
) -> None:
    elements = everything(request.getfixturevalue(which))
    ids = Counter(e.attributes["id"] for e in elements if "id" in e.attributes)
    assert [name for name, times in ids.items() if times > 1] == []
    wanted = set()
    for element in elements:
        for name, value in element.attributes.items():
            wanted.update(re.findall(r"url\(#([^)]+)\)", value or ""))
            if name in {"href", "xlink:href"} and (value or "").startswith("#"):
                wanted.add((value or "")[1:])
            if name == "aria-labelledby":
                wanted.add(value or "")
    assert wanted <= set(ids)


def test_headings_go_down_one_level_at_a_time(page: Element) -> None:
    levels = [int(e.tag[1]) for e in everything(page) if re.fullmatch(r"h[1-6]", e.tag)]
    assert levels[0] == 1
    assert levels.count(1) == 1
    assert all(after <= before + 1 for before, after in pairwise(levels))


def test_landmarks_and_pictures_have_names(page: Element) -> None:
    assert len(page.all("main")) == 1
    (contents,) = page.all("nav")
    assert contents.attributes["aria-label"]
    assert all(picture.attributes.get("alt") for picture in page.all("img"))
    assert all(chart.attributes.get("aria-label") for chart in page.all("svg"))


def test_same_findings_give_the_same_page(small: Findings) -> None:
    assert draw_report(small).page == draw_report(findings_of(small_study())).page


def test_no_stand_in_colour_is_left(html: str) -> None:
    assert [tone.role for tone in TONES.values() if tone.stand_in in html] == []


def test_hostile_texts_are_inert(small: Findings) -> None:
    evil = "</title><script>alert(1)</script><img src=x onerror=alert(2)>\"'&{{ 7 * 7 }}$x_1$"
    study = small.study.model_copy(
        update={
            "title": evil,
            "question": evil,
            "about": evil,
            "entrants": tuple(
                entrant.model_copy(update={"title": evil}) for entrant in small.study.entrants
            ),
        }
    )
    findings = dataclasses.replace(
        small, study=study, answer=evil, classes=tuple(f"{evil}{n}" for n in range(10))
    )
    page = read_page(draw_report(findings).page)
    assert len(page.all("script")) == 1
    assert all("onerror" not in element.attributes for element in everything(page))
    (answer,) = page.all("p", "answer")
    assert answer.text == " ".join(evil.split())


def test_names_of_64_characters_keep_their_rows() -> None:
    base = small_study()
    names = ["a" * 63 + "1", "b-" * 32]
    entrants = tuple(
        entrant.model_copy(update={"name": name})
        for name, entrant in zip(names, base.entrants, strict=True)
    )
    findings = findings_of(base.model_copy(update={"entrants": entrants}))
    page = read_page(draw_report(findings).page)
    rows = [row.attributes["data-entrant"] for row in page.all("tr") if row.attributes]
    assert sorted(filter(None, rows)) == names


def test_page_stands_without_comparison_pictures_or_scores() -> None:
    study = small_study().model_copy(update={"entrants": small_study().entrants[:1]})
    full = findings_of(study, diverged=("mlp-2x200", 0))
    bare = dataclasses.replace(
        full,
        comparison=compare([], LABELS, 10),
        view=None,
        other_views=(),
        mistakes=(),
        disagreements=(),
        confusions=(),
        calibrations=(),
        hardest=(),
    )
    page = read_page(draw_report(bare).page)
    assert "diverged" in page.text
    empty = dataclasses.replace(bare, records=(), standings=tuple(standings(study, ())))
    assert "is missing: not trained yet" in read_page(draw_report(empty).page).text


# What is drawn, what is shown, and the names by which they know each other


@pytest.mark.parametrize("which", ["report", "fair_report"])
def test_every_chart_that_is_drawn_is_shown_once(
    which: str, request: pytest.FixtureRequest
) -> None:
    report: Report = request.getfixturevalue(which)
    shown = [chart.attributes["aria-label"] for chart in read_page(report.page).all("svg")]
    files = {
        ET.fromstring(figure).get("aria-label")  # noqa: S314  # drawn by ourselves
        for name, figure in report.figures.items()
        if name != "inside"
    }
    assert len(shown) == len(report.figures) - 1
    assert set(shown) == files


def test_every_template_is_part_of_a_page_or_a_figure(page: Element, fair_page: Element) -> None:
    sections = {s.attributes["id"] for of in (page, fair_page) for s in of.all("section")}
    # What a page of a run opens with, one of predictions alone, and what a notebook shows of these.
    named = {"page.html", "view.svg", "opening.html", "understood.html", "card.html"}
    named |= {f"{anchor}.html" for anchor in sections}
    for template in sorted(named):
        named |= {name for name in find_referenced_templates(parsed(template)) if name}
    assert named == set(environment().list_templates(extensions=["html", "svg"]))


def test_templates_use_what_the_page_has_and_all_of_it(small: Findings) -> None:
    used = set()
    for template in environment().list_templates(extensions=["html"]):
        if template != "card.html":
            used |= find_undeclared_variables(parsed(template))
    shown = {
        *shown_of(small),
        *shown_of_judgement(judged_findings(JUDGED, ItemPictures(None, ("0", "1", "2", "3")))),
    }
    assert used == {*shown, "show"}
    assert find_undeclared_variables(parsed("card.html")) == {"judgement", "rows"}


@pytest.mark.parametrize(
    "misspelt",
    [
        "{{ show.chart(charts.train_los, '') }}",
        "{{ show.charts(charts.train_loss, '') }}",
        "{{ chart.train_loss }}",
        "{{ charts.train_loss.inlin() }}",
        "{% for each in charts.confusion %}{% endfor %}",
        "{% include 'clases.html' %}",
    ],
)
def test_a_misspelt_name_is_an_error(misspelt: str, small: Findings) -> None:
    tables, groups = class_tables(small), batch_groups(small)
    context = {"charts": draw_charts(small, tables, groups)}
    macros = "{% import 'macros.html' as show %}"
    spelt = f"{macros}{{{{ show.chart(charts.train_loss, '') }}}}"
    assert "<svg" in environment().from_string(spelt).render(context)
    with pytest.raises((UndefinedError, TemplateNotFound)):
        environment().from_string(macros + misspelt).render(context)


def parsed(template: str) -> Template:
    source = own_text(template)
    return environment().parse(source)
