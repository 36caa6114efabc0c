"""Rows about what surrounds a run: links out of its folder, rivals at its birth, wild recipes."""

from __future__ import annotations

import shutil
from collections.abc import Iterable
from pathlib import Path

from .proofs import Bench, Row
from .runs import fingerprint

# Whatever a run may make, write, move or remove in its folder.
STEPS = (
    "trials", "trials/plain", "trials/plain/0", "trials/plain/0/record.json",
    "trials/plain/0/manifest.json", "unfinished", "unfinished/plain.0", "unfinished/drop.0",
    "set-aside", "set-aside/plain", "locks", "locks/study", "locks/conclusion",
    "locks/trial.plain.0", "figures", "study.toml", "timing.json", "looks.json",
    "comparison.json", "report.html",
)  # fmt: skip

WILD = (
    ("sgd", 10.0), ("sgd", 100.0), ("sgd", 1e4), ("sgd", 1e10), ("adam", 300.0), ("adam", 1e6),
    ("adam", 1e30), ("adamw", 1e4),
)  # fmt: skip


def links(bench: Bench, steps: Iterable[str] = STEPS) -> Row:
    """Put a link to somebody's folder or file in the place of each thing in a finished run."""
    row = Row(
        "a link out of the folder in the place of each thing in it",
        "nothing outside changed; done, or one line that names the link",
    )
    for step in steps:
        with bench.folder() as folder:
            bench.server.run(bench.arguments(folder), folder)
            outside = folder.with_name("somebody")
            _dear_things(outside)
            before = _state(outside)
            place = folder / step
            directory = "." not in place.name or place.name.endswith(".0")
            if step.startswith("locks/"):
                directory = False
            _replaced(place, outside if directory else outside / "dear.txt")
            for command in (
                bench.arguments(folder),
                [*bench.arguments(folder), "--retry-failed"],
                ["compare", str(folder)],
                ["report", str(folder)],
            ):
                row.tried += 1
                ended = bench.server.run(command, folder)
                lines = ended.error_lines
                named = len(lines) == 1 and str(place) in lines[0]
                if not (ended.code == 0 and not lines) and not (ended.code == 1 and named):
                    row.faults.append(f"{step}: {command[0]} ended with {ended.code}: {ended.said}")
                if _state(outside) != before:
                    row.faults.append(f"{step}: {command[0]} changed what is outside")
            shutil.rmtree(outside)
    return row


def _dear_things(outside: Path) -> None:
    """Make somebody's folder, with names that a run uses too."""
    for name in ("plain.0", "drop.0", "plain/0", "0", "0-1", "complete"):
        (outside / name).mkdir(parents=True)
        (outside / name / "dear.txt").write_text("dear")
    for name in ("dear.txt", "conclusion", "study", "trial.plain.0", "record.json"):
        (outside / name).write_text("dear")


def _state(folder: Path) -> dict[str, tuple[int, bytes]]:
    """Return name, time of change and content of all that is in a folder."""
    return {
        str(each.relative_to(folder)): (
            each.stat().st_mtime_ns,
            each.read_bytes() if each.is_file() else b"",
        )
        for each in [folder, *sorted(folder.rglob("*"))]
    }


def _replaced(place: Path, target: Path) -> None:
    if place.is_dir():
        shutil.rmtree(place)
    place.unlink(missing_ok=True)
    place.parent.mkdir(parents=True, exist_ok=True)
    place.symlink_to(target)


def explosions(bench: Bench, wild: Iterable[tuple[str, float]] = WILD) -> Row:
    """Train one entrant with a recipe that explodes, the other as ever."""
    row = Row(
        "recipes that explode", "that trial diverged, or complete and bad; the other one as ever"
    )
    for optimizer, rate in wild:
        for entrant in ("plain", "drop"):
            with bench.folder() as folder:
                change = [f"{entrant}.optimizer={optimizer}", f"{entrant}.learning_rate={rate}"]
                command = bench.arguments(folder)
                for each in change:
                    command += ["--set", each]
                row.tried += 1
                for again in range(2):
                    ended = bench.server.run(command, folder)
                    where = f"{' '.join(change)}, time {again + 1}"
                    diverged = f"{entrant} seed 0 diverged" in ended.said
                    if ended.code != (1 if diverged else 0) or len(ended.error_lines) > 1:
                        row.faults.append(f"{where}: ended with {ended.code}: {ended.said}")
                compared = bench.server.run(["compare", str(folder)], folder)
                if compared.code != 0:
                    row.faults.append(f"{' '.join(change)}: compare: {compared.said}")
    return row


def births(bench: Bench, rounds: int, processes: int) -> Row:
    """Let several processes begin a new folder in the same moment."""
    row = Row(
        f"{processes} processes begin one new folder at once",
        "each ends with the result of one process",
    )
    for _ in range(rounds):
        with bench.folder() as folder:
            row.tried += 1
            crowd = [bench.server.start(bench.arguments(folder), folder) for _ in range(processes)]
            ends = [bench.server.wait(pid) for pid in crowd]
            row.faults += [f"ended with {e.code}: {e.said}" for e in ends if e.code != 0]
            if fingerprint(folder) != bench.expected:
                row.faults.append("the result is another one")
    return row
