"""Workers: the trials of a study in several processes, and what becomes of these."""

from __future__ import annotations

import json
import os
import signal
import subprocess
import sys
from pathlib import Path
from typing import Any

import pytest
import torch

from bakeoff.commands.run import run_study
from bakeoff.data.dataset import Dataset
from bakeoff.errors import BakeoffError, UsageError
from bakeoff.records.folder import RunFolder
from bakeoff.records.record import Epoch
from bakeoff.runners import processes
from bakeoff.runners.events import Event, event_in
from bakeoff.runners.listener import Listener, PlannedTrial
from bakeoff.runners.processes import run_in_workers, usable_cores
from bakeoff.runners.setting import Setting

from ..factories import entrant, plan, planned, record, study
from .heard import Heard

ASKED = study(entrant("a", epochs=2), entrant("b", epochs=1), seeds=2)
NOBODY: Any = None
"""A worker that only what is no event is kept of."""


def train(folder: RunFolder, digits: Dataset, listener: Listener, jobs: int) -> None:
    setting = Setting(folder, digits, torch.device("cpu"), "float32")
    run_in_workers(setting, plan(folder, digits), listener, jobs=jobs)


def weights(folder: RunFolder) -> list[bytes]:
    return [
        (folder.trial(each.entrant, each.seed) / "model.safetensors").read_bytes()
        for each in folder.read_records()
    ]


