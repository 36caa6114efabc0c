"""A process that has everything imported and forks a run of `bakeoff` on each request.

Importing takes seconds and a run of a tiny study a fraction of one; there are thousands of runs.
The server reads one JSON object per line. {"run": arguments, "log": file, "folder": run folder,
"at": n, "error": errno or null, "trouble": [entrant, step, kind] or null} is answered by
{"pid": ...} as soon as the run listens to signals; {"wait": pid} by {"code": ...}, negative for a
signal; {"figures": folder of a finished run} by {} once its figures stand in for those of later
runs, but for runs with trouble, which draw their own.
"""

from __future__ import annotations

import json
import os
import signal
import sys
import traceback
from pathlib import Path
from typing import Any

import torch

import bakeoff.cli.display
import bakeoff.commands.run  # what the command line imports on demand
import bakeoff.study.toml  # noqa: F401
from bakeoff.cli.main import run
from bakeoff.data.readers.digits import load_digits
from bakeoff.runners.interruption import how_to_go_on, stop_on_signals
from bakeoff.training import provenance
from bakeoff.training.provenance import checkout_commit

from . import faults, trouble
from .shortcuts import Figures, figures_of, install_frequent_checkpoints, install_short_timing

CRASHED = 70
COUNT = "operations.json"


def main() -> None:
    """Answer requests until standard input ends."""
    torch.set_num_threads(1)
    # A shell lets what it starts in the background ignore Ctrl-C, and a run respects that.
    signal.signal(signal.SIGINT, signal.default_int_handler)
    # Asked once, for all runs: a commit meanwhile is not what makes two results differ.
    checkout_commit(Path(provenance.__file__).resolve().parent.parent)
    load_digits()
    install_short_timing()
    install_frequent_checkpoints()
    figures: Figures | None = None
    for line in sys.stdin:
        request = json.loads(line)
        answer = {}
        if "wait" in request:
            _, status = os.waitpid(request["wait"], 0)
            answer = {"code": os.waitstatus_to_exitcode(status)}
        elif "figures" in request:
            figures = figures_of(Path(request["figures"]))
        else:
            answer = {"pid": _fork(request, figures)}
        print(json.dumps(answer), flush=True)


def _fork(request: dict[str, Any], figures: Figures | None) -> int:
    ready, tell = os.pipe()
    pid = os.fork()
    if pid == 0:
        code = CRASHED
        try:
            log = os.open(request["log"], os.O_WRONLY | os.O_CREAT | os.O_TRUNC, 0o644)
            for stream in (1, 2):
                os.dup2(log, stream)
            injected = _prepared(request, figures)
            # Last: a signal before it is not one that `bakeoff` itself could meet.
            stop_on_signals(how_to_go_on(request["run"]))
            os.close(tell)
            code = _run(request, injected)
        except BaseException:
            traceback.print_exc()
        finally:
            sys.stdout.flush()
            os._exit(code)
    os.close(tell)
    os.read(ready, 1)
    os.close(ready)
    return pid


def _prepared(request: dict[str, Any], figures: Figures | None) -> faults.Faults:
    injected = faults.Faults(Path(request["folder"]), request["at"], request["error"])
    injected.install()
    if request["trouble"]:
        trouble.install(*request["trouble"])
    elif figures is not None:
        figures.install()
    return injected


def _run(request: dict[str, Any], injected: faults.Faults) -> int:
    code = run(request["run"])
    # A signal may come in the midst of this: what is there is whole.
    count = f"{request['log']}.{COUNT}"
    with faults.REAL_OPEN(f"{count}.unfinished", "w") as stream:
        json.dump(injected.seen, stream)
    Path(f"{count}.unfinished").rename(count)
    return code


if __name__ == "__main__":
    main()
