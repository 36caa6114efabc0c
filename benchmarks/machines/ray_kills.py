"""Kill workers of Ray and the driver at random, and compare what is left with an undisturbed run.

    python -m benchmarks.machines.ray_kills [--hidden] [--rounds 10] [--kills 3] [--seed 0]

Four workers on the cores that there are, each trial in one thread. In each round a run is begun on
a cluster that stands already; its driver, or the worker of a trial that is under way, is sent
SIGKILL again and again, and a driver that died is begun again by the same command. In the end every
trial has to be there once, and all of the run, but for times, as one process leaves it.

Workers see the run folder, which they have no use for. With `--hidden` they are in a mount of their
own where it does not exist: all that is shared is what Ray carries.
"""

from __future__ import annotations

import argparse
import os
import random
import secrets
import signal
import socket
import subprocess
import sys
import tempfile
import time
from collections.abc import Iterator, Sequence
from contextlib import contextmanager, suppress
from dataclasses import dataclass, field
from pathlib import Path

from bakeoff.files.locks import is_held
from bakeoff.records.folder import RunFolder
from bakeoff.records.working import read_working
from benchmarks.publish import Table, add_results_option, machine, publish
from benchmarks.torture.runs import broken_trials, fingerprint, remains, write_study

WORKERS = 4
RAY = Path(sys.executable).with_name("ray")
_MORE = 240.0
"""Seconds after which a round counts as stuck."""


@dataclass
class Killed:
    """What was done in all rounds, and what was missed."""

    workers: int = 0
    drivers: int = 0
    rounds: int = 0
    trials: int = 0
    faults: list[str] = field(default_factory=list)


@contextmanager
def cluster(hidden: Path | None) -> Iterator[str]:
    """Start a cluster on this machine, where the folder `hidden` is empty; yield its address."""
    with socket.socket() as free:
        free.bind(("127.0.0.1", 0))
        port = free.getsockname()[1]
    with tempfile.TemporaryDirectory(prefix="ray-") as own:
        start = [
            *(str(RAY), "start", "--head", "--block", "--node-ip-address=127.0.0.1"),
            *(f"--port={port}", f"--num-cpus={WORKERS}", "--include-dashboard=false"),
            *("--disable-usage-stats", f"--temp-dir={own}"),
        ]
        if hidden is not None:
            hide = 'mount -t tmpfs none "$0" && exec "$@"'
            start = ["unshare", "--mount", "sh", "-c", hide, str(hidden), *start]
        with Path(own, "said").open("w") as said:
            ray = subprocess.Popen(start, stdout=said, stderr=said, start_new_session=True)
        try:
            _wait_for(port)
            yield f"127.0.0.1:{port}"
        finally:
            ray.terminate()  # It ends what it started, after half a minute at most.
            ray.wait()


def _wait_for(port: int) -> None:
    for _ in range(600):
        with socket.socket() as tried:
            if tried.connect_ex(("127.0.0.1", port)) == 0:
                return
        time.sleep(0.1)
    raise TimeoutError(f"no Ray on port {port}")


def workers_of(folder: RunFolder) -> list[int]:
    """Return the processes that trials are trained in, as the notes of their locks say."""
    held = [
        folder.lock(entrant.name, seed)
        for entrant in folder.study.entrants
        for seed in folder.study.trial_seeds
        if is_held(folder.lock(entrant.name, seed))
    ]
    return [working.process for working in map(read_working, held) if working is not None]


def disturbed(
    command: Sequence[str], out: Path, kills: int, dice: random.Random
) -> tuple[int, int]:
    """Run a command to its end, with its workers and itself killed so often; return how often.

    Raises CalledProcessError where it fails by itself.
    """
    killed = {"worker": 0, "driver": 0}
    began = time.monotonic()
    with tempfile.TemporaryFile("w+") as said:
        driver = subprocess.Popen(command, stdout=said, stderr=said)
        while driver.poll() is None or driver.returncode == -signal.SIGKILL:
            if driver.returncode is not None:
                driver = subprocess.Popen(command, stdout=said, stderr=said)
            if time.monotonic() > began + _MORE:
                driver.kill()
                raise TimeoutError("not finished")
            time.sleep(dice.uniform(0, 0.5))
            there = workers_of(RunFolder.open(out)) if (out / "origin.json").exists() else []
            doomed = [process for process in there if process != driver.pid]
            if sum(killed.values()) == kills or not doomed:
                continue
            who = "driver" if dice.random() < 1 / (WORKERS + 1) else "worker"
            with suppress(ProcessLookupError):  # Its trial has just ended, and it with it.
                os.kill(driver.pid if who == "driver" else dice.choice(doomed), signal.SIGKILL)
                killed[who] += 1
            if who == "driver":
                driver.wait()
        if driver.returncode:
            said.seek(0)
            raise subprocess.CalledProcessError(driver.returncode, command, said.read())
    return killed["worker"], killed["driver"]


