"""A process that trains trials beside others; `processes` starts it."""

from __future__ import annotations

import os
import signal
from pathlib import Path
from threading import Thread

from bakeoff.errors import BakeoffError
from bakeoff.runners.interruption import Interrupted, end_at_once, stop_on_signals


def main(directory: str, seeds: str, device: str, precision: str, threads: str) -> int:
    """Train what is missing in `directory`; return the exit code.

    Standard output carries events and nothing else: what libraries print goes to standard error.
    """
    stop_on_signals()
    Thread(target=_end_with_parent, daemon=True).start()
    try:
        return _work(Path(directory), int(seeds), device, precision, int(threads))
    except Interrupted as stop:
        end_at_once(stop.exit_code)


def _work(directory: Path, seeds: int, device: str, precision: str, threads: int) -> int:
    import torch

    from bakeoff.data.catalogue import load_dataset
    from bakeoff.engine import claimed_process
    from bakeoff.records.folder import RunFolder
    from bakeoff.runners.events import EventWriter
    from bakeoff.runners.plan import plan_trials
    from bakeoff.runners.serial import run_beside_others
    from bakeoff.runners.setting import Setting
    from bakeoff.training.size import network_sizes

    torch.set_num_threads(threads)
    parent = EventWriter(os.fdopen(os.dup(1), "w", encoding="utf-8"))
    os.dup2(2, 1)
    try:
        found = RunFolder.open(directory)
        # Another command may have written other seeds into study.toml since this one began.
        folder = RunFolder(directory, found.study.model_copy(update={"seeds": seeds}))
        dataset = load_dataset(folder.study.protocol.dataset)
        setting = Setting(folder, dataset, torch.device(device), precision)
        trials = plan_trials(folder, dataset, network_sizes(folder.study, dataset))
        with claimed_process(parent.stage):
            run_beside_others(setting, trials, parent)
    except BakeoffError as error:
        parent.failed(str(error))
        return error.exit_code
    return 0


def _end_with_parent() -> None:
    """Stop when the process that started this one is gone: then standard input is at its end."""
    # Not by way of sys.stdin, whose lock a thread must not hold when Python ends.
    os.read(0, 1)
    os.kill(os.getpid(), signal.SIGTERM)
