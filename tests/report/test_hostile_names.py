"""Texts and names from files are shown, never obeyed: by the browser, or by who reads a line."""

from __future__ import annotations

import re
from dataclasses import replace
from xml.etree import ElementTree as ET

import pytest

from bakeoff.findings.findings import Findings
from bakeoff.report import draw_report
from bakeoff.report.charts.charts import Charts, draw_charts
from bakeoff.report.sections.batches import batch_groups
from bakeoff.report.sections.classes import class_tables
from bakeoff.study.study import Published
from tests.report.page_reading import Element, everything, read_page

HOSTILE = (
    "<script>alert(1)</script>",
    '"><img src=x onerror=alert(1)>',
    "' onmouseover='alert(1)",
    "{{7*7}}{% raw %}",
    "</title></style></svg><svg onload=alert(1)>",
    "javascript:alert(1)",
    "<!--",
    "]]>&lt;b&gt;&#60;",
    "$\\frac{1}{0}$ ${7*7}",
    "\u202egnp.exe\u2066",
    "\x1b[31m\x00\x07",
)


def hostile(findings: Findings, text: str) -> Findings:
    """Return the findings with `text` wherever a file may hold any text."""
    study = findings.study
    entrants = tuple(
        entrant.model_copy(
            update={"title": text, "published": Published(source=text, test_accuracy=0.9)}
        )
        for entrant in study.entrants
    )
    records = tuple(
        record.model_copy(
            update={
                "trouble": text,
                "provenance": record.provenance.model_copy(
                    update={
                        "versions": {text: text}, "commit": text, "device": text, "cpu": text,
                        "platform": text, "precision": text, "kernels": text, "started": text,
                        "data_hash": text,
                    }
                ),
            }
        )
        for record in findings.records
    )  # fmt: skip
    return replace(
        findings,
        study=study.model_copy(
            update={"title": text, "question": text, "about": text, "entrants": entrants}
        ),
        records=records,
    )


def shape(element: Element) -> list[tuple[str, tuple[str, ...]]]:
    """Return tags with the names of their attributes: what text must not be able to change."""
    return [(each.tag, tuple(each.attributes)) for each in everything(element)]


@pytest.fixture(scope="module")
def harmless(small: Findings) -> Element:
    return read_page(draw_report(hostile(small, "harmless")).page)


@pytest.fixture(scope="module")
def harmless_classes(small: Findings) -> Element:
    classes = tuple(f"harmless{number}" for number in range(10))
    return read_page(draw_report(replace(hostile(small, "harmless"), classes=classes)).page)


@pytest.fixture(scope="module")
def charts(small: Findings) -> Charts:
    findings = hostile(small, "harmless")
    return draw_charts(findings, class_tables(findings), batch_groups(findings))


@pytest.mark.parametrize("text", HOSTILE)
def test_no_text_becomes_part_of_the_page(
    text: str,
    small: Findings,
    harmless: Element,
    charts: Charts,
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    # Charts show names of entrants and classes, which are none of these texts: drawn once for all.
    monkeypatch.setattr("bakeoff.report.page.draw_charts", lambda *_: charts)
    html = draw_report(hostile(small, text)).page
    page = read_page(html)
    assert shape(page) == shape(harmless)
    assert [each.tag for each in everything(page)].count("script") == 1
    policies = [each.attributes.get("content") or "" for each in page.all("meta")]
    assert any("default-src 'none'" in each for each in policies)
    assert not re.search("[\x00-\x08\x0b-\x1f\u202a-\u202e\u2066-\u2069]", html)


def test_the_texts_are_there_to_read(small: Findings) -> None:
    page = draw_report(hostile(small, "<b>&\u202e")).page
    assert page.count("&lt;b&gt;&amp;\\u202e") > 10
    assert "<b>" not in page


@pytest.mark.parametrize("name", [text for text in HOSTILE if text.isprintable()])
def test_no_name_of_a_class_becomes_part_of_page_or_figure(
    name: str, small: Findings, harmless_classes: Element
) -> None:
    # As wide as is too wide for a column: names over columns are turned on both pages.
    classes = tuple(f"{name:<7}{number}" for number in range(10))
    findings = replace(hostile(small, "harmless"), classes=classes)
    drawn = draw_report(findings)
    assert shape(read_page(drawn.page)) == shape(harmless_classes)
    for drawing in drawn.figures.values():
        tree = ET.fromstring(drawing)  # noqa: S314
        assert not {each.tag.rpartition("}")[2] for each in tree.iter()} & {
            "script",
            "b",
            "foreignObject",
        }
        for each in tree.iter():
            assert not [key for key in each.attrib if key.lower().startswith("on")]
