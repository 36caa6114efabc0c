"""The files of the page: small, and nothing in them that a strict content policy would stop."""

from __future__ import annotations

import re
from pathlib import Path

import pytest

import bakeoff
from bakeoff.report.palette import TONES, style_sheet

PAGE = Path(bakeoff.__file__).parent / "live" / "page"
SCRIPTS = sorted(PAGE.glob("*.js"))
FILES = [PAGE / "index.html", PAGE / "style.css", *SCRIPTS]


def test_nothing_else_lies_there() -> None:
    assert sorted(PAGE.iterdir()) == sorted(FILES)


def test_page_scripts_and_styles_are_below_150_kb() -> None:
    assert sum(file.stat().st_size for file in FILES) + len(style_sheet()) < 150_000


def inline(html: str) -> list[str]:
    """Return what a policy without inline scripts and styles stops."""
    return re.findall(r"<style|<script(?![^>]* src=)|\son\w+=|\sstyle=|javascript:", html)


def test_the_page_has_no_script_or_style_within() -> None:
    assert inline((PAGE / "index.html").read_text(encoding="utf-8")) == []


@pytest.mark.parametrize(
    "html",
    [
        "<style>p {}</style>",
        "<script>1</script>",
        '<p onclick="x()">',
        '<p style="top: 0">',
        '<a href="javascript:x()">',
    ],
)
def test_one_within_is_found(html: str) -> None:
    assert inline(html) != []


@pytest.mark.parametrize("file", FILES, ids=lambda file: file.name)
def test_no_request_leaves_the_machine(file: Path) -> None:
    addresses = re.findall(r"(?:https?:)?//[\w.-]+\.\w[^\s\"']*", file.read_text(encoding="utf-8"))
    assert set(addresses) <= {"http://www.w3.org/2000/svg"}  # The name of SVG, never fetched.


@pytest.mark.parametrize("file", SCRIPTS, ids=lambda file: file.name)
def test_no_script_reads_text_as_code_or_html(file: Path) -> None:
    unsafe = r"\beval\b|new Function|innerHTML|outerHTML|insertAdjacentHTML|document\.write"
    assert re.findall(unsafe, file.read_text(encoding="utf-8")) == []


@pytest.mark.parametrize("file", SCRIPTS, ids=lambda file: file.name)
def test_every_module_that_is_imported_lies_there(file: Path) -> None:
    imported = re.findall(r'from "\./([\w.]+)"', file.read_text(encoding="utf-8"))
    assert set(imported) <= {script.name for script in SCRIPTS}


def test_every_element_that_a_script_asks_for_is_on_the_page() -> None:
    html = (PAGE / "index.html").read_text(encoding="utf-8")
    asked = {
        name
        for script in SCRIPTS
        for name in re.findall(r'byId\("([\w-]+)"\)', script.read_text(encoding="utf-8"))
    }
    assert len(asked) > 40
    assert asked <= set(re.findall(r'\bid="([\w-]+)"', html))


def test_the_style_sheet_takes_its_colours_from_the_palette() -> None:
    css = (PAGE / "style.css").read_text(encoding="utf-8")
    assert re.findall(r"#[0-9a-fA-F]{3,8}\b(?=[^{]*\})", css) == []
    own = {"sans", "serif", "mono", "small", "tall"}
    set_by_scripts = {"colour", "p", "at", "columns", "ratio", "top", "left", "width", "height"}
    assert set(re.findall(r"var\(--([\w-]+)", css)) <= TONES.keys() | own | set_by_scripts
