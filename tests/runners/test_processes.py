"""Workers: the trials of a study in several processes, and what becomes of these."""

from __future__ import annotations

import os
import signal
import subprocess
import sys
from pathlib import Path

import pytest
import torch

from bakeoff.commands.run import run_study
from bakeoff.data.dataset import Dataset
from bakeoff.errors import BakeoffError, UsageError
from bakeoff.records.folder import RunFolder
from bakeoff.runners.plan import plan_trials
from bakeoff.runners.processes import run_in_workers, usable_cores

from ..factories import entrant, study
from .heard import Heard

ASKED = study(entrant("a", epochs=2), entrant("b", epochs=1), seeds=2)


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
    ended = [line for line in heard.lines if "budget used" in line]
    assert len(ended) == 4
    assert sum(line.endswith("elsewhere") for line in heard.lines) == 4
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
        run_in_workers(
            folder,
            plan_trials(folder, digits),
            1,
            device=torch.device("cpu"),
            precision="float32",
            listener=Heard(),
        )
        trained = sorted(path.name for path in (folder.path / "trials" / "a").iterdir())
        assert trained == ["0", "1"]


def test_a_workers_error_is_the_runs_error(digits: Dataset, tmp_path: Path) -> None:
    folder = RunFolder.create(tmp_path / "run", ASKED)
    (folder.path / "trials").write_text("in the way")
    heard = Heard()
    with pytest.raises(BakeoffError, match=r"/trials/.*: cannot write: ") as caught:
        run_in_workers(
            folder,
            plan_trials(folder, digits),
            2,
            device=torch.device("cpu"),
            precision="float32",
            listener=heard,
        )
    assert "\n" not in str(caught.value)
    assert not any("bakeoff: " in line for line in heard.lines)


def test_a_worker_ends_with_its_parent(tmp_path: Path) -> None:
    folder = RunFolder.create(tmp_path / "run", study(entrant("a", epochs=10**4)))
    command = [sys.executable, "-m", "bakeoff.cli.worker", str(folder.path)]
    with subprocess.Popen(
        [*command, "1", "cpu", "float32", "1"],
        stdin=subprocess.PIPE,
        stdout=subprocess.PIPE,
        text=True,
    ) as worker:
        assert worker.stdin is not None
        assert worker.stdout is not None
        assert "epoch" in worker.stdout.readline()
        # What the system does to the pipe when the parent is gone.
        worker.stdin.close()
        worker.stdout.read()
        assert worker.wait() == 128 + signal.SIGTERM


def test_a_killed_worker_is_told_of(digits: Dataset, tmp_path: Path) -> None:
    folder = RunFolder.create(tmp_path / "run", study(entrant("a", epochs=10**4)))

    class Killer(Heard):
        def stage(self, text: str) -> None:
            if not self.lines:
                children = Path(f"/proc/self/task/{os.getpid()}/children").read_text().split()
                os.kill(int(children[-1]), signal.SIGKILL)
            self.lines.append(text)

    with pytest.raises(BakeoffError) as caught:
        run_in_workers(
            folder,
            plan_trials(folder, digits),
            1,
            device=torch.device("cpu"),
            precision="float32",
            listener=Killer(),
        )
    assert str(caught.value) == "a worker was ended by signal 9; the same command goes on"


def test_an_interruption_ends_the_workers(digits: Dataset, tmp_path: Path) -> None:
    folder = RunFolder.create(tmp_path / "run", study(entrant("a", epochs=10**4)))

    class Impatient(Heard):
        def stage(self, text: str) -> None:
            raise KeyboardInterrupt

    with pytest.raises(KeyboardInterrupt):
        run_in_workers(
            folder,
            plan_trials(folder, digits),
            1,
            device=torch.device("cpu"),
            precision="float32",
            listener=Impatient(),
        )
    # The lock is free again, so its holder is gone.
    assert list(folder.unfinished("a", 0).glob("epoch-*"))


def test_jobs_are_counted_from_one(tmp_path: Path) -> None:
    with pytest.raises(UsageError, match=r"^--jobs 0: give a number from 1 up$"):
        run_study(ASKED, tmp_path / "run", jobs=0)
    assert usable_cores() >= 1
