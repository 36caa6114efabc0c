"""How the check of a study reads in a terminal."""

from __future__ import annotations

from typing import TYPE_CHECKING

from rich.console import Console

from bakeoff.cli.rows import console_of_output, print_rows, say
from bakeoff.cli.tables import parameters_text
from bakeoff.text import lasting, visible

if TYPE_CHECKING:
    from bakeoff.commands.check import Checked


def check_text(checked: Checked) -> str:
    """Return the data, the entrants, what is wrong, what it takes and what it can show."""
    console = console_of_output()
    with console.capture() as captured:
        say(console, _data(checked))
        for note in checked.notes:
            say(console, visible(note))
        console.print()
        _print_entrants(console, checked)
        console.print()
        for each in checked.entrants:
            for finding in each.findings:
                mark = "✗" if finding.severity == "refuse" else "!"
                say(console, visible(f"{mark} {each.name}: {finding.line}"))
        if checked.seconds is not None:
            say(console, _whole(checked))
        _print_reach(console, checked)
    return captured.get()


def _data(checked: Checked) -> str:
    channels, height, width = checked.image_shape
    return (
        f"{checked.study.protocol.dataset}: {checked.train:,} images to train on, "
        f"{checked.validation:,} to validate, {checked.test:,} to test, "
        f"{channels} x {height} x {width}, {checked.classes:,} classes"
    )


def _print_entrants(console: Console, checked: Checked) -> None:
    rows = []
    for each in checked.entrants:
        figures = ["-"] * 4
        if each.size is not None and each.taken is not None:
            figures = [
                parameters_text(each.size.parameters, each.size.trained),
                f"{each.size.multiply_adds_per_image:,}",
                f"{each.taken.bytes_of_memory / 1e6:,.0f}",
                _of_two_figures(each.taken.seconds_per_epoch),
            ]
        rows.append([each.name, *figures])
    headings = (
        "entrant", "parameters", "multiply-adds\nper image", "memory\nMB", "seconds\nper epoch",
    )  # fmt: skip
    print_rows(console, headings, rows)


def _of_two_figures(seconds: float) -> str:
    return f"{seconds:.2g}" if seconds < 10 else f"{seconds:,.0f}"


def _whole(checked: Checked) -> str:
    trials = len(checked.entrants) * checked.study.seeds
    return (
        f"the whole study: {trials} trials, about {lasting(checked.seconds or 0.0)} on "
        f"{checked.cores} cores, if each uses its whole budget and the machine stays as it is"
    )


def _print_reach(console: Console, checked: Checked) -> None:
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
        f"show with a chance of 80 %{of_pairs}, if seeds move little else:",
    )
    rows = [
        [f"{share:.0%} of the images", "-" if points is None else f"{points:.2g}"]
        for share, points in checked.smallest_differences.items()
    ]
    print_rows(console, ("just one of the two is right on", "points"), rows)
