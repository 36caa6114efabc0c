"""How a look at data reads in a terminal."""

from __future__ import annotations

from collections.abc import Mapping
from typing import TYPE_CHECKING

from rich.console import Console

from bakeoff.cli.rows import console_of_output, print_rows, say, say_item
from bakeoff.text import shortened, visible

if TYPE_CHECKING:  # numpy waits until there is something to count.
    from bakeoff.commands.data import Surveyed

_MOST_CLASSES = 40
_MOST_KINDS = 6
_LONGEST_CLASS = 32


def survey_text(surveyed: Surveyed) -> str:
    """Return what is there, class by class, then what is converted and what to mind."""
    found = surveyed.survey
    console = console_of_output()
    with console.capture() as captured:
        say(console, visible(f"{found.stock.where}: {found.extent}"))
        console.print()
        _print_classes(console, surveyed)
        console.print()
        for line in (*_kinds(found.kinds), *map(visible, found.notes)):
            say_item(console, line)
        console.print()
        for each in found.findings:
            say_item(console, f"! {each.line}")
        if not found.findings:
            say(console, "nothing found that would mislead")
    sheet = surveyed.sheet_note or f"contact sheet: {surveyed.sheet}"
    return captured.get() + visible(sheet)


def _print_classes(console: Console, surveyed: Surveyed) -> None:
    """Print the table of classes: what lies there, and what of it trains, validates, tests."""
    found = surveyed.survey
    used = [use for use in ("train", "validation", "test") if use != "test" or found.parts == ("",)]
    headings = {"train": "trains", "validation": "validates", "test": "tests"}
    rows = []
    for name in found.classes[:_MOST_CLASSES]:
        there, share = found.counts[name], found.shares.get(name, {})
        rows.append([
            shortened(visible(name), _LONGEST_CLASS),
            *(f"{there[part]:,}" for part in found.parts),
            *(f"{share[use]:,}" if share else "-" for use in used),
        ])  # fmt: skip
    if len(found.classes) > _MOST_CLASSES:
        nothing = [""] * (len(found.parts) + len(used))
        rows.append([f"and {len(found.classes) - _MOST_CLASSES:,} more", *nothing])
    print_rows(
        console,
        ["class", *(part or "images" for part in found.parts), *(headings[use] for use in used)],
        rows,
        total=[
            f"{len(found.classes):,} classes",
            *(f"{sum(of[part] for of in found.counts.values()):,}" for part in found.parts),
            *(f"{sum(of[use] for of in found.shares.values()):,}" for use in used),
        ],
    )


def _kinds(kinds: Mapping[str, int]) -> list[str]:
    """Return how images are stored: the most frequent ways, and how many more there are."""
    shown = [f"{count:,} x {visible(kind)}" for kind, count in kinds.items()][:_MOST_KINDS]
    more = len(kinds) - len(shown)
    rest = f" and {more:,} more kinds" if more else ""
    return [f"stored as {', '.join(shown)}{rest}"]
