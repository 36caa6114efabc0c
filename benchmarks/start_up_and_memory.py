"""Measure how long the command takes to start, and how much memory a run takes at its peak.

    python -m benchmarks.start_up_and_memory [--repeats 10] [--train-examples 2000 | --whole-study]

Start-up: wall seconds of fresh processes, which take turns. Memory: the largest resident set of
`bakeoff run` on the study `assignment` in a process of its own, as the system counted it when the
process ended. By default with few training examples and one epoch, where the data and the largest
network are in memory as in the whole study; `--whole-study` trains all of it.
"""

from __future__ import annotations

import argparse
import os
import subprocess
import sys
import tempfile
from collections.abc import Callable, Sequence
from pathlib import Path

from bakeoff.study.study import Study
from bakeoff.study.toml import find_study, read_study, to_toml
from benchmarks.interleaved import Turns, always_ready, take_turns
from benchmarks.publish import Table, add_results_option, machine, publish

# What Linux counts in KiB, macOS counts in bytes.
BYTES = 1 if sys.platform == "darwin" else 1024

PRECISIONS = ("float32", "bfloat16")

COMMANDS = {
    "python, nothing else": ("-c", "pass"),
    "import bakeoff": ("-c", "import bakeoff"),
    "bakeoff --help": ("-m", "bakeoff", "--help"),
    "bakeoff list studies": ("-m", "bakeoff", "list", "studies"),
    "import bakeoff.commands.run (what `run` needs)": ("-c", "import bakeoff.commands.run"),
    "import torch": ("-c", "import torch"),
}


def start(arguments: Sequence[str]) -> Callable[[], object]:
    """Return a function that runs Python with these arguments; it raises where that fails."""
    command = [sys.executable, *arguments]
    return lambda: subprocess.run(command, check=True, stdout=subprocess.DEVNULL)


def time_starts(repeats: int) -> Turns:
    """Return the seconds of every command."""
    works = {name: always_ready(start(arguments)) for name, arguments in COMMANDS.items()}
    return take_turns(works, repeats)


def peak_bytes(arguments: Sequence[str]) -> int:
    """Return the largest resident set of Python run with these arguments.

    The system counts from the moment at which the process is forked off, so this process must be
    smaller than what it measures: it imports no torch before.
    Raises CalledProcessError where the command fails.
    """
    command = [sys.executable, *arguments]
    with subprocess.Popen(command, stdout=subprocess.DEVNULL) as process:
        _, status, usage = os.wait4(process.pid, 0)
        process.returncode = os.waitstatus_to_exitcode(status)
    if process.returncode:
        raise subprocess.CalledProcessError(process.returncode, command)
    return usage.ru_maxrss * BYTES


def small(study: Study, train_examples: int) -> Study:
    """Return the study with one epoch on few examples, the validation images as they are."""
    protocol = study.protocol.model_copy(update={"train_examples": train_examples})
    entrants = tuple(
        entrant.model_copy(update={"recipe": entrant.recipe.model_copy(update={"epochs": 1})})
        for entrant in study.entrants
    )
    return study.model_copy(update={"protocol": protocol, "entrants": entrants})


def peak_of_run(study: Study, precision: str) -> int:
    """Return the largest resident set of `bakeoff run` on a study, in bytes."""
    with tempfile.TemporaryDirectory() as folder:
        file = Path(folder) / "study.toml"
        file.write_text(to_toml(study))
        out = str(Path(folder) / "run")
        run = ("-m", "bakeoff", "run", str(file), "--out", out, "--precision", precision)
        return peak_bytes(run)


def main(arguments: Sequence[str] | None = None) -> None:
    """Measure, print and keep the tables."""
    parser = argparse.ArgumentParser(description=__doc__.partition("\n")[0])
    parser.add_argument("--repeats", type=int, default=10)
    parser.add_argument("--train-examples", type=int, default=2000)
    parser.add_argument("--whole-study", action="store_true")
    parser.add_argument("--precision", nargs="+", choices=PRECISIONS, default=list(PRECISIONS))
    add_results_option(parser)
    options = parser.parse_args(arguments)

    study = read_study(find_study("assignment"))
    if not options.whole_study:
        study = small(study, options.train_examples)
    print("memory ...", file=sys.stderr, flush=True)
    peaks = {precision: peak_of_run(study, precision) for precision in options.precision}
    print("start-up ...", file=sys.stderr, flush=True)
    turns = time_starts(options.repeats)

    bare = turns.works[0]
    starts = tuple(
        (
            name,
            f"{1000 * turns.median(name):.0f}",
            f"{1000 * turns.of(name).min():.0f} to {1000 * turns.of(name).max():.0f}",
            f"{1000 * (turns.median(name) - turns.median(bare)):.0f}",
        )
        for name in turns.works
    )
    publish(
        "start_up_and_memory",
        [
            Table(("fresh process", "median, ms", "range, ms", "beyond Python, ms"), starts),
            Table(
                ("`bakeoff run assignment`, precision", "peak of the resident set, MB"),
                tuple((precision, f"{peak / 1e6:.0f}") for precision, peak in peaks.items()),
            ),
        ],
        setting={
            "repeats": options.repeats,
            "study for memory": "whole"
            if options.whole_study
            else f"{options.train_examples} training examples, 1 epoch",
        },
        figures={"seconds": turns.to_dict(), "peak bytes": peaks},
        machine=machine(),
        folder=options.results,
    )


if __name__ == "__main__":
    main()
