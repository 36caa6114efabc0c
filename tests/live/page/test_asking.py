"""Whatever is asked, by whatever means, every entrant answers."""

from __future__ import annotations

import json
import shutil
from collections.abc import Callable
from pathlib import Path
from typing import Any

import numpy as np
import pytest
from PIL import Image
from playwright.sync_api import FilePayload, Page, Request, expect

from bakeoff.data.dataset import Dataset
from bakeoff.records.folder import RunFolder

from .browsing import answered, asked, canvas, draw, point, received, row, served
from .conftest import STUDY, Opened

NOTHING = "Nothing is drawn."


@pytest.fixture
def picture(tmp_path: Path) -> Path:
    """A dark cross on white, as a file."""
    pixels = np.full((60, 60), 255, np.uint8)
    pixels[10:50, 27:33] = pixels[27:33, 10:50] = 0
    Image.fromarray(pixels).save(tmp_path / "cross.png")
    return tmp_path / "cross.png"


def test_what_is_drawn_is_answered_by_every_entrant_and_seed(page: Page) -> None:
    draw(page)
    said = answered(page)
    last = asked(page, canvas(page))
    assert [each["entrant"] for each in last["answers"]] == [each.name for each in STUDY.entrants]
    assert said == {each["entrant"]: each["class"] for each in last["answers"]}
    assert received(page) == last["picture"]
    assert page.locator(".row .cell").count() == 3 * 10
    assert page.locator(".row .marks i").count() == 3 * 10 * 2
    bars = row(page, "maps").locator(".bar")
    heights = bars.evaluate_all("them => them.map((it) => it.style.getPropertyValue('--p'))")
    assert heights == [f"{share:.3f}" for share in last["answers"][2]["probabilities"]]


def test_while_one_draws_one_request_is_under_way_and_the_latest_wins(page: Page) -> None:
    under_way: list[int] = [0]

    def counts(change: int) -> Callable[[Request], None]:
        def count(request: Request) -> None:
            if "/api/ask" in request.url:
                under_way.append(under_way[-1] + change)

        return count

    page.on("request", counts(+1))
    page.on("requestfinished", counts(-1))
    draw(page)
    draw(page, [(0.2, 0.5), (0.8, 0.5)])
    answered(page)
    assert max(under_way) == 1
    assert received(page) == asked(page, canvas(page))["picture"]


def test_a_stroke_that_leaves_the_canvas_is_cut_off_at_its_edge(page: Page) -> None:
    draw(page, [(0.5, 0.5), (1.6, 0.5), (1.6, 0.9), (0.5, 0.9)])
    answered(page)
    expect(page.locator("#trouble")).to_be_empty()
    assert page.evaluate("scrollY") == 0
    expect(page.locator("#summary")).not_to_have_text(NOTHING)


def test_a_click_draws_a_dot(page: Page) -> None:
    page.mouse.click(*point(page, 0.5, 0.5))
    answered(page)
    pixels = page.evaluate(
        """() => [...document.getElementById("canvas").getContext("2d")
             .getImageData(168, 168, 1, 1).data]"""
    )
    ink = page.locator("#canvas").evaluate("canvas => getComputedStyle(canvas).color")
    assert f"rgb({', '.join(map(str, pixels[:3]))})" == ink


def test_clear_and_undo_go_back_and_forth(page: Page) -> None:
    draw(page)
    answered(page)
    first = received(page)
    draw(page, [(0.2, 0.5), (0.8, 0.5)])
    answered(page)
    assert received(page) != first
    page.get_by_role("button", name="Undo").click()
    answered(page)
    assert received(page) == first
    page.get_by_role("button", name="Clear").click()
    expect(page.locator("#summary")).to_have_text(NOTHING)
    expect(page.locator(".row.silent")).to_have_count(3)
    page.get_by_role("button", name="Undo").click()
    expect(page.locator(".row.silent")).to_have_count(0)
    answered(page)
    assert received(page) == first