def rounds_of(
    study: Path, expected: str, rounds: int, kills: int, dice: random.Random, *, hidden: bool
) -> Killed:
    """Return what so many rounds on one cluster came to."""
    found, place = Killed(), study.parent / "runs"
    place.mkdir()
    with cluster(place if hidden else None) as address:
        for number in range(rounds):
            out = place / str(number)
            command = [
                *(sys.executable, "-m", "bakeoff", "run", str(study), "--out", str(out)),
                *("--on", f"ray:{address}", "--jobs", str(WORKERS), "--device", "cpu"),
            ]
            found.rounds += 1
            try:
                workers, drivers = disturbed(command, out, kills, dice)
            except (TimeoutError, subprocess.CalledProcessError) as error:
                found.faults.append(f"round {number}: {error} {getattr(error, 'output', '')}")
                continue
            found.workers, found.drivers = found.workers + workers, found.drivers + drivers
            found.trials += len(RunFolder.open(out).finished())
            found.faults += [f"round {number}: {line}" for line in misses(out, expected)]
            print(f"round {number}: {workers} workers, {drivers} drivers killed", flush=True)
    return found


def misses(out: Path, expected: str) -> Iterator[str]:
    """Yield what is wrong with a finished run."""
    if broken := broken_trials(out):
        yield from broken
        return
    if (out / "set-aside").exists():
        yield "a trial was trained twice"
    if fingerprint(out) != expected:
        yield "the result is another one than that of one process"
    yield from (f"left behind: {name}" for name in remains(out))


def main(arguments: Sequence[str] | None = None) -> None:
    """Kill, compare, print and keep the table."""
    parser = argparse.ArgumentParser(description=__doc__.partition("\n")[0])
    parser.add_argument("--rounds", type=int, default=10)
    parser.add_argument("--hidden", action="store_true", help="the folder from the workers")
    parser.add_argument("--kills", type=int, default=3, help="in each round")
    parser.add_argument("--seeds", type=int, default=4)
    parser.add_argument("--epochs", type=int, default=20)
    parser.add_argument("--seed", type=int, default=0, help="of the random instants")
    add_results_option(parser)
    options = parser.parse_args(arguments)

    dice = random.Random(options.seed)  # noqa: S311 - nothing here is secret
    # Nobody else may speak to the clusters, which are given this word, as drivers are. Workers give
    # way to all other programs, where Ray is not told otherwise, and rounds last as long as these.
    os.environ |= {
        "RAY_AUTH_MODE": "token",
        "RAY_AUTH_TOKEN": secrets.token_hex(32),
        "RAY_worker_niceness": "0",
    }
    with tempfile.TemporaryDirectory(prefix="kills-") as name:
        study = write_study(Path(name), seeds=options.seeds, epochs=options.epochs)
        alone = Path(name) / "alone"
        command = ["run", str(study), "--out", str(alone), "--jobs", "1", "--device", "cpu"]
        subprocess.run([sys.executable, "-m", "bakeoff", *command], check=True, capture_output=True)
        counts = options.rounds, options.kills
        found = rounds_of(study, fingerprint(alone), *counts, dice, hidden=options.hidden)
    print("\n".join(found.faults), file=sys.stderr)
    publish(
        "ray_kills-hidden" if options.hidden else "ray_kills",
        [
            Table(
                ("rounds", "workers killed", "drivers killed", "trials", "missed"),
                (
                    (
                        *(str(found.rounds), str(found.workers), str(found.drivers)),
                        *(str(found.trials), str(len(found.faults))),
                    ),
                ),
            )
        ],
        setting={
            "run folder": "hidden from the workers" if options.hidden else "seen by all",
            "workers": WORKERS,
            "kills in each round": options.kills,
            "trials in each round": 2 * options.seeds,
            "epochs": options.epochs,
            "seed": options.seed,
        },
        figures=vars(found),
        machine=machine(("torch", "numpy", "ray")),
        folder=options.results,
    )
    if found.faults:
        raise SystemExit(1)


if __name__ == "__main__":
    main()
