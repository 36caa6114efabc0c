"""The page as a browser shows it: in its place, read aloud, by keyboard and on paper."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path

import pytest
from axe_playwright_python.sync_playwright import Axe
from playwright.sync_api import Browser, Page

from bakeoff.report import Report

from ..chromium import chromium


@pytest.fixture(scope="module")
def browser() -> Iterator[Browser]:
    with chromium() as browser:
        yield browser


@pytest.fixture
def opened(
    which: str, browser: Browser, tmp_path: Path, request: pytest.FixtureRequest
) -> Iterator[Page]:
    report: Report = request.getfixturevalue(which)
    file = tmp_path / "report.html"
    file.write_text(report.page)
    page = browser.new_page(reduced_motion="reduce")
    page.goto(file.as_uri())
    yield page
    page.close()


def unfold(page: Page) -> None:
    page.evaluate(
        "document.querySelectorAll('details').forEach(each => {"
        " each.removeAttribute('name'); each.open = true; })"
    )


@pytest.mark.parametrize("which", ["report", "fair_report"])
def test_it_is_short_and_as_wide_as_the_window(opened: Page) -> None:
    for width in (390, 1280, 1920):
        opened.set_viewport_size({"width": width, "height": 900})
        assert opened.evaluate("document.documentElement.scrollWidth") == width
        if width > 1000:
            assert opened.evaluate("document.documentElement.scrollHeight") <= 7500
            table = "document.getElementById('standings').parentElement"
            assert opened.evaluate(f"{table}.scrollWidth - {table}.clientWidth") <= 0


@pytest.mark.parametrize(
    ("which", "width", "scheme"), [("report", 1280, "light"), ("fair_report", 390, "dark")]
)
def test_axe_finds_nothing(opened: Page, width: int, scheme: str) -> None:
    opened.set_viewport_size({"width": width, "height": 900})
    opened.emulate_media(color_scheme="dark" if scheme == "dark" else "light")
    for fold in (lambda page: None, unfold):
        fold(opened)
        found = Axe().run(opened)
        assert found.violations_count == 0, found.generate_report()


@pytest.mark.parametrize("which", ["fair_report"])
def test_a_word_leads_to_its_entry_by_keyboard(opened: Page) -> None:
    link = opened.locator("main a.term").first
    link.focus()
    opened.keyboard.press("Enter")
    entry = opened.locator(str(link.get_attribute("href")))
    entry.wait_for()
    assert opened.locator("dl.glossary div:target").count() == 1
    assert "entrant" in entry.inner_text()


@pytest.mark.parametrize("which", ["fair_report"])
def test_what_carries_the_argument_is_printed_and_folds_again(opened: Page) -> None:
    arguments = "document.querySelectorAll('details.argument').length"
    unfolded = "document.querySelectorAll('details.argument[open]').length"
    assert opened.evaluate(unfolded) == 0 < opened.evaluate(arguments)
    opened.evaluate("window.dispatchEvent(new Event('beforeprint'))")
    assert opened.evaluate(unfolded) == opened.evaluate(arguments)
    opened.evaluate("window.dispatchEvent(new Event('afterprint'))")
    assert opened.evaluate(unfolded) == 0