def test_what_centring_does_is_seen_without_it(page: Page) -> None:
    draw(page, [(0.1, 0.1), (0.1, 0.4)])
    answered(page)
    centred = received(page)
    expect(page.locator("#steps li")).not_to_have_count(0)
    page.get_by_label("Centre and scale").uncheck()
    answered(page)
    assert received(page) != centred


def by_choosing(page: Page, picture: Path) -> None:
    page.locator("#file").set_input_files(picture)


def by_event(kind: str, holder: str) -> Any:
    def give(page: Page, picture: Path) -> None:
        page.evaluate(
            f"""(bytes) => {{
                const transfer = new DataTransfer();
                transfer.items.add(
                  new File([new Uint8Array(bytes)], "cross.png", {{ type: "image/png" }}));
                document.body.dispatchEvent(new {holder}(
                  "{kind}", {{ bubbles: true, dataTransfer: transfer, clipboardData: transfer }}));
            }}""",
            list(picture.read_bytes()),
        )

    return give


@pytest.mark.parametrize(
    "give",
    [by_choosing, by_event("drop", "DragEvent"), by_event("paste", "ClipboardEvent")],
    ids=["chosen", "dropped", "pasted"],
)
def test_a_picture_is_asked_as_it_is_and_can_be_drawn_over(
    page: Page, picture: Path, give: Any
) -> None:
    give(page, picture)
    expect(page.locator(".row.silent")).to_have_count(0)
    answered(page)
    crossed = received(page)
    assert crossed == asked(page, picture.read_bytes())["picture"]
    draw(page, [(0.1, 0.1), (0.9, 0.9)])
    answered(page)
    assert received(page) != crossed
    page.get_by_role("button", name="Undo").click()
    answered(page)
    assert received(page) == crossed


def test_what_is_no_picture_is_refused_in_the_line_of_the_server(page: Page) -> None:
    with page.expect_response("**/api/ask*") as response:
        page.locator("#file").set_input_files(
            FilePayload(name="a.png", mimeType="image/png", buffer=b"no picture")
        )
    line = response.value.json()["error"]
    assert "\n" not in line
    expect(page.locator("#trouble")).to_have_text(line)
    draw(page)
    expect(page.locator("#trouble")).to_be_empty()


def test_a_test_image_gets_the_answers_of_the_records(
    page: Page, trained: Path, digits: Dataset
) -> None:
    index = 17
    page.get_by_label("Test image", exact=True).fill(str(index))
    page.get_by_role("button", name="Show").click()
    expect(page.locator("#summary")).to_contain_text(
        f"Test image {index} is labelled {digits.classes[digits.test_labels[index]]}."
    )
    folder = RunFolder.open(trained)
    for entrant, said in answered(page).items():
        logits = np.stack(
            [folder.read_predictions(entrant, seed)["test_logits"][index] for seed in (0, 1)]
        )
        shares = np.exp(logits) / np.exp(logits).sum(axis=1, keepdims=True)
        assert said == digits.classes[int(shares.mean(axis=0).argmax())]


@pytest.mark.parametrize("kind", ["Random", "Most disputed", "Most often wrong"])
def test_test_images_are_offered(page: Page, kind: str) -> None:
    page.get_by_role("button", name=kind).click()
    expect(page.locator("#strip button")).to_have_count(24)
    expect(page.locator("#summary")).to_contain_text("Test image")
    first = page.locator("#summary").inner_text()
    page.locator("#strip button").first.focus()
    page.keyboard.press("ArrowRight")
    page.keyboard.press("Enter")
    number = (page.locator("#strip button").nth(1).get_attribute("aria-label") or "").split(",")[0]
    expect(page.locator("#summary")).to_contain_text(number)
    assert number not in first


