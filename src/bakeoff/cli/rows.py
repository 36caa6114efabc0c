"""Lines and tables for a terminal of any width: rows of a table that does not fit are stacked."""

from __future__ import annotations

from collections.abc import Sequence

from rich import box
from rich.cells import cell_len
from rich.console import Console
from rich.padding import Padding
from rich.table import Table
from rich.text import Text

from bakeoff.text import broken

# Characters: a name has 64 at most.
_WIDEST_TABLE = 160

_NARROWEST_NAME = 16
"""Characters: a longer name may break, in as many."""

Row = Sequence[str]
"""A name, and the values that stand beside it."""


def console_of_output() -> Console:
    """Return the console of standard output; a file or pipe is wide enough for every table."""
    console = Console()
    return console if console.is_terminal else Console(width=_WIDEST_TABLE)


def say(console: Console, text: str) -> None:
    """Print one line. A terminal breaks it between words; elsewhere it stays whole."""
    console.print(text, highlight=False, markup=False, soft_wrap=not console.is_terminal)


def say_item(console: Console, text: str) -> None:
    """Print a line; where a terminal breaks it, what goes on below is moved in."""
    if console.is_terminal:
        text = broken(text, console.width)
    console.print(text, highlight=False, markup=False, soft_wrap=True)


def print_rows(
    console: Console,
    headings: Row,
    rows: Sequence[Row],
    *,
    total: Row = (),
    first_is_bold: bool = False,
) -> None:
    """Print rows below their headings, names to the left and values to the right.

    Headings and values may have line breaks. Where it is narrow a name may break, a value never: if
    there is no room for that, each row is its name, with its values below it, one to a line.
    """
    cells = zip(headings, *rows, *([total] if total else []), strict=True)
    widths = [max(cell_len(line) for cell in each for line in cell.split("\n")) for each in cells]
    # Two blanks stand between columns.
    needed = min(widths[0], _NARROWEST_NAME) + sum(2 + width for width in widths[1:])
    styles = ["bold" if first_is_bold and place == 0 else "" for place in range(len(rows))]
    if needed > console.width:
        _print_stacked(console, headings, [*rows, *([total] if total else [])], [*styles, ""])
    else:
        console.print(_table(headings, rows, total, styles))


def _table(headings: Row, rows: Sequence[Row], total: Row, styles: Sequence[str]) -> Table:
    table = Table(
        box=box.SIMPLE_HEAD, pad_edge=False, show_edge=False, padding=(0, 1, 0, 0),
        show_footer=bool(total),
    )  # fmt: skip
    tallest = max(heading.count("\n") for heading in headings)
    for place, heading in enumerate(headings):
        low = Text("\n" * (tallest - heading.count("\n")) + heading)
        footer = Text(total[place]) if total else ""
        if place == 0:
            table.add_column(low, footer, overflow="fold")
        else:
            table.add_column(low, footer, justify="right", no_wrap=True)
    for row, style in zip(rows, styles, strict=True):
        table.add_row(*map(Text, row), style=style or None)
    return table


def _print_stacked(
    console: Console, headings: Row, rows: Sequence[Row], styles: Sequence[str]
) -> None:
    labels = [_in_one_line(heading) for heading in headings[1:]]
    label = max(map(cell_len, labels))
    value = max(cell_len(_in_one_line(each)) for row in rows for each in row[1:])
    for (name, *values), style in zip(rows, styles, strict=False):
        console.print(Text(name, style=style, overflow="fold"))
        for what, each in zip(labels, values, strict=True):
            line = f"{what:<{label}}  {_in_one_line(each):>{value}}"
            console.print(Padding(Text(line, style=style), (0, 0, 0, 2)))


def _in_one_line(text: str) -> str:
    """Return a heading or value that was broken to be narrow in one line."""
    return text.replace("-\n", "").replace("\n", " ").strip()
