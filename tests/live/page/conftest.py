"""A browser, and the page of a small run that was trained for it."""

from __future__ import annotations

import shutil
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

import pytest
from playwright.sync_api import Browser, BrowserContext, Page, expect

from bakeoff.commands.run import run_study

from ...chromium import chromium
from ...factories import entrant, study
from .browsing import served

STUDY = study(
    entrant("pixels", epochs=3, learning_rate=0.01),
    entrant("layers", "mlp-2x200", epochs=3),
    entrant("maps", "cnn-1conv", epochs=3),
    seeds=2,
)

Opened = Callable[..., Page]


@pytest.fixture(scope="package")
def browser() -> Iterator[Browser]:
    expect.set_options(timeout=60_000)  # Others may be busy on the machine.
    with chromium() as browser:
        yield browser


@pytest.fixture(scope="package")
def trained(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """Return a finished run that nobody writes into."""
    folder = tmp_path_factory.mktemp("trained") / "run"
    run_study(STUDY, folder, precision="float32", jobs=1, threads=1)
    return folder


@pytest.fixture
def copied(trained: Path, tmp_path: Path) -> Path:
    """Return a finished run of this test's own."""
    return shutil.copytree(trained, tmp_path / "run")


@pytest.fixture(scope="package")
def address(trained: Path) -> Iterator[str]:
    """The page of the run that nobody writes into."""
    with served(trained) as address:
        yield address


@pytest.fixture
def opened(browser: Browser) -> Iterator[Opened]:
    """Open an address as a browser of these properties does; no script fails meanwhile."""
    contexts: list[BrowserContext] = []
    errors: list[str] = []

    def open_page(address: str, **properties: Any) -> Page:
        context = browser.new_context(
            **{"base_url": address, "reduced_motion": "reduce", **properties}
        )
        contexts.append(context)
        page = context.new_page()
        page.on("pageerror", lambda error: errors.append(str(error)))
        page.goto(address)
        expect(page.locator("#rows .row")).to_have_count(3)
        return page

    yield open_page
    for context in contexts:
        context.close()
    assert errors == []


@pytest.fixture
def page(address: str, opened: Opened) -> Page:
    """The page, 1280 pixels wide."""
    return opened(address)
