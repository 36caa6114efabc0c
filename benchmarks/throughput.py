"""Count the training steps per second of several processes at once, by jobs and threads of each.

    python -m benchmarks.throughput [--precision auto] [--rounds 5] [--seconds 1.0]
        [--only ENTRANT ...]

Each job is a process that takes steps of one entrant, as a worker does; all jobs of a setting take
theirs at the same time. The settings share the same cores out differently and take turns, each
round in the reverse order of the one before. The networks are those of the study `assignment`, on
MNIST. Figures are steps per second of all jobs together, the median over the rounds; ratios, to one
job with one thread, are taken within a round.
"""

from __future__ import annotations

import argparse
import sys
from collections.abc import Mapping, Sequence
from contextlib import ExitStack
from statistics import median

from bakeoff.engine.devices import choose_precision
from bakeoff.files.cores import usable_cores
from bakeoff.runners.crew import WAITING
from benchmarks.publish import Table, add_results_option, machine, publish
from benchmarks.steadiness import Setting, Stepper
from benchmarks.task import CPU, PRECISIONS, assignment

Shares = tuple[int, int]
"""Jobs, and threads of each."""

ALONE: Shares = (1, 1)


def shares(cores: int) -> list[Shares]:
    """Return one job with one thread, then every way to give the cores out to equal jobs."""
    whole = [(jobs, cores // jobs) for jobs in range(1, cores + 1) if cores % jobs == 0]
    return list(dict.fromkeys([ALONE, *whole]))


def name_of(share: Shares) -> str:
    """Return what a table calls it."""
    jobs, threads = share
    return f"{jobs} x {threads}"


def count_steps(
    entrant: str, compared: Sequence[Shares], *, precision: str, rounds: int, seconds: float
) -> dict[str, list[float]]:
    """Return steps per second of all jobs together: setting -> [rounds]."""
    found: dict[str, list[float]] = {name_of(share): [] for share in compared}
    with ExitStack() as running:
        crews = {}
        for share in compared:
            jobs, threads = share
            setting = Setting(name_of(share), threads, WAITING)
            crews[share] = [Stepper(entrant, setting, precision) for _ in range(jobs)]
            for stepper in crews[share]:
                running.callback(stepper.close)
        for number in range(rounds):
            for share in compared if number % 2 == 0 else compared[::-1]:
                for stepper in crews[share]:
                    stepper.begin(seconds)
                rates = [1000 / stepper.milliseconds() for stepper in crews[share]]
                found[name_of(share)].append(sum(rates))
    return found


def row(entrant: str, by_share: Mapping[str, Sequence[float]]) -> tuple[str, ...]:
    """Return the line of an entrant: steps per second, and how often one job alone goes in."""
    alone = by_share[name_of(ALONE)]
    cells = [f"{median(alone):,.0f}"]
    for name, rounds in by_share.items():
        if name != name_of(ALONE):
            ratio = median(one / other for one, other in zip(rounds, alone, strict=True))
            cells.append(f"{median(rounds):,.0f} ({ratio:.2f})")
    return entrant, *cells


def main(arguments: Sequence[str] | None = None) -> None:
    """Measure, print and keep the table."""
    names = [entrant.name for entrant in assignment().entrants]
    parser = argparse.ArgumentParser(description=__doc__.partition("\n")[0])
    parser.add_argument("--precision", choices=("auto", *PRECISIONS), default="auto")
    parser.add_argument("--rounds", type=int, default=5)
    parser.add_argument("--seconds", type=float, default=1.0)
    parser.add_argument("--only", nargs="+", choices=names, default=names, metavar="ENTRANT")
    add_results_option(parser)
    options = parser.parse_args(arguments)

    precision = choose_precision(options.precision, CPU)
    compared = shares(usable_cores())
    figures = {}
    for entrant in options.only:
        print(f"{entrant} ...", file=sys.stderr, flush=True)
        figures[entrant] = count_steps(
            entrant, compared, precision=precision, rounds=options.rounds, seconds=options.seconds
        )
    columns = ("entrant", *(f"{name_of(share)}, steps/s" for share in compared))
    publish(
        "throughput",
        [Table(columns, tuple(row(name, found) for name, found in figures.items()))],
        setting={"precision": precision, "rounds": options.rounds, "seconds": options.seconds},
        figures=figures,
        machine=machine(),
        folder=options.results,
    )


if __name__ == "__main__":
    main()