def test_jobs_share_the_trials_and_leave_what_one_process_leaves(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    # One core for two jobs: one thread each, as in this process.
    monkeypatch.setattr("bakeoff.runners.processes.usable_cores", lambda: 1)
    heard = Heard()
    shared = run_study(ASKED, tmp_path / "shared", jobs=2, listener=heard)
    alone = run_study(ASKED, tmp_path / "alone")
    assert weights(shared.folder) == weights(alone.folder)
    assert shared.trained == 4
    assert sorted(line for line in heard.lines if line[:2] in {"a ", "b "}) == sorted(
        f"{name} {seed} {what}"
        for name, epochs in (("a", ["epoch 1", "epoch 2"]), ("b", ["epoch 1"]))
        for seed in (0, 1)
        for what in ("started", *epochs, "ended")
    )
    records = shared.folder.read_records()
    assert all(each.contended and each.provenance.threads == 1 for each in records)
    # Times of trials beside others are no figures of this study.
    assert [row.training_seconds for row in shared.conclusion.standings] == [None, None]
    assert [row.milliseconds_per_image_batch_1 for row in shared.conclusion.standings] == [
        None,
        None,
    ]
    note = "4 of 4 trials ran beside others; their seconds are left out of all that is said of time"
    assert shared.conclusion.comparison.time_note == note
    assert f"{note}." in shared.conclusion.report.read_text()
    assert alone.conclusion.comparison.time_note is None
    assert "ran beside others" not in alone.conclusion.report.read_text()


def test_workers_train_the_seeds_of_their_own_command(digits: Dataset, tmp_path: Path) -> None:
    folder = RunFolder.create(tmp_path / "run", ASKED)
    for seeds in (1, 3):
        # What another command does that asks for other seeds in the same folder.
        RunFolder.create(tmp_path / "run", ASKED.model_copy(update={"seeds": seeds}))
        train(folder, digits, Heard(), jobs=1)
        trained = sorted(path.name for path in (folder.path / "trials" / "a").iterdir())
        assert trained == ["0", "1"]


def test_a_workers_error_is_the_runs_error(digits: Dataset, tmp_path: Path) -> None:
    folder = RunFolder.create(tmp_path / "run", ASKED)
    (folder.path / "trials").write_text("in the way")
    heard = Heard()
    with pytest.raises(BakeoffError, match=r"/trials/.*: cannot write: ") as caught:
        train(folder, digits, heard, jobs=2)
    assert "\n" not in str(caught.value)
    # It is said once: as the error.
    assert not any("cannot write" in line for line in heard.lines)


def test_a_trial_of_another_command_is_told_once(digits: Dataset, tmp_path: Path) -> None:
    folder = RunFolder.create(tmp_path / "run", ASKED)
    trials = plan(folder, digits)
    folder.write_trial(record(ASKED, "a", 1), {}, {})

    class Late(Heard):
        """Another command finishes a trial when this one has begun."""

        def trial_started(self, trial: PlannedTrial) -> None:
            super().trial_started(trial)
            if trial.key == ("b", 0):
                folder.write_trial(record(ASKED, "b", 1), {}, {})

    heard = Late()
    setting = Setting(folder, digits, torch.device("cpu"), "float32")
    run_in_workers(setting, trials, heard, jobs=1)
    # Finished before the worker planned: nobody tells of it.
    assert not any(line.startswith("a 1") for line in heard.lines)
    assert [line for line in heard.lines if line.startswith("b 1")] == ["b 1 elsewhere"]


def test_what_is_finished_is_told_once_whoever_tells_it() -> None:
    trials = {(name, 0): planned(ASKED.entrant(name), 0) for name in "ab"}
    heard = Heard()
    relay = processes._Relay(trials, heard)
    for event, name in (
        ("trial_started", "a"), ("trial_elsewhere", "a"), ("trial_elsewhere", "b"),
        ("trial_elsewhere", "b"), ("trial_elsewhere", "c"),
    ):  # fmt: skip
        line = json.dumps({"event": event, "trial": [name, 0]})
        relay.pass_on(NOBODY, line)
    assert heard.lines == ["a 0 started", "b 0 elsewhere"]


def test_lines_that_are_no_events_are_shown_as_they_are_and_the_last_explains_a_failure(
    digits: Dataset, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    folder, heard = RunFolder.create(tmp_path / "run", ASKED), Heard()
    program = (
        "import sys\n"
        "sys.stdout.buffer.write(b'caf\\xe9\\n')\n"
        "sys.stdout.flush()\n"
        'print(\'{"event":"stage","detail":"told"}\', flush=True)\n'
        "raise RuntimeError('no such thing')\n"
    )
    monkeypatch.setattr(processes, "_command", lambda *_: [sys.executable, "-c", program])
    with pytest.raises(BakeoffError) as caught:
        train(folder, digits, heard, jobs=1)
    assert str(caught.value) == "RuntimeError: no such thing"
    assert {"caf\ufffd", "told", "RuntimeError: no such thing"} <= set(heard.lines)


def test_a_worker_ends_with_its_parent(digits: Dataset, tmp_path: Path) -> None:
    folder = RunFolder.create(tmp_path / "run", study(entrant("a", epochs=10**4)))
    setting = Setting(folder, digits, torch.device("cpu"), "float32")
    with subprocess.Popen(
        processes._command(setting, threads=1),
        stdin=subprocess.PIPE,
        stdout=subprocess.PIPE,
        text=True,
    ) as worker:
        assert worker.stdin is not None
        assert worker.stdout is not None
        assert event_in(worker.stdout.readline()) == Event(event="trial_started", trial=("a", 0))
        # What the system does to the pipe when the parent is gone.
        worker.stdin.close()
        worker.stdout.read()
        assert worker.wait() == 128 + signal.SIGTERM


def test_a_killed_worker_is_told_of(digits: Dataset, tmp_path: Path) -> None:
    folder = RunFolder.create(tmp_path / "run", study(entrant("a", epochs=10**4)))

    class Killer(Heard):
        def trial_started(self, trial: PlannedTrial) -> None:
            children = Path(f"/proc/self/task/{os.getpid()}/children").read_text().split()
            os.kill(int(children[-1]), signal.SIGKILL)

    with pytest.raises(BakeoffError) as caught:
        train(folder, digits, Killer(), jobs=1)
    assert str(caught.value) == "a worker was ended by signal 9; the same command goes on"


def test_an_interruption_ends_the_workers(digits: Dataset, tmp_path: Path) -> None:
    folder = RunFolder.create(tmp_path / "run", study(entrant("a", epochs=10**4)))

    class Impatient(Heard):
        def epoch_ended(self, trial: PlannedTrial, epoch: Epoch) -> None:
            raise KeyboardInterrupt

    with pytest.raises(KeyboardInterrupt):
        train(folder, digits, Impatient(), jobs=1)
    # The lock is free again, so its holder is gone.
    assert list(folder.unfinished("a", 0).glob("epoch-*"))


def test_jobs_are_counted_from_one(tmp_path: Path) -> None:
    with pytest.raises(UsageError, match=r"^--jobs 0: give a number from 1 up$"):
        run_study(ASKED, tmp_path / "run", jobs=0)
    assert usable_cores() >= 1
