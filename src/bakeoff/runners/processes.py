"""Several processes on one run folder, which share its trials out by their locks."""

from __future__ import annotations

import os
import subprocess
import sys
from collections.abc import Sequence
from contextlib import ExitStack
from queue import Queue
from threading import Thread

import torch

from bakeoff.errors import BakeoffError
from bakeoff.records.folder import RunFolder
from bakeoff.runners.listener import Listener, PlannedTrial

_ERROR = "bakeoff: "
_LAST_WORDS = 20.0
"""Seconds that a worker has after SIGTERM; a training step may take a while."""


def run_in_workers(
    folder: RunFolder,
    trials: Sequence[PlannedTrial],
    jobs: int,
    *,
    device: torch.device,
    precision: str,
    listener: Listener,
) -> None:
    """Train all `trials` in `jobs` processes, each with its share of the cores (at least one).

    Raises BakeoffError with the line of the first worker that failed. However this ends, no worker
    is left: they are asked to stop as by Ctrl-C, and they stop if this process dies.
    """
    threads = max(1, usable_cores() // jobs)
    command = [sys.executable, "-m", "bakeoff.cli.worker", str(folder.path)]
    command += [str(folder.study.seeds), device.type, precision, str(threads)]
    environment = os.environ | {"OMP_NUM_THREADS": str(threads)}
    with ExitStack() as pipes:
        workers = [
            pipes.enter_context(_start(command, environment)) for _ in range(min(jobs, len(trials)))
        ]
        try:
            last_lines = _show(folder, trials, workers, listener)
        except BaseException:
            for worker in workers:
                worker.terminate()
            raise
        finally:
            for worker in workers:
                _wait(worker)
    for worker, last in zip(workers, last_lines, strict=True):
        if worker.returncode != 0:
            raise BakeoffError(_complaint(worker.returncode, last))


def usable_cores() -> int:
    """Return how many cores this process may use."""
    return len(os.sched_getaffinity(0)) if hasattr(os, "sched_getaffinity") else os.cpu_count() or 1


def _start(command: Sequence[str], environment: dict[str, str]) -> subprocess.Popen[str]:
    # A session of its own, so that Ctrl-C comes to a worker once, by way of this process.
    return subprocess.Popen(
        command,
        env=environment,
        stdin=subprocess.PIPE,
        stdout=subprocess.PIPE,
        stderr=subprocess.STDOUT,
        text=True,
        start_new_session=True,
    )


def _show(
    folder: RunFolder,
    trials: Sequence[PlannedTrial],
    workers: Sequence[subprocess.Popen[str]],
    listener: Listener,
) -> list[str]:
    """Pass on what the workers say until all are silent; return the last line of each.

    The line of an error is not passed on: it is this process's to say.
    """
    lines: Queue[tuple[int, str | None]] = Queue()
    for number, worker in enumerate(workers):
        Thread(target=_forward, args=(worker, number, lines), daemon=True).start()
    last = [""] * len(workers)
    left, silent = list(trials), 0
    while silent < len(workers):
        number, line = lines.get()
        if line is None:
            silent += 1
        else:
            last[number] = line
            if not line.startswith(_ERROR):
                listener.stage(line)
        for planned in list(left):
            if folder.has_trial(planned.entrant.name, planned.seed):
                listener.trial_elsewhere(planned)
                left.remove(planned)
    return last


def _forward(
    worker: subprocess.Popen[str], number: int, lines: Queue[tuple[int, str | None]]
) -> None:
    """Put each line of a worker into the queue, and None after the last."""
    for line in worker.stdout or ():
        lines.put((number, line.rstrip("\n")))
    lines.put((number, None))


def _wait(worker: subprocess.Popen[str]) -> None:
    """Return when the worker is gone; one that does not go is made to."""
    try:
        worker.wait(_LAST_WORDS)
    except subprocess.TimeoutExpired:
        worker.kill()
        worker.wait()


def _complaint(code: int, last: str) -> str:
    """Return why a worker failed, in one line."""
    if code < 0:
        return f"a worker was ended by signal {-code}; the same command goes on"
    return last.removeprefix(_ERROR) or f"a worker failed with exit code {code}"
