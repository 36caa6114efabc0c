from __future__ import annotations

import os
import subprocess
import sys
from pathlib import Path

import pytest

from bakeoff.commands.run import run_study
from bakeoff.files import locks
from bakeoff.records.folder import RunFolder
from bakeoff.records.working import Working, write_working
from benchmarks.machines.ray_kills import disturbed, misses, workers_of
from benchmarks.torture.runs import fingerprint

from ...factories import entrant, study

ASKED = study(entrant("a", epochs=1), seeds=2)

DRIVER = """
import subprocess, sys
from pathlib import Path
from bakeoff.files import locks
from bakeoff.records.folder import RunFolder
from bakeoff.records.working import Working, write_working
folder = RunFolder.open(Path(sys.argv[1]))
(folder.path / "begun").open("a").write("driver\\n")
lock = folder.lock("a", 0)
with locks.held(lock), subprocess.Popen(["sleep", sys.argv[2]]) as worker:
    write_working(lock, Working.here().model_copy(update={"process": worker.pid}))
    worker.wait()
"""
"""Holds the lock of a trial, whose worker is another process, until that one is gone."""


class Dice:
    """Always picks the first, and the driver where `driver` says so."""

    def __init__(self, *, driver: bool) -> None:
        self.random = lambda: 0.0 if driver else 0.9
        self.uniform = lambda _low, _high: 0.05
        self.choice = lambda several: several[0]


@pytest.mark.parametrize(("driver", "killed", "begun"), [(False, (1, 0), 1), (True, (0, 1), 2)])
def test_a_worker_or_a_driver_is_killed_and_the_driver_begun_again(
    driver: bool, killed: tuple[int, int], begun: int, tmp_path: Path
) -> None:
    folder = RunFolder.create(tmp_path / "run", ASKED)
    (folder.path / "origin.json").touch()
    command = [sys.executable, "-c", DRIVER, str(folder.path), "3"]
    assert disturbed(command, folder.path, 1, Dice(driver=driver)) == killed  # type: ignore[arg-type]
    assert (folder.path / "begun").read_text() == "driver\n" * begun


def test_a_driver_that_fails_by_itself_is_an_error(tmp_path: Path) -> None:
    command = [sys.executable, "-c", "raise SystemExit('no such study')"]
    with pytest.raises(subprocess.CalledProcessError) as caught:
        disturbed(command, tmp_path, 1, Dice(driver=False))  # type: ignore[arg-type]
    assert "no such study" in str(caught.value.output)


def test_workers_are_those_whose_locks_are_held(tmp_path: Path) -> None:
    folder = RunFolder.create(tmp_path / "run", ASKED)
    for seed in (0, 1):
        with locks.held(folder.lock("a", seed)):
            write_working(folder.lock("a", seed), Working.here())
    with locks.held(folder.lock("a", 1)):
        assert workers_of(folder) == [os.getpid()]
    assert workers_of(folder) == []


def test_what_is_missed_is_told(tmp_path: Path) -> None:
    folder = run_study(ASKED, tmp_path / "run").folder
    expected = fingerprint(folder.path)
    assert list(misses(folder.path, expected)) == []
    (folder.path / "set-aside").mkdir()
    assert list(misses(folder.path, "another"))[:2] == [
        "a trial was trained twice", "the result is another one than that of one process",
    ]  # fmt: skip
    (folder.trial("a", 1).path / "predictions.npz").write_bytes(b"")
    assert next(misses(folder.path, expected)).startswith(f"{folder.trial('a', 1).path}: ")
