"""Ten words, each explained, and linked where a section first uses it."""

from __future__ import annotations

import re

import pytest

from bakeoff.report.glossary import GLOSSARY, linked
from tests.report.page_reading import Element

SILENT = {"code", "dt", "h1", "h2", "h3", "h4", "summary", "svg", "table"}


def prose(element: Element) -> str:
    """Return the text in which a reader may expect links."""
    parts = (each if isinstance(each, str) else prose(each) for each in element.content)
    return "" if element.tag in SILENT else "".join(parts)


@pytest.mark.parametrize("which", ["page", "fair_page"])
def test_each_section_links_each_word_that_it_uses(
    which: str, request: pytest.FixtureRequest
) -> None:
    page: Element = request.getfixturevalue(which)
    (glossary,) = page.all("dl", "glossary")
    places = {term.all("dt")[0].text: term.attributes["id"] for term in glossary.all("div")}
    assert list(places) == list(GLOSSARY)
    assert len(places) == 10
    linked_somewhere = set()
    for part in (*page.all("header", "opening"), *page.all("section")):
        for term, place in places.items():
            links = [a for a in part.all("a", "term") if a.attributes["href"] == f"#{place}"]
            used = re.search(rf"(?<![\w-]){term}s?(?![\w-])", prose(part), re.IGNORECASE)
            assert len(links) == 1 if used else len(links) <= 1, (term, part.attributes)
            linked_somewhere |= {term} if links else set()
    assert linked_somewhere == set(places)


@pytest.mark.parametrize(
    ("text", "expected"),
    [
        ("Seeds, and a seed", '<a class="term" href="#word-seed">Seeds</a>, and a seed'),
        ("seed-5 of my-margin", "seed-5 of my-margin"),
        ("p = 0.01", '<a class="term" href="#word-p-value">p</a> = 0.01'),
        ("p &lt; 0.001", '<a class="term" href="#word-p-value">p</a> &lt; 0.001'),
        ("map = p", "map = p"),
        (
            "after Holm&#39;s correction",
            'after <a class="term" href="#word-holm-s-correction">Holm&#39;s correction</a>',
        ),
        ('<p title="a verdict">none</p>', '<p title="a verdict">none</p>'),
        (
            "<h3>Margin <small>or</small> margin</h3><br>the margin",
            "<h3>Margin <small>or</small> margin</h3><br>"
            'the <a class="term" href="#word-margin">margin</a>',
        ),
    ],
)
def test_the_first_use_is_a_link(text: str, expected: str) -> None:
    assert linked(text, GLOSSARY) == expected


def test_a_word_that_is_not_in_the_glossary_is_no_link() -> None:
    assert linked("validation data", ["seed"]) == "validation data"
