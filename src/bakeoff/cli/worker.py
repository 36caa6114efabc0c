"""A process that trains trials beside others: `python -m bakeoff.cli.worker DIR ...`."""

from __future__ import annotations

import os
import signal
import sys
from pathlib import Path
from threading import Thread

from bakeoff.errors import BakeoffError
from bakeoff.runners.interruption import Interrupted, end_at_once, stop_on_signals


def main(directory: str, seeds: str, device: str, precision: str, threads: str) -> int:
    """Train what is missing in `directory`; return the exit code. Lines go to standard output."""
    stop_on_signals()
    Thread(target=_end_with_parent, daemon=True).start()
    try:
        _work(Path(directory), int(seeds), device, precision, int(threads))
    except BakeoffError as error:
        print(f"bakeoff: {error}", file=sys.stderr)
        return error.exit_code
    except Interrupted as stop:
        end_at_once(stop.exit_code)
    return 0


def _work(directory: Path, seeds: int, device: str, precision: str, threads: int) -> None:
    import torch

    from bakeoff.cli.display import plain_display
    from bakeoff.data.catalogue import load_dataset
    from bakeoff.engine import flush_denormals
    from bakeoff.records.folder import RunFolder
    from bakeoff.runners.plan import plan_trials
    from bakeoff.runners.serial import run_serially

    torch.set_num_threads(threads)
    flush_denormals()
    found = RunFolder.open(directory)
    # Another command may have written other seeds into study.toml since this one began.
    folder = RunFolder(directory, found.study.model_copy(update={"seeds": seeds}))
    dataset = load_dataset(folder.study.protocol.dataset)
    trials = plan_trials(folder, dataset)
    display = plain_display()
    display.expect(trials)
    run_serially(
        folder,
        trials,
        dataset,
        device=torch.device(device),
        precision=precision,
        listener=display,
        contended=True,
    )


def _end_with_parent() -> None:
    """Stop when the process that started this one is gone: then standard input is at its end."""
    # Not by way of sys.stdin, whose lock a thread must not hold when Python ends.
    os.read(0, 1)
    os.kill(os.getpid(), signal.SIGTERM)


if __name__ == "__main__":
    sys.exit(main(*sys.argv[1:]))
