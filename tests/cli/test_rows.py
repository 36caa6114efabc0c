"""Rows in a terminal of any width: no name and no digit is lost."""

from __future__ import annotations

import pytest
from rich.console import Console

from bakeoff.cli.rows import print_rows

HEADINGS = ("entrant", "test\nbal acc", "para-\nmeters")
ROWS = [
    ("cnn-2conv-dropout-batch-100", "0.9912", "7,850\nof 3,274,634"),
    ("größe 日本 [b]", "-", "12"),
]


def shown(width: int, total: tuple[str, ...] = ()) -> list[str]:
    console = Console(width=width)
    with console.capture() as captured:
        print_rows(console, HEADINGS, ROWS, total=total)
    return [line.rstrip() for line in captured.get().splitlines()]


def test_rows_stand_beside_each_other_where_there_is_room() -> None:
    assert shown(60) == [
        "                                test         para-",
        "entrant                      bal acc        meters",
        "──────────────────────────────────────────────────",
        "cnn-2conv-dropout-batch-100   0.9912         7,850",
        "                                      of 3,274,634",
        "größe 日本 [b]                     -            12",
    ]


def test_a_name_breaks_first() -> None:
    assert shown(39)[3:] == [
        "cnn-2conv-dropou   0.9912         7,850",
        "t-batch-100                of 3,274,634",
        "größe 日本 [b]          -            12",
    ]


def test_where_there_is_no_room_for_values_they_are_named_below_each_other() -> None:
    assert shown(38) == [
        "cnn-2conv-dropout-batch-100",
        "  test bal acc              0.9912",
        "  parameters    7,850 of 3,274,634",
        "größe 日本 [b]",
        "  test bal acc                   -",
        "  parameters                    12",
    ]


def test_a_total_stands_below_and_is_stacked_as_a_row() -> None:
    total = ("2 entrants", "", "3")
    assert shown(60, total=total)[-1].split() == ["2", "entrants", "3"]
    assert shown(38, total=total)[-3:] == [
        "2 entrants",
        "  test bal acc",
        "  parameters                     3",
    ]


@pytest.mark.parametrize("width", [60, 39, 38, 20])
def test_no_digit_is_lost_however_narrow_it_is(width: int) -> None:
    text = "".join("".join(shown(width)).split())
    for value in ("0.9912", "7,850", "3,274,634"):
        assert value in text
    assert "…" not in text


def test_the_first_row_may_be_bold() -> None:
    for width in (60, 38):
        console = Console(width=width, force_terminal=True, color_system="standard")
        with console.capture() as captured:
            print_rows(console, HEADINGS, ROWS, first_is_bold=True)
        lines = captured.get().splitlines()
        bold = "".join(line for line in lines if "\x1b[1m" in line)
        assert "cnn-2conv" in bold
        assert "größe" not in bold
