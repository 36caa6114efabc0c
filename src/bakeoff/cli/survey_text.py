"""How a look at data reads in a terminal."""

from __future__ import annotations

import textwrap
from collections.abc import Mapping
from typing import TYPE_CHECKING

from rich import box
from rich.console import Console
from rich.table import Table
from rich.text import Text

from bakeoff.cli.tables import say
from bakeoff.text import shortened, visible

if TYPE_CHECKING:  # numpy waits until there is something to count.
    from bakeoff.commands.data import Surveyed

_MOST_CLASSES = 40
_MOST_KINDS = 6
_LONGEST_CLASS = 32


def survey_text(surveyed: Surveyed) -> str:
    """Return what is there, class by class, then what is converted and what to mind."""
    found = surveyed.survey
    console = Console()
    if not console.is_terminal:
        console = Console(width=120)
    with console.capture() as captured:
        say(console, visible(f"{found.stock.where}: {found.extent}"))
        console.print()
        console.print(_classes(surveyed))
        console.print()
        for line in (*_kinds(found.kinds), *map(visible, found.notes)):
            _item(console, line)
        console.print()
        for each in found.findings:
            _item(console, f"! {each.line}")
        if not found.findings:
            say(console, "nothing found that would mislead")
    sheet = surveyed.sheet_note or f"contact sheet: {surveyed.sheet}"
    return captured.get() + visible(sheet)


def _item(console: Console, text: str) -> None:
    """Print a line; where a terminal breaks it, what goes on below is moved in."""
    if console.is_terminal:
        text = textwrap.fill(text, console.width, subsequent_indent="  ", break_on_hyphens=False)
    console.print(text, highlight=False, markup=False, soft_wrap=True)


def _classes(surveyed: Surveyed) -> Table:
    """Return the table of classes: what lies there, and what of it trains, validates, tests."""
    found = surveyed.survey
    table = Table(
        box=box.SIMPLE_HEAD, pad_edge=False, show_edge=False, padding=(0, 2, 0, 0), show_footer=True
    )
    total = f"{len(found.classes):,} classes"
    table.add_column(Text("class", overflow="fold"), footer=total, overflow="fold")
    used = [use for use in ("train", "validation", "test") if use != "test" or found.parts == ("",)]
    headings = {"train": "trains", "validation": "validates", "test": "tests"}
    for part in found.parts:
        count = sum(of[part] for of in found.counts.values())
        table.add_column(part or "images", footer=f"{count:,}", justify="right", no_wrap=True)
    for use in used:
        count = sum(of[use] for of in found.shares.values())
        table.add_column(headings[use], footer=f"{count:,}", justify="right", no_wrap=True)
    for name in found.classes[:_MOST_CLASSES]:
        there, share = found.counts[name], found.shares.get(name, {})
        table.add_row(
            Text(shortened(visible(name), _LONGEST_CLASS)),
            *(f"{there[part]:,}" for part in found.parts),
            *(f"{share[use]:,}" if share else "-" for use in used),
        )
    if len(found.classes) > _MOST_CLASSES:
        table.add_row(f"and {len(found.classes) - _MOST_CLASSES:,} more")
    return table


def _kinds(kinds: Mapping[str, int]) -> list[str]:
    """Return how images are stored: the most frequent ways, and how many more there are."""
    shown = [f"{count:,} x {visible(kind)}" for kind, count in kinds.items()][:_MOST_KINDS]
    more = len(kinds) - len(shown)
    rest = f" and {more:,} more kinds" if more else ""
    return [f"stored as {', '.join(shown)}{rest}"]
