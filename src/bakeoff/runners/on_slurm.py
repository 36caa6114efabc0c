"""An array of workers in Slurm, by way of submitit; see https://slurm.schedmd.com/sbatch.html.

Each task of the array is `bakeoff worker` on the run folder, which all machines must see. Where a
task is preempted Slurm queues it anew; where its time is nearly up the worker is sent SIGUSR2, ends
with 140, and the script asks to be queued anew. Partition, account, time and what else a cluster
wants are Slurm's own SBATCH_PARTITION, SBATCH_ACCOUNT, SBATCH_TIMELIMIT, ...
"""

from __future__ import annotations

import shlex
import subprocess
import sys
import time
from collections.abc import Sequence
from pathlib import Path
from typing import Any

from bakeoff.errors import BakeoffError, StoreError, UsageError
from bakeoff.files.mounts import why_locks_are_alone
from bakeoff.runners.listener import Listener, PlannedTrial
from bakeoff.runners.setting import Setting

MOST_WORKERS = 1000
"""Of one array, which Slurm has no more of unless its MaxArraySize says so."""

_POLL = 5.0
"""Seconds after which trials, and then the queue, are looked at again."""

_AGAIN = (
    "ended=$?",
    "test $ended -ne 140 || scontrol requeue ${SLURM_ARRAY_JOB_ID}_${SLURM_ARRAY_TASK_ID}",
    "exit $ended",
)


def run_on_slurm(
    setting: Setting,
    trials: Sequence[PlannedTrial],
    listener: Listener,
    *,
    jobs: int | None,
    threads: int,
) -> None:
    """Submit a worker for each trial, at most `jobs`, and wait until all are finished; a Runner.

    Raises BakeoffError with one line where the folder's locks hold on this machine alone, where
    Slurm refuses, and where the workers are gone before all is done.
    """
    if not trials:
        return
    folder = setting.folder
    if why := why_locks_are_alone(folder.path):
        raise StoreError(f"{folder.path}: {why}; give an --out on another file system")
    workers = workers_for(len(trials), jobs)
    job = _submit(folder.path, workers, threads, setting.device.type)
    listener.stage(
        f"Slurm job {job}: workers: {workers}; they go on where this command is stopped, and the "
        "same command ends the run"
    )
    left = list(trials)
    while True:
        queued = _is_queued(job)  # Before looking: a worker ends after its last trial is there.
        finished = set(folder.finished())
        for planned in left:
            if planned.key in finished:
                listener.trial_elsewhere(planned)
        left = [planned for planned in left if planned.key not in finished]
        if not left:
            return
        if not queued:
            raise BakeoffError(
                f"Slurm job {job} is over, trials not finished: {len(left)}; what its workers said "
                f"is in {_said(folder.path)}"
            )
        time.sleep(_POLL)


def workers_for(trials: int, jobs: int | None) -> int:
    """Return how many workers are submitted for so many trials."""
    return min(trials, MOST_WORKERS if jobs is None else jobs, MOST_WORKERS)


def script_for(folder: Path, workers: int, threads: int, device: str) -> str:
    """Return what would be submitted."""
    executor, command = (
        _executor(folder, workers, threads, device),
        _command(folder, threads, device),
    )
    # Its public way would submit pickles; the workers need none.
    text: str = executor._make_submission_file_text(command, "")  # noqa: SLF001
    return text


def _submit(folder: Path, workers: int, threads: int, device: str) -> str:
    """Submit the workers; return the number of the job."""
    executor = _executor(folder, workers, threads, device)
    _said(folder).mkdir(parents=True, exist_ok=True)
    try:
        job = executor._submit_command(_command(folder, threads, device))  # noqa: SLF001
    except Exception as error:
        # submitit wraps what sbatch said, which is the last line.
        line = str(error).strip().splitlines()[-1] if str(error).strip() else type(error).__name__
        raise BakeoffError(f"Slurm took no job: {line}") from error
    return str(job.job_id)


def _is_queued(job: str) -> bool:
    """Return whether any worker of the job runs, or waits to."""
    try:
        found = subprocess.run(
            ["squeue", "--noheader", "--jobs", job], capture_output=True, text=True, check=False
        )
    except OSError as error:
        raise BakeoffError(f"squeue: {error.strerror}; Slurm job {job} was submitted") from error
    return bool(found.stdout.strip())


def _said(folder: Path) -> Path:
    """Return where Slurm puts what workers say, and submitit what it submits."""
    return folder.absolute() / "slurm"


def _executor(folder: Path, workers: int, threads: int, device: str) -> Any:
    try:
        from submitit import SlurmExecutor
    except ImportError as error:
        raise UsageError(
            "--on slurm: submitit is not installed; pip install 'bakeoff[slurm]'"
        ) from error

    class Executor(SlurmExecutor):
        """One that can say what it would submit where there is no Slurm."""

        @classmethod
        def affinity(cls) -> int:
            return 1

    executor = Executor(_said(folder))
    executor.update_parameters(
        job_name="bakeoff",
        time=None,  # The partition's, where nothing else is said.
        wckey=None,
        cpus_per_task=threads,
        gpus_per_node=None if device == "cpu" else 1,
        array_parallelism=MOST_WORKERS,
        additional_parameters={"requeue": True},
        teardown=[*_AGAIN],
    )
    executor.parameters["map_count"] = workers
    return executor


def _command(folder: Path, threads: int, device: str) -> str:
    """Return the command of one worker, for a shell."""
    words = [sys.executable, "-m", "bakeoff", "worker", str(folder.absolute())]
    # Whoever submits has run the code of the networks, or it would not be in the folder.
    more = ["--device", device, "--jobs", "1", "--threads", str(threads), "--trust-code"]
    return shlex.join([*words, *more])
