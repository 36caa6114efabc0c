"""Measure how much of two cores trains where trials are tasks of Ray.

    python -m benchmarks.machines.ray_efficiency [--seconds 2 20] [--together 110]

Trials of about so many seconds, in one thread each, two at a time; enough of them for `--together`
wall seconds. Told is the processor time of their epochs, from the plan to the end of the last one,
over twice the wall time, so that whatever else the machine does counts against it; and over the
processor time of this process and all that it started (Ray, its workers with their imports, the
writing of every trial), which says the same of a machine that is not quiet.
"""

from __future__ import annotations

import argparse
import math
import os
import tempfile
import time
from collections.abc import Sequence
from contextlib import suppress
from pathlib import Path

from bakeoff.commands.run import run_study
from bakeoff.data.readers.mnist import load_mnist
from bakeoff.engine import claimed_process
from bakeoff.records.record import Record
from bakeoff.runners.listener import Listener, PlannedTrial
from bakeoff.study.protocol import Protocol
from bakeoff.study.recipe import Recipe
from bakeoff.study.study import Entrant, Study
from bakeoff.training.trying import tried
from benchmarks.publish import Table, add_results_option, machine, publish
from benchmarks.task import CPU

CORES = 2


def processor_seconds() -> float:
    """Return what this process has taken, and all that descends from it, alive or waited for."""
    parents, ticks = {}, {}
    for file in Path("/proc").glob("[0-9]*/stat"):
        with suppress(OSError):  # It has just ended.
            process, fields = int(file.parent.name), file.read_text().rpartition(")")[2].split()
            parents[process], ticks[process] = int(fields[1]), sum(map(int, fields[11:15]))
    ours = {os.getpid()}
    while more := {each for each, parent in parents.items() if parent in ours} - ours:
        ours |= more
    return sum(ticks[each] for each in ours) / os.sysconf("SC_CLK_TCK")


class Stopwatch(Listener):
    """Keeps when the first trial was planned and the last one ended, and what trained them."""

    def __init__(self) -> None:
        self.began = self.ended = self.trained = 0.0
        self.taken_before = self.taken = 0.0

    def planned(self, trials: Sequence[PlannedTrial], finished_before: int) -> None:
        """Begin."""
        self.began, self.taken_before = time.perf_counter(), processor_seconds()

    def trial_ended(self, trial: PlannedTrial, record: Record) -> None:
        """Add the processor seconds of its epochs."""
        self.ended, self.taken = time.perf_counter(), processor_seconds()
        self.trained += sum(epoch.processor_seconds or 0.0 for epoch in record.epochs)


def study_of(epochs: int, seeds: int) -> Study:
    """Return a study of one entrant."""
    recipe = Recipe(epochs=epochs)
    return Study(
        name="efficiency",
        protocol=Protocol(validation_examples=1000, train_examples=2000),
        entrants=(Entrant(name="hidden", architecture="mlp-2x200", recipe=recipe),),
        seeds=seeds,
    )


def seconds_of_an_epoch() -> float:
    """Return what an epoch takes here."""
    study = study_of(1, 1)
    with claimed_process(1):
        return tried(study, study.entrants[0], load_mnist(), CPU, "float32").seconds_per_epoch


def main(arguments: Sequence[str] | None = None) -> None:
    """Measure, print and keep the table."""
    parser = argparse.ArgumentParser(description=__doc__.partition("\n")[0])
    parser.add_argument("--seconds", type=float, nargs="+", default=[2.0, 20.0], help="of a trial")
    parser.add_argument("--together", type=float, default=110, help="wall seconds of all")
    add_results_option(parser)
    options = parser.parse_args(arguments)

    each, rows, figures = seconds_of_an_epoch(), [], {}
    for seconds in options.seconds:
        study = study_of(
            epochs=max(1, round(seconds / each)),
            seeds=CORES * math.ceil(options.together / seconds),
        )
        watch = Stopwatch()
        with tempfile.TemporaryDirectory() as folder:
            run_study(study, Path(folder) / "run", on="ray", jobs=CORES, device="cpu",
                      precision="float32", listener=watch)  # fmt: skip
        wall, taken = watch.ended - watch.began, watch.taken - watch.taken_before
        figures[f"{seconds:g} s"] = {
            "trials": study.seeds,
            "wall seconds": wall,
            "processor seconds of training": watch.trained,
            "processor seconds of all": taken,
            "of the wall time": watch.trained / wall / CORES,
            "of the processor time": watch.trained / taken,
        }
        rows.append(
            (
                *(f"{watch.trained / study.seeds:.1f} s", str(study.seeds), f"{wall:.0f} s"),
                f"{100 * watch.trained / wall / CORES:.0f} %",
                f"{100 * watch.trained / taken:.0f} %",
            )
        )
    publish(
        "ray_efficiency",
        [
            Table(
                ("a trial trains for", "trials", "wall time", "of two cores", "of what was taken"),
                tuple(rows),
            )
        ],
        setting={"trials at once": CORES, "network": "mlp-2x200", "training images": 2000},
        figures=figures,
        machine=machine(("torch", "numpy", "ray")),
        folder=options.results,
    )


if __name__ == "__main__":
    main()
