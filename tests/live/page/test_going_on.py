"""A run that goes on while the page is open, and a server that is gone for a while."""

from __future__ import annotations

from pathlib import Path
from urllib.parse import urlsplit

from playwright.sync_api import expect

from .browsing import answered, draw, received, served
from .conftest import Opened


def test_a_run_grows_while_the_page_is_open(opened: Opened, copied: Path, tmp_path: Path) -> None:
    trial = copied / "trials" / "maps"
    trial.rename(tmp_path / "maps")
    with served(copied) as address:
        page = opened(address)
        expect(page.locator("#progress-line")).to_have_text("4 of 6 trials finished, stopped")
        expect(page.locator("#progress")).to_have_attribute("value", "4")
        expect(page.locator("#headline code")).to_have_text(f"bakeoff run STUDY --out {copied}")
        draw(page)
        expect(page.locator(".row.silent")).to_have_count(1)
        answered(page)
        (tmp_path / "maps").rename(trial)
        expect(page.locator("#progress-line")).to_have_text("6 trials, finished")
        # Without another stroke, the network that has come answers, too.
        expect(page.locator(".row.silent")).to_have_count(0)
        expect(page.locator("#standings .trial.done")).to_have_count(6)
        expect(page.locator("#standings polyline")).to_have_count(6)


def test_the_page_waits_for_a_server_that_was_stopped(opened: Opened, trained: Path) -> None:
    with served(trained) as address:
        page = opened(address)
        draw(page)
        answered(page)
        drawn = received(page)
        expect(page.locator("#gone")).to_be_hidden()
    expect(page.locator("#gone")).to_be_visible()
    draw(page, [(0.2, 0.5), (0.8, 0.5)])
    with served(trained, port=urlsplit(address).port or 0):
        expect(page.locator("#gone")).to_be_hidden()
        # What was drawn in the meantime is asked by itself.
        expect(page.locator("#received-picture")).not_to_have_attribute("src", drawn)
        assert len(answered(page)) == 3
