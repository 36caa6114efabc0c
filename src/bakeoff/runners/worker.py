"""The leader of a crew: it forks what trains, and waits for it."""

from __future__ import annotations

import os
import signal
from collections.abc import Callable, Sequence
from contextlib import suppress
from dataclasses import replace
from functools import partial
from importlib import import_module
from pathlib import Path
from threading import Thread
from typing import NoReturn

from bakeoff.engine.native.build import Say, nobody
from bakeoff.errors import BakeoffError
from bakeoff.runners.crew import Order
from bakeoff.runners.events import EventWriter
from bakeoff.runners.interruption import (
    STOPPING,
    Interrupted,
    end_at_once,
    never_lost,
    stop_on_signals,
)
from bakeoff.runners.listener import PlannedTrial
from bakeoff.runners.setting import Setting


def main(dataset: str) -> NoReturn:
    """Train what an order on standard input asks for, and end this process, which was started.

    dataset: what it will be about, so that one that ships is read before the order comes.
    Standard output carries events and nothing else: what libraries print goes to standard error.
    """
    events = os.dup(1)
    os.dup2(2, 1)
    _end_by(partial(_work, EventWriter(events), dataset))


def lead(
    setting: Setting, trials: Sequence[PlannedTrial], jobs: int, threads: int, events: int
) -> NoReturn:
    """Train the trials, and end this process, which was forked from one that planned them.

    events: the descriptor of a pipe to it.
    """
    _end_by(partial(_lead, setting, trials, jobs, threads, EventWriter(events)))


def _end_by(work: Callable[[], int]) -> NoReturn:
    """End with what the work returns, or as a signal asks."""
    try:
        stop_on_signals()
        signal.pthread_sigmask(signal.SIG_UNBLOCK, STOPPING)
        with never_lost():
            end_at_once(work())
    except Interrupted as stop:
        end_at_once(stop.exit_code)


def _work(parent: EventWriter, dataset: str) -> int:
    _import_what_trials_need()
    from bakeoff.data.catalogue import SOURCES

    if dataset in SOURCES:
        with suppress(BakeoffError):  # Whoever gives the order reads it, too, and says so.
            SOURCES[dataset].load()

    line = _first_line()
    if not line:
        return 0
    order = Order.model_validate_json(line)
    try:
        setting, trials = _plan(order)
    except BakeoffError as error:
        parent.failed(str(error))
        return error.exit_code
    return _lead(setting, trials, order.jobs, order.threads, parent)


def _import_what_trials_need() -> None:
    """Import what trials import as they go: once for all, and before there is one to wait."""
    import torch

    torch.set_num_threads(1)  # A child may start threads only where its parent had none.
    for name in ("bakeoff.runners.serial", "scipy.special"):
        import_module(name)


def _lead(
    setting: Setting,
    trials: Sequence[PlannedTrial],
    jobs: int,
    threads: int,
    parent: EventWriter,
) -> int:
    """Fork a worker for each job; return what the worst of them exits with."""
    from bakeoff.training.clocks import of_children

    _import_what_trials_need()
    setting = replace(setting, processor=partial(of_children, os.getpid()))
    shares, workers = _shares(jobs, threads), list[int]()
    for share in shares:
        say = nobody if workers else parent.stage  # What there is to say of threads, one says.
        worker = os.fork()
        if worker == 0:
            _train(setting, trials, threads, share, parent, say)
        workers.append(worker)
    Thread(target=_end_with_parent, daemon=True).start()
    try:
        return max(_code_of_next(workers, parent) for _ in shares)
    except Interrupted:
        for worker in workers:
            os.kill(worker, signal.SIGTERM)
        for worker in workers:
            os.waitpid(worker, 0)
        raise


def _first_line() -> bytes:
    """Return the line on standard input, from which nothing more than it may be read."""
    line = b""
    while not line.endswith(b"\n") and (more := os.read(0, 1)):
        line += more
    return line


def _plan(order: Order) -> tuple[Setting, list[PlannedTrial]]:
    """Return what is the same for all trials, and those that are missing, in their order."""
    import torch

    from bakeoff.data.catalogue import load_dataset
    from bakeoff.records.folder import RunFolder
    from bakeoff.runners.plan import plan_trials
    from bakeoff.training.code import load_kept
    from bakeoff.training.size import network_sizes

    directory = Path(order.directory)
    found = RunFolder.open(directory)
    # Another command may have written other seeds into study.toml since this one began.
    folder = RunFolder(directory, found.study.model_copy(update={"seeds": order.seeds}))
    study = folder.study
    # The command that gave the order has run it.
    load_kept(study.entrants, folder.code, study.folder, trusted=True)
    dataset = load_dataset(study.protocol, study.folder)
    setting = Setting(folder, dataset, torch.device(order.device), order.precision)
    return setting, plan_trials(folder, dataset, network_sizes(folder.study, dataset))


def _shares(jobs: int, threads: int) -> list[set[int]]:
    """Return the cores that each job may use.

    Threads of one job wait for each other, so where there are several each job has cores of its
    own; a single one goes wherever there is room.
    """
    cores = sorted(os.sched_getaffinity(0)) if hasattr(os, "sched_getaffinity") else []
    if threads == 1 or jobs * threads > len(cores):
        return [set(cores)] * jobs
    return [set(cores[job * threads : (job + 1) * threads]) for job in range(jobs)]


def _train(
    setting: Setting,
    trials: Sequence[PlannedTrial],
    threads: int,
    share: set[int],
    parent: EventWriter,
    say: Say,
) -> NoReturn:
    """Train what nobody else does, and end this process."""
    from bakeoff.engine import claimed_process
    from bakeoff.runners.serial import train_free

    code = 0
    try:
        if share:
            os.sched_setaffinity(0, share)
        Thread(target=_end_with_parent, daemon=True).start()
        with never_lost(), claimed_process(threads, say):
            train_free(setting, trials, parent)
    except BakeoffError as error:
        parent.failed(str(error))
        code = error.exit_code
    except Interrupted as stop:
        code = stop.exit_code
    except BaseException:
        import traceback

        traceback.print_exc()
        code = 1
    end_at_once(code)


def _code_of_next(workers: list[int], parent: EventWriter) -> int:
    """Wait until another of the workers ends; return what it exits with."""
    ended, status = os.wait()
    workers.remove(ended)
    code = os.waitstatus_to_exitcode(status)
    if code < 0:
        parent.failed(f"a worker was ended by signal {-code}; the same command goes on")
    return abs(code)


def _end_with_parent() -> None:
    """Stop when the process that started this one is gone: then standard input is at its end."""
    # Not by way of sys.stdin, whose lock a thread must not hold when Python ends.
    os.read(0, 1)
    os.kill(os.getpid(), signal.SIGTERM)
