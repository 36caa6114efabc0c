"""Inside a network, from one image to another, and test cases of one's own."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any

from playwright.sync_api import Page, Request, expect

from .browsing import answered, draw, row, served
from .conftest import Opened


def look_inside(page: Page, entrant: str) -> None:
    draw(page)
    answered(page)
    page.get_by_role("button", name=f"Look inside {entrant}").click()
    expect(page.locator("#way")).to_be_visible()
    expect(page.locator("#inside-entrant")).to_have_value(entrant)


def test_a_network_is_shown_from_the_image_to_its_answer(page: Page) -> None:
    look_inside(page, "maps")
    titles = page.locator("#way .place h4").all_inner_texts()
    assert titles[:2] == ["The image", "Where it looks"]
    assert titles[-1] == "The answer"
    assert page.locator("#way .maps button").count() > 32
    seed = page.locator("#inside-seed").input_value()
    answer = page.locator("#way .place .class").inner_text()
    assert row(page, "maps").locator(f"[title='seed {seed}: {answer}']").count() == 1


def test_pointing_at_a_map_enlarges_it_and_shows_what_a_unit_sees(page: Page) -> None:
    look_inside(page, "maps")
    after = page.locator("#way .place").filter(has_text="after").first
    after.locator("button").first.hover()
    expect(page.locator("#lens figure")).to_have_count(3)
    expect(page.locator("#lens")).to_contain_text("What this unit sees of the image")
    before = page.locator("#lens .box").nth(1).get_attribute("style")
    box = after.locator("button img").first.bounding_box()
    assert box
    page.mouse.move(box["x"] + 2, box["y"] + 2)
    expect(page.locator("#lens .box").nth(1)).not_to_have_attribute("style", before or "")


def test_maps_go_by_arrow_keys(page: Page) -> None:
    look_inside(page, "maps")
    buttons = page.locator("#way .maps").last.locator("button")
    buttons.first.focus()
    expect(page.locator("#lens")).to_be_visible()
    page.keyboard.press("ArrowRight")
    expect(buttons.nth(1)).to_be_focused()
    channel = (buttons.nth(1).get_attribute("aria-label") or "").split(", speaks")[0]
    expect(page.locator("#lens")).to_contain_text(channel)


def sent(request: Request) -> dict[str, Any]:
    document: dict[str, Any] = json.loads(request.post_data or "")
    return document


def test_the_seed_and_the_entrant_can_be_chosen(page: Page) -> None:
    look_inside(page, "maps")
    with page.expect_request("**/api/inside") as request:
        page.locator("#inside-seed").select_option("1")
    assert sent(request.value)["seed"] == 1
    with page.expect_request("**/api/inside") as request:
        page.locator("#inside-entrant").select_option("pixels")
    assert sent(request.value)["entrant"] == "pixels"
    expect(page.get_by_role("button", name="Look inside pixels")).to_have_attribute(
        "aria-pressed", "true"
    )


def test_the_answers_change_along_a_morph(page: Page) -> None:
    draw(page)
    answered(page)
    page.locator("#morph-to").select_option("test")
    page.locator("#morph-number").fill("3")
    page.get_by_role("button", name="Morph").click()
    expect(page.locator("#morphing .course")).to_have_count(3)
    slider = page.locator("#morphing input")
    picture = page.locator("#morphing .morphed")
    first = picture.get_attribute("src") or ""
    said = page.locator("#morphing .now").all_inner_texts()
    slider.focus()
    page.keyboard.press("End")
    expect(picture).not_to_have_attribute("src", first)
    assert page.locator("#morphing .now").all_inner_texts() != said
    for course in page.locator("#morphing .course").all():
        assert course.locator(".turn").count() == course.locator(".stretch").count() - 1


def test_what_is_kept_becomes_a_file_and_a_test_case(opened: Opened, copied: Path) -> None:
    with served(copied) as address:
        page = opened(address)
        expect(page.locator("#keep")).to_be_hidden()
        draw(page)
        answered(page)
        page.locator("#keep-class").select_option("7")
        page.get_by_role("button", name="Keep").click()
        expect(page.locator("#kept")).to_contain_text("own-images/7/")
        (kept,) = (copied / "own-images" / "7").iterdir()
        assert kept.suffix == ".png"
        expect(page.locator("#own-results .own-scores li")).to_have_count(3)
        expect(page.locator("#own-results .strip img")).to_have_count(1)
