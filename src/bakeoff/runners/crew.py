"""Processes that train: started once, and with all that a trial needs imported."""

from __future__ import annotations

import os
import subprocess
import sys
from collections.abc import Iterator
from contextlib import contextmanager, suppress
from dataclasses import dataclass
from pathlib import Path

from bakeoff.files.search_paths import safe_environment
from bakeoff.study.frozen import Frozen

_PROGRAM = """
import sys
sys.path.insert(0, sys.argv.pop(1))
import bakeoff
del sys.path[0]
from bakeoff.runners.worker import main
main(sys.argv[1])
"""
"""The package of this process, wherever it was found, and nothing else from beside it."""


WAITING = {"OMP_WAIT_POLICY": "passive"}
"""Threads that wait for each other busily take cores from all that runs beside them, and then wait
for what these took."""


class Order(Frozen):
    """What a crew is asked to do: one line of JSON on its standard input."""

    directory: str
    seeds: int
    device: str
    precision: str
    jobs: int
    threads: int
    """Of each job."""


@dataclass(frozen=True)
class Crew:
    """A process that has imported all that a trial needs, and forks a worker for each job.

    It has started no threads when it forks, so its children may (`engine.team`). They are in a
    session of their own, so that Ctrl-C comes to them once, by way of this process; and they stop
    where their standard input ends, which is when this process is gone.
    """

    process: subprocess.Popen[str]
    orders: int
    """The end of a pipe to its standard input."""

    def begin(self, order: Order) -> None:
        """Let the workers begin."""
        with suppress(BrokenPipeError):  # It ended; why, its last words say.
            os.write(self.orders, f"{order.model_dump_json()}\n".encode())

    def signal(self, number: int) -> None:
        """Send a signal to all of them."""
        with suppress(ProcessLookupError):
            os.killpg(self.process.pid, number)


@contextmanager
def started_crew(dataset: str) -> Iterator[Crew]:
    """Start a crew, which imports while this process goes on; one without an order just ends.

    It reads `dataset` meanwhile, if that is one of those that ship.
    """
    home = Path(__file__).absolute().parents[2]
    # NumPy would start threads as it is imported; a fork is safe where there are none.
    environment = {"OPENBLAS_NUM_THREADS": "1"} | WAITING | safe_environment()
    heard, orders = os.pipe()
    try:
        with subprocess.Popen(
            [sys.executable, "-P", "-c", _PROGRAM, str(home), dataset],
            env=environment,
            stdin=heard,
            stdout=subprocess.PIPE,
            stderr=subprocess.PIPE,
            encoding="utf-8",
            errors="replace",
            start_new_session=True,
        ) as process:
            os.close(heard)
            try:
                yield Crew(process, orders)
            finally:
                process.kill()  # Where it never got an order; else it is gone.
    finally:
        os.close(orders)
