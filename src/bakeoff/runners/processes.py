"""Several processes on one run folder, which share its trials out by their locks."""

from __future__ import annotations

import os
import subprocess
import sys
from collections.abc import Sequence
from contextlib import ExitStack
from dataclasses import dataclass, field
from pathlib import Path
from queue import Queue
from threading import Thread
from typing import IO

from bakeoff.errors import BakeoffError
from bakeoff.files.search_paths import safe_environment
from bakeoff.runners.events import Event, event_in
from bakeoff.runners.listener import Listener, PlannedTrial
from bakeoff.runners.setting import Setting

_LAST_WORDS = 20.0
"""Seconds that a worker has after SIGTERM; a training step may take a while."""


_WORKER = """
import sys
sys.path.insert(0, sys.argv.pop(1))
import bakeoff
del sys.path[0]
from bakeoff.runners.worker import main
sys.exit(main(*sys.argv[1:]))
"""
"""The package of this process, wherever it was found, and nothing else from beside it."""


@dataclass
class _Worker:
    process: subprocess.Popen[str]
    failed: str = ""
    """Why it could not go on, as it told."""
    printed: str = ""
    """The last line that was no event: of a library's warning, or of a traceback."""

    def complaint(self) -> str | None:
        """Return in one line why it failed, or None where it did not."""
        code = self.process.returncode
        if code == 0:
            return None
        if code < 0:
            return f"a worker was ended by signal {-code}; the same command goes on"
        return self.failed or self.printed or f"a worker failed with exit code {code}"


def run_in_workers(
    setting: Setting, trials: Sequence[PlannedTrial], listener: Listener, *, jobs: int
) -> None:
    """Train in `jobs` processes, each with its share of the cores (at least one); a Runner.

    Raises BakeoffError with the line of the first worker that failed. However this ends, no worker
    is left: they are asked to stop as by Ctrl-C, and they stop if this process dies.
    """
    threads = max(1, usable_cores() // jobs)
    command = _command(setting, threads)
    environment = safe_environment() | {"OMP_NUM_THREADS": str(threads)}
    with ExitStack() as pipes:
        workers = [
            _Worker(pipes.enter_context(_start(command, environment)))
            for _ in range(min(jobs, len(trials)))
        ]
        try:
            _listen(workers, trials, listener)
        except BaseException:
            for worker in workers:
                worker.process.terminate()
            raise
        finally:
            for worker in workers:
                _wait(worker.process)
    for worker in workers:
        if complaint := worker.complaint():
            raise BakeoffError(complaint)


def usable_cores() -> int:
    """Return how many cores this process may use."""
    return len(os.sched_getaffinity(0)) if hasattr(os, "sched_getaffinity") else os.cpu_count() or 1


def _command(setting: Setting, threads: int) -> list[str]:
    """Return what starts a worker."""
    folder = setting.folder
    arguments = [folder.path, folder.study.seeds, setting.device.type, setting.precision, threads]
    home = Path(__file__).absolute().parents[2]
    return [sys.executable, "-P", "-c", _WORKER, str(home), *map(str, arguments)]


def _start(command: Sequence[str], environment: dict[str, str]) -> subprocess.Popen[str]:
    # A session of its own, so that Ctrl-C comes to a worker once, by way of this process.
    return subprocess.Popen(
        command,
        env=environment,
        stdin=subprocess.PIPE,
        stdout=subprocess.PIPE,
        stderr=subprocess.PIPE,
        encoding="utf-8",
        errors="replace",
        start_new_session=True,
    )


@dataclass
class _Relay:
    """Tells a listener what all workers tell, once."""

    trials: dict[tuple[str, int], PlannedTrial]
    listener: Listener
    settled: set[tuple[str, int] | None] = field(default_factory=set)
    """Trials that a worker began, or that were told as finished elsewhere."""

    def pass_on(self, worker: _Worker, line: str) -> None:
        """Tell what a line of a worker says; one that is no event is shown as it is."""
        event = event_in(line)
        if event is None:
            worker.printed = line
            self.listener.stage(line)
        elif event.event == "failed":
            # It is this process's to say.
            worker.failed = str(event.detail)
        elif not self._is_known(event):
            event.tell(self.trials, self.listener)

    def _is_known(self, event: Event) -> bool:
        """Return whether it says of a trial of another worker that it was finished elsewhere."""
        if event.event == "trial_elsewhere" and event.trial in self.settled:
            return True
        if event.event in {"trial_started", "trial_elsewhere"}:
            self.settled.add(event.trial)
        return False


def _listen(workers: Sequence[_Worker], trials: Sequence[PlannedTrial], listener: Listener) -> None:
    """Pass on what the workers tell until all are silent."""
    lines: Queue[tuple[_Worker, str | None]] = Queue()
    speaking = 0
    for worker in workers:
        for stream in (worker.process.stdout, worker.process.stderr):
            Thread(target=_forward, args=(stream, worker, lines), daemon=True).start()
            speaking += 1
    relay = _Relay({planned.key: planned for planned in trials}, listener)
    while speaking:
        worker, line = lines.get()
        if line is None:
            speaking -= 1
        else:
            relay.pass_on(worker, line)


def _forward(stream: IO[str], worker: _Worker, lines: Queue[tuple[_Worker, str | None]]) -> None:
    """Put each line of a worker into the queue, and None after the last."""
    for line in stream:
        lines.put((worker, line.rstrip("\n")))
    lines.put((worker, None))


def _wait(worker: subprocess.Popen[str]) -> None:
    """Return when the worker is gone; one that does not go is made to."""
    try:
        worker.wait(_LAST_WORDS)
    except subprocess.TimeoutExpired:
        worker.kill()
        worker.wait()
