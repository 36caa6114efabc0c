"""Time training steps while other programs are at work on the same cores.

    python -m benchmarks.steadiness [--precision auto] [--rounds 5] [--seconds 0.6]
        [--busy 0 1 3] [--only ENTRANT ...]

The others are Python loops that do nothing else. A step is timed in a process of its own for each
setting: one thread, which is the default; as many threads as there are cores, which wait for each
other as bakeoff sets it (`--threads`); and as PyTorch has it by itself. In each round all settings
take their turns with each number of busy loops, each round in the reverse order of the one before.
The networks are those of the study `assignment`, on MNIST. Figures are milliseconds per step, the
median over the rounds; ratios, to the same setting with nothing else at work, are taken within a
round.
"""

from __future__ import annotations

import argparse
import os
import subprocess
import sys
import time
from collections.abc import Iterator, Mapping, Sequence
from contextlib import ExitStack, contextmanager
from dataclasses import dataclass
from statistics import median

from bakeoff.engine.devices import choose_precision
from bakeoff.files.cores import usable_cores
from bakeoff.runners.crew import WAITING
from benchmarks.publish import Table, add_results_option, machine, publish
from benchmarks.task import CPU, PRECISIONS, assignment

_STEPPER = """
import sys, time, torch
entrant, threads, precision = sys.argv[1], int(sys.argv[2]), sys.argv[3]
from bakeoff.data.readers.mnist import load_mnist
from bakeoff.engine.claim import claimed_process
from bakeoff.training.timing_pass import all_examples, make_burst
from benchmarks.task import CPU, assignment
study, images = assignment(), all_examples(load_mnist(), CPU)
asked = study.entrant(entrant)
with claimed_process(threads):
    steps = 4
    burst = make_burst(study, asked, load_mnist(), images, precision=precision,
                       examples=steps * asked.recipe.batch_size)
    burst()
    print(flush=True)
    for line in sys.stdin:
        begun, done = time.perf_counter(), 0
        while time.perf_counter() - begun < float(line):
            burst()
            done += steps
        print(1000 * (time.perf_counter() - begun) / done, flush=True)
"""


@dataclass(frozen=True)
class Setting:
    """How many threads take a step, and how they wait for each other."""

    name: str
    threads: int
    environment: Mapping[str, str]


def settings(cores: int) -> tuple[Setting, ...]:
    """Return what is compared, the default first."""
    return (
        Setting("one thread", 1, {}),
        Setting(f"{cores} threads", cores, WAITING),
        Setting(f"{cores} threads, as PyTorch waits", cores, {}),
    )


class Stepper:
    """A process that takes steps of one entrant when it is asked to."""

    def __init__(self, entrant: str, setting: Setting, precision: str) -> None:
        plain = {key: value for key, value in os.environ.items() if not key.startswith("OMP_")}
        self._process = subprocess.Popen(
            [sys.executable, "-c", _STEPPER, entrant, str(setting.threads), precision],
            env={**plain, **setting.environment},
            stdin=subprocess.PIPE,
            stdout=subprocess.PIPE,
            text=True,
        )
        self._answer()

    def begin(self, seconds: float) -> None:
        """Let it take steps for about so many seconds."""
        print(seconds, file=self._process.stdin, flush=True)

    def milliseconds(self) -> float:
        """Wait until it has; return the milliseconds per step."""
        return float(self._answer())

    def close(self) -> None:
        """End the process."""
        self._process.kill()
        self._process.communicate()

    def _answer(self) -> str:
        line = "" if self._process.stdout is None else self._process.stdout.readline()
        if not line:
            self.close()
            raise RuntimeError("a process that takes steps has ended")
        return line


@contextmanager
def busy(loops: int) -> Iterator[None]:
    """Let so many Python loops run meanwhile."""
    running = [subprocess.Popen([sys.executable, "-c", "while True: pass"]) for _ in range(loops)]
    try:
        time.sleep(0.1 if loops else 0)
        yield
    finally:
        for each in running:
            each.kill()
            each.wait()


def time_steps(
    entrant: str,
    compared: Sequence[Setting],
    loads: Sequence[int],
    *,
    precision: str,
    rounds: int,
    seconds: float,
) -> dict[str, dict[int, list[float]]]:
    """Return milliseconds per step: setting -> busy loops -> [rounds]."""
    found: dict[str, dict[int, list[float]]] = {
        setting.name: {load: [] for load in loads} for setting in compared
    }
    with ExitStack() as running:
        steppers = {}
        for setting in compared:
            steppers[setting.name] = Stepper(entrant, setting, precision)
            running.callback(steppers[setting.name].close)
        turns = [(load, name) for load in loads for name in steppers]
        for number in range(rounds):
            for load, name in turns if number % 2 == 0 else turns[::-1]:
                with busy(load):
                    steppers[name].begin(seconds)
                    found[name][load].append(steppers[name].milliseconds())
    return found


def row(entrant: str, name: str, by_load: Mapping[int, Sequence[float]]) -> tuple[str, ...]:
    """Return the line of a setting: milliseconds, and how often the idle ones go into them."""
    idle = by_load[0]
    cells = [f"{median(idle):.2f}"]
    for load, rounds in by_load.items():
        if load:
            ratio = median(one / other for one, other in zip(rounds, idle, strict=True))
            cells.append(f"{median(rounds):.2f} ({ratio:.2f})")
    return entrant, name, *cells


def main(arguments: Sequence[str] | None = None) -> None:
    """Measure, print and keep the table."""
    names = [entrant.name for entrant in assignment().entrants]
    parser = argparse.ArgumentParser(description=__doc__.partition("\n")[0])
    parser.add_argument("--precision", choices=("auto", *PRECISIONS), default="auto")
    parser.add_argument("--rounds", type=int, default=5)
    parser.add_argument("--seconds", type=float, default=0.6)
    parser.add_argument("--busy", nargs="+", type=int, default=[1, 3])
    parser.add_argument("--only", nargs="+", choices=names, default=names, metavar="ENTRANT")
    add_results_option(parser)
    options = parser.parse_args(arguments)

    precision = choose_precision(options.precision, CPU)
    loads = [0, *(load for load in options.busy if load)]
    compared = settings(usable_cores())
    figures = {}
    for entrant in options.only:
        print(f"{entrant} ...", file=sys.stderr, flush=True)
        figures[entrant] = time_steps(
            entrant,
            compared,
            loads,
            precision=precision,
            rounds=options.rounds,
            seconds=options.seconds,
        )
    columns = ("entrant", "threads", "idle, ms", *(f"{load} busy" for load in loads[1:]))
    rows = tuple(
        row(entrant, name, by_load)
        for entrant, by_setting in figures.items()
        for name, by_load in by_setting.items()
    )
    publish(
        "steadiness",
        [Table(columns, rows)],
        setting={"precision": precision, "rounds": options.rounds, "seconds": options.seconds},
        figures=figures,
        machine=machine(),
        folder=options.results,
    )


if __name__ == "__main__":
    main()
