"""The process that `crew` starts: it imports, waits for an order, and forks what trains."""

from __future__ import annotations

import os
import signal
from collections.abc import Sequence
from contextlib import suppress
from functools import partial
from importlib import import_module
from pathlib import Path
from threading import Thread
from typing import NoReturn

from bakeoff.engine.native.build import Say, nobody
from bakeoff.errors import BakeoffError
from bakeoff.runners.crew import Order
from bakeoff.runners.events import EventWriter
from bakeoff.runners.interruption import Interrupted, end_at_once, never_lost, stop_on_signals
from bakeoff.runners.listener import PlannedTrial
from bakeoff.runners.setting import Setting


def main(dataset: str) -> NoReturn:
    """Train what an order on standard input asks for, and end this process.

    dataset: what it will be about, so that one that ships is read before the order comes.
    Standard output carries events and nothing else: what libraries print goes to standard error.
    """
    stop_on_signals()
    parent = EventWriter(os.dup(1))
    os.dup2(2, 1)
    try:
        with never_lost():
            end_at_once(_work(parent, dataset))
    except Interrupted as stop:
        end_at_once(stop.exit_code)


def _work(parent: EventWriter, dataset: str) -> int:
    import torch

    torch.set_num_threads(1)  # A child may start threads only where its parent had none.
    # What trials import as they go: once for all of them, and before there is one to wait for it.
    for name in ("bakeoff.runners.serial", "scipy.special"):
        import_module(name)
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
    shares, workers = _shares(order.jobs, order.threads), list[int]()
    for share in shares:
        say = nobody if workers else parent.stage  # What there is to say of threads, one says.
        worker = os.fork()
        if worker == 0:
            _train(setting, trials, order.threads, share, parent, say)
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
    from bakeoff.training.clocks import of_children
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
    device = torch.device(order.device)
    setting = Setting(folder, dataset, device, order.precision, partial(of_children, os.getpid()))
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
