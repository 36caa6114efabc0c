"""For everyone: any width, light and dark, any size of text, and readers that speak."""

from __future__ import annotations

import pytest
from axe_playwright_python.sync_playwright import Axe
from playwright.sync_api import Page, expect

from bakeoff.report.palette import TONES

from .browsing import answered, canvas, draw
from .conftest import Opened

WIDTHS = {"desktop": (1280, 800), "tablet": (820, 1180), "phone": (390, 844)}


def filled(page: Page) -> None:
    """Let every part of the page show something."""
    draw(page)
    answered(page)
    page.get_by_role("button", name="Most disputed").click()
    expect(page.locator("#strip button")).not_to_have_count(0)
    page.get_by_role("button", name="Look inside maps").click()
    expect(page.locator("#way")).to_be_visible()
    page.locator("#way .maps button").first.focus()
    page.get_by_role("button", name="Morph").click()
    expect(page.locator("#morphing")).to_be_visible()


@pytest.fixture(params=[(width, mode) for width in WIDTHS for mode in ("light", "dark")])
def shown(request: pytest.FixtureRequest, address: str, opened: Opened) -> Page:
    """The page at each width, light and dark, with all of its parts filled."""
    name, mode = request.param
    width, height = WIDTHS[name]
    page = opened(
        address,
        viewport={"width": width, "height": height},
        color_scheme=mode,
        has_touch=name == "phone",
    )
    filled(page)
    return page


def test_every_screen_is_accessible_and_nothing_hangs_over_its_edge(shown: Page) -> None:
    found = Axe().run(shown).response["violations"]
    serious = [
        (each["id"], [node["html"] for node in each["nodes"]])
        for each in found
        if each["impact"] in ("serious", "critical")
    ]
    assert serious == []
    assert shown.evaluate("document.documentElement.scrollWidth <= innerWidth")
    small = shown.evaluate(
        """() => [...document.querySelectorAll("body *")].filter((element) =>
             [...element.childNodes].some((each) => each.nodeType === 3 && each.data.trim())
             && parseFloat(getComputedStyle(element).fontSize) < 11)
             .map((each) => each.outerHTML)"""
    )
    assert small == []


def test_axe_would_see_a_violation(page: Page) -> None:
    page.evaluate("document.querySelector('label:has(#number)').replaceWith('', number)")
    assert any(
        each["impact"] in ("serious", "critical") for each in Axe().run(page).response["violations"]
    )


@pytest.mark.parametrize("mode", ["light", "dark"])
def test_the_page_follows_light_and_dark(address: str, opened: Opened, mode: str) -> None:
    page = opened(address, color_scheme=mode)
    paper = TONES["paper"].dark if mode == "dark" else TONES["paper"].light
    red, green, blue = (int(paper[place : place + 2], 16) for place in (1, 3, 5))
    background = page.evaluate("getComputedStyle(document.body).backgroundColor")
    assert background == f"rgb({red}, {green}, {blue})"


def test_a_drawing_follows_when_light_turns_to_dark(address: str, opened: Opened) -> None:
    page = opened(address, color_scheme="light")
    draw(page)
    said = answered(page)
    light = canvas(page)
    page.emulate_media(color_scheme="dark")
    expect(page.locator("#canvas")).not_to_have_css("background-color", "rgb(244, 242, 236)")
    assert canvas(page) != light
    draw(page, [(0.01, 0.01)])
    page.get_by_role("button", name="Undo").click()
    assert answered(page) == said


def test_who_wants_no_motion_gets_none(address: str, opened: Opened) -> None:
    for wanted, moves in (("reduce", False), ("no-preference", True)):
        page = opened(address, reduced_motion=wanted)
        bar = page.locator(".row .bar").first
        duration = bar.evaluate("it => getComputedStyle(it).transitionDuration")
        assert (float(duration.removesuffix("s").split("s")[0]) > 0) is moves
