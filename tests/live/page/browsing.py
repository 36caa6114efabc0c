"""What a person does with the page, and what stands there then."""

from __future__ import annotations

import base64
import re
import subprocess
import sys
from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from pathlib import Path
from typing import Any

from playwright.sync_api import Locator, Page, expect

SEVEN = ((0.3, 0.25), (0.7, 0.25), (0.5, 0.5), (0.42, 0.8))
"""Across and down the canvas, from 0 to 1."""


@contextmanager
def served(run: Path, port: int = 0) -> Iterator[str]:
    """Serve a run in a process of its own; yield the page's address."""
    options = ["--no-browser", "--port", str(port)]
    command = [sys.executable, "-m", "bakeoff", "serve", str(run), *options]
    with subprocess.Popen(command, stdout=subprocess.PIPE, text=True) as server:
        try:
            assert server.stdout
            said = server.stdout.readline()
            address = re.search(r"http://\S+", said)
            assert address, said
            yield address.group()
        finally:
            server.terminate()


def point(page: Page, across: float, down: float) -> tuple[float, float]:
    """Return where a place on the canvas is on the screen."""
    box = page.locator("#canvas").bounding_box()
    assert box
    return box["x"] + across * box["width"], box["y"] + down * box["height"]


def draw(page: Page, points: Sequence[tuple[float, float]] = SEVEN) -> None:
    """Draw one stroke with the mouse."""
    page.mouse.move(*point(page, *points[0]))
    page.mouse.down()
    for place in points[1:]:
        page.mouse.move(*point(page, *place), steps=8)
    page.mouse.up()


def answered(page: Page) -> dict[str, str]:
    """Wait until all that was asked is answered; return what each entrant says."""
    expect(page.locator("#answers")).to_have_attribute("aria-busy", "false")
    names = page.locator(".row strong").all_inner_texts()
    return dict(zip(names, page.locator(".row .says .class").all_inner_texts(), strict=True))


def row(page: Page, entrant: str) -> Locator:
    """Return the row of an entrant."""
    name = page.get_by_text(entrant, exact=True)
    return page.locator(".row").filter(has=name)


def received(page: Page) -> str:
    """Return the picture that the networks received."""
    return page.locator("#received-picture").get_attribute("src") or ""


def asked(page: Page, picture: bytes) -> dict[str, Any]:
    """Return the server's answer to a picture that no page sends."""
    response = page.request.post(
        "/api/ask", data=picture, headers={"Content-Type": "image/png", "X-Bakeoff": "1"}
    )
    answer: dict[str, Any] = response.json()
    return answer


def canvas(page: Page) -> bytes:
    """Return what is on the canvas, as PNG."""
    address = page.locator("#canvas").evaluate("it => it.toDataURL('image/png')")
    return base64.b64decode(address.partition(",")[2])