def test_where_no_two_networks_part_it_is_said(opened: Opened, copied: Path) -> None:
    for trial in copied.glob("trials/*/*"):
        if (trial.parent.name, trial.name) != ("maps", "0"):
            shutil.rmtree(trial)
    with served(copied) as address:
        page = opened(address)
        page.get_by_role("button", name="Most disputed").click()
        expect(page.locator("#picked")).to_have_text("No two networks part on a test image.")
        page.get_by_role("button", name="Most often wrong").click()
        expect(page.locator("#picked")).to_be_empty()


def test_the_nearest_training_images_are_shown(page: Page) -> None:
    draw(page)
    expect(page.locator("#near-images img")).not_to_have_count(0)
    expect(page.locator("#near-sentence")).not_to_be_empty()


def test_all_of_it_goes_by_keyboard_and_is_read_out(page: Page) -> None:
    for _ in range(20):
        page.keyboard.press("Tab")
        if page.locator("#canvas").evaluate("it => it === document.activeElement"):
            break
    expect(page.locator("#canvas-keys")).to_be_visible()
    page.keyboard.press("Space")
    for _ in range(6):
        page.keyboard.press("ArrowDown")
    page.keyboard.press("Space")
    page.keyboard.press("ArrowRight")
    expect(page.locator(".row.silent")).to_have_count(0)
    said = answered(page)
    expect(page.locator("#spoken")).to_contain_text(f"maps: {said['maps']}, ")
    drawn = received(page)
    page.keyboard.press("Shift+ArrowRight")  # The pen was lifted.
    answered(page)
    assert received(page) == drawn
    page.keyboard.press("Delete")
    expect(page.locator("#summary")).to_have_text(NOTHING)
    page.keyboard.press("Control+z")
    expect(page.locator(".row.silent")).to_have_count(0)


def test_a_phone_draws_with_one_finger_and_not_with_the_second(
    address: str, opened: Opened
) -> None:
    page = opened(address, viewport={"width": 390, "height": 844}, has_touch=True, is_mobile=True)
    touch = page.context.new_cdp_session(page)

    def fingers(kind: str, *places: tuple[int, float, float]) -> None:
        points = [
            dict(zip(("x", "y"), point(page, across, down), strict=True), id=number)
            for number, across, down in places
        ]
        touch.send("Input.dispatchTouchEvent", {"type": kind, "touchPoints": points})

    page.locator("#canvas").scroll_into_view_if_needed()
    held = page.evaluate("scrollY")
    fingers("touchStart", (0, 0.3, 0.2))
    for step in range(1, 7):
        fingers("touchMove", (0, 0.3, 0.2 + 0.1 * step))
    one = canvas(page)
    fingers("touchStart", (0, 0.3, 0.8), (1, 0.8, 0.2))
    fingers("touchMove", (0, 0.3, 0.8), (1, 0.8, 0.6))
    fingers("touchEnd")
    assert canvas(page) == one
    expect(page.locator(".row.silent")).to_have_count(0)
    answered(page)
    assert page.evaluate("scrollY") == held
    # What is answered is seen below the finger.
    assert page.locator("#summary").evaluate("it => it.getBoundingClientRect().bottom") == 844


def test_answers_are_plain_text_whatever_names_say(page: Page) -> None:
    """A class or an entrant named like a tag stays a name."""
    page.route(
        "**/api/ask*",
        lambda route: route.fulfill(
            content_type="application/json",
            body=json.dumps(
                {
                    "image": "x",
                    "picture": "data:,",
                    "steps": [{"name": "<img src=x>", "picture": "data:,"}],
                    "empty": None,
                    "test": None,
                    "answers": [
                        {
                            "entrant": "maps",
                            "class": "<b>1</b>",
                            "sure": 1,
                            "probabilities": [1] + [0] * 9,
                            "seeds": [],
                        }
                    ],
                }
            ),
        ),
    )
    draw(page)
    expect(page.locator("#summary")).to_have_text("maps says <b>1</b>.")
    expect(page.locator("#steps span")).to_have_text("<img src=x>")
    expect(page.locator("#summary b, .row b, #steps img[src=x]")).to_have_count(0)
