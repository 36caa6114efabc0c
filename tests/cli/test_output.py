"""What a terminal gets, and what a file or pipe gets."""

from __future__ import annotations

import io

import pytest
from rich.console import Console

from bakeoff.cli.main import run
from bakeoff.cli.output import in_words
from bakeoff.cli.rows import print_rows

LINE = "bakeoff: runs: no runs here; bakeoff run STUDY makes one"


class Terminal(io.StringIO):
    def isatty(self) -> bool:
        return True


def test_a_terminal_breaks_lines_between_words(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("COLUMNS", "40")
    assert in_words(f"{LINE}\n  short", Terminal()) == (
        "bakeoff: runs: no runs here; bakeoff run\n  STUDY makes one\n  short"
    )
    assert in_words(LINE, io.StringIO()) == LINE


def test_a_table_in_bold_stays_as_it_is(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("COLUMNS", "30")
    console = Console(width=30, force_terminal=True, color_system="standard")
    with console.capture() as captured:
        print_rows(console, ("network", "seconds"), [("one", "1"), ("two", "2")])
        print_rows(console, ("network", "seconds"), [("one", "1")], first_is_bold=True)
    table = captured.get()
    assert max(map(len, table.splitlines())) > 30
    assert in_words(table, Terminal()) == table


@pytest.mark.parametrize("command", [["list"], ["compare", "no-run"], ["run", "asignment"]])
def test_no_line_of_a_narrow_terminal_is_too_wide(
    command: list[str], monkeypatch: pytest.MonkeyPatch
) -> None:
    whole, narrow = io.StringIO(), Terminal()
    for stream in (whole, narrow):
        monkeypatch.setenv("COLUMNS", "40")
        monkeypatch.setattr("sys.stdout", stream)
        monkeypatch.setattr("sys.stderr", stream)
        run(command)
    assert max(map(len, whole.getvalue().splitlines())) > 40
    assert max(map(len, narrow.getvalue().splitlines())) <= 40
    assert narrow.getvalue().split() == whole.getvalue().split()


def test_a_study_is_shown_as_a_file_has_it(monkeypatch: pytest.MonkeyPatch) -> None:
    terminal = Terminal()
    monkeypatch.setenv("COLUMNS", "40")
    monkeypatch.setattr("sys.stdout", terminal)
    run(["show", "fair"])
    asked = "Which architecture is better when all are trained alike, by how much"
    assert f'\nquestion = "{asked}' in terminal.getvalue()
