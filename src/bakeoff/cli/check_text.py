"""How the check of a study reads in a terminal."""

from __future__ import annotations

import math
from typing import TYPE_CHECKING

from rich import box
from rich.console import Console
from rich.table import Table

from bakeoff.cli.tables import parameters_text, say
from bakeoff.text import visible

if TYPE_CHECKING:
    from bakeoff.commands.check import Checked


def check_text(checked: Checked) -> str:
    """Return the data, the entrants, what is wrong, what it takes and what it can show."""
    console = Console()
    if not console.is_terminal:
        console = Console(width=120)
    with console.capture() as captured:
        say(console, _data(checked))
        for note in checked.notes:
            say(console, visible(note))
        console.print()
        console.print(_entrants(checked))
        console.print()
        for each in checked.entrants:
            for finding in each.findings:
                mark = "✗" if finding.severity == "refuse" else "!"
                say(console, visible(f"{mark} {each.name}: {finding.line}"))
        if checked.seconds is not None:
            say(console, _whole(checked))
        _reach(console, checked)
    return captured.get()


def _data(checked: Checked) -> str:
    channels, height, width = checked.image_shape
    return (
        f"{checked.study.protocol.dataset}: {checked.train:,} images to train on, "
        f"{checked.validation:,} to validate, {checked.test:,} to test, "
        f"{channels} x {height} x {width}, {checked.classes:,} classes"
    )


def _entrants(checked: Checked) -> Table:
    table = Table(box=box.SIMPLE_HEAD, pad_edge=False, show_edge=False, padding=(0, 2, 0, 0))
    table.add_column("\nentrant", overflow="fold")
    for heading in ("\nparameters", "multiply-adds\nper image", "memory\nMB", "seconds\nper epoch"):
        table.add_column(heading, justify="right", no_wrap=True)
    for each in checked.entrants:
        if each.size is None or each.taken is None:
            table.add_row(each.name, "-", "-", "-", "-")
            continue
        table.add_row(
            each.name,
            parameters_text(each.size.parameters, each.size.trained),
            f"{each.size.multiply_adds_per_image:,}",
            f"{each.taken.bytes_of_memory / 1e6:,.0f}",
            f"{each.taken.seconds_per_epoch:,.2g}",
        )
    return table


def _whole(checked: Checked) -> str:
    trials = len(checked.entrants) * checked.study.seeds
    return (
        f"the whole study: {trials} trials, about {_duration(checked.seconds or 0.0)} on "
        f"{checked.cores} cores, if each uses its whole budget and the machine stays as it is"
    )


def _duration(seconds: float) -> str:
    for unit, size in (("days", 86400), ("hours", 3600), ("minutes", 60)):
        if seconds >= 2 * size:
            return f"{seconds / size:.0f} {unit}"
    return f"{math.ceil(seconds)} s"


def _reach(console: Console, checked: Checked) -> None:
    """Print the smallest difference that the test set can show, by how often two entrants part."""
    seeds, pairs = checked.study.seeds, checked.pairs
    if seeds < 2 or not pairs:
        say(
            console,
            "one seed, or one entrant, shows no difference between architectures; give --seeds 3 "
            "or more, and two entrants",
        )
        return
    if not any(checked.smallest_differences.values()):
        most = max(checked.smallest_differences)
        say(
            console,
            f"{seeds} seeds and {checked.test:,} test images show no difference with a chance of "
            f"80 %, not between two that part on {most:.0%} of them; more test images would",
        )
        return
    of_pairs = f", as the first of {pairs} pairs" if pairs > 1 else ""
    say(
        console,
        f"the smallest difference in accuracy that {seeds} seeds and {checked.test:,} test images "
        f"show with a chance of 80 %{of_pairs}:",
    )
    table = Table(box=box.SIMPLE_HEAD, pad_edge=False, show_edge=False, padding=(0, 2, 0, 0))
    table.add_column("images on which just one of the two is right")
    for share in checked.smallest_differences:
        table.add_column(f"{share:.0%}", justify="right", no_wrap=True)
    cells = [
        "-" if each is None else f"{each:.2g}" for each in checked.smallest_differences.values()
    ]
    table.add_row("points, if seeds move little else", *cells)
    console.print(table)
