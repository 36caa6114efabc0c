"""A look at data as text: whole lines for files, broken ones for a terminal."""

from __future__ import annotations

import re
from pathlib import Path

import pytest

from bakeoff.cli.main import run
from bakeoff.cli.survey_text import survey_text
from bakeoff.commands.data import Surveyed
from bakeoff.data.survey import survey
from bakeoff.study.protocol import Protocol

from ..data.drawn_stocks import pictures, stock

OWN = Protocol(dataset="./photos")


def shown(surveyed: Surveyed) -> list[str]:
    return [line.rstrip() for line in survey_text(surveyed).splitlines()]


def photos() -> Surveyed:
    images = pictures(40)
    images[39] = images[0]
    parts = ["train"] * 30 + ["test"] * 10
    kinds = ["JPEG RGB 640 x 480"] * 39 + ["PNG L 20 x 30"]
    of = stock(images, ["cat", "dog"] * 20, parts, kinds=kinds, notes=("2 files passed over",))
    return Surveyed(survey(of, OWN), Path("photos-contact-sheet.png"))


def test_a_look_is_golden() -> None:
    assert shown(photos()) == [
        "photos: 40 images of 2 classes, 32 x 32 RGB",
        "",
        "class      train  test  trains  validates",
        "─────────────────────────────────────────",
        "cat           15     5      13          2",
        "dog           15     5      14          1",
        "",
        "2 classes     30    10      27          3",
        "",
        "stored as 39 x JPEG RGB 640 x 480, 1 x PNG L 20 x 30",
        "2 files passed over",
        "",
        "! 1 test image is also in train: 39.png = 0.png",
        "! 1 image is equal to one of another class: 0.png (cat) = 39.png (dog)",
        "contact sheet: photos-contact-sheet.png",
    ]


def test_without_findings_and_without_parts() -> None:
    of = stock(pictures(100), ["cat", "dog"] * 50)
    lines = shown(Surveyed(survey(of, OWN), None, "no contact sheet: it is \x1b[31m"))
    assert lines[2] == "class      images  trains  validates  tests"
    assert lines[-2:] == [
        "nothing found that would mislead",
        "no contact sheet: it is \\x1b[31m",
    ]


def test_many_classes_and_kinds_are_cut_short_and_long_names_too() -> None:
    labels = [f"{number % 50} {'x' * 50}" for number in range(200)]
    kinds = [f"JPEG RGB {number % 9} x 9" for number in range(200)]
    of = stock(pictures(200), labels, kinds=kinds)
    lines = shown(Surveyed(survey(of, OWN), None))
    assert any(line.startswith("and 10 more") for line in lines)
    assert any(line.endswith(" and 3 more kinds") for line in lines)
    assert any(line.startswith(f"0 {'x' * 29}…") for line in lines)


def test_a_terminal_of_80_columns_breaks_lines_and_moves_them_in(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    monkeypatch.setenv("FORCE_COLOR", "1")
    monkeypatch.setenv("COLUMNS", "80")
    images = pictures(40).repeat(2, axis=0)
    names = [f"a folder with a name/and another one in it/{number}.png" for number in range(80)]
    of = stock(images, ["cat"] * 40 + ["dog"] * 40, names=names)
    lines = shown(Surveyed(survey(of, OWN), None))
    assert max(len(re.sub(r"\x1b\[\d*m", "", line)) for line in lines) <= 80
    first = next(place for place, line in enumerate(lines) if line.startswith("! "))
    assert lines[first + 1].startswith("  ")


def test_the_verb_prints_text_or_json_and_ends_well_whatever_is_found(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    monkeypatch.chdir(tmp_path)
    assert run(["data", "digits"]) == 0
    assert capsys.readouterr().out.startswith("digits: 1,797 images of 10 classes, 8 x 8 grey\n")
    assert run(["data", "digits", "--json", "--sheet", "other.png"]) == 0
    assert '"contact_sheet": "other.png"' in capsys.readouterr().out
    assert {each.name for each in tmp_path.iterdir()} == {"digits-contact-sheet.png", "other.png"}


def test_wrong_options_are_one_line(capsys: pytest.CaptureFixture[str]) -> None:
    assert run(["data", "digits", "--fit", "squash"]) == 2
    assert capsys.readouterr().err == (
        "bakeoff: --fit squash: must be 'crop', 'pad' or 'stretch'\n"
    )
