"""Workers: the trials of a study in several processes, and what becomes of these."""

from __future__ import annotations

import json
import os
import signal
import subprocess
import sys
from collections.abc import Sequence
from contextlib import ExitStack
from pathlib import Path
from statistics import fmean, median

import pytest
import torch

from bakeoff.commands.run import run_study
from bakeoff.data.dataset import Dataset
from bakeoff.errors import BakeoffError
from bakeoff.files import locks
from bakeoff.records.folder import RunFolder
from bakeoff.records.record import Epoch
from bakeoff.runners import processes
from bakeoff.runners.crew import Order, started_crew
from bakeoff.runners.events import Event, event_in
from bakeoff.runners.listener import Listener, PlannedTrial
from bakeoff.runners.processes import run_in_workers
from bakeoff.runners.setting import Setting

from ..factories import entrant, plan, planned, study, whole
from .heard import Heard

ASKED = study(entrant("a", epochs=2), entrant("b", epochs=1), seeds=2)


def setting_of(folder: RunFolder, digits: Dataset) -> Setting:
    return Setting(folder, digits, torch.device("cpu"), "float32")


def train(
    folder: RunFolder,
    digits: Dataset,
    listener: Listener,
    jobs: int,
    trials: Sequence[PlannedTrial] | None = None,
) -> None:
    planned = plan(folder, digits) if trials is None else trials
    run_in_workers(setting_of(folder, digits), planned, listener, crew=None, jobs=jobs, threads=1)


def weights(folder: RunFolder) -> list[bytes]:
    return [
        (folder.trial(each.entrant, each.seed).path / "model.safetensors").read_bytes()
        for each in folder.read_records()
    ]


def test_jobs_share_the_trials_and_leave_what_one_process_leaves(tmp_path: Path) -> None:
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
    assert all(each.provenance.threads == 1 for each in records)
    # The seconds of all of them are those of the timing pass, whatever ran beside them.
    timing = shared.folder.read_timing()
    for row in shared.conclusion.standings:
        per_epoch = 1000 * median(timing.seconds_per_example[row.entrant])
        assert row.epoch_seconds == per_epoch
        assert row.training_seconds == pytest.approx(
            per_epoch * ASKED.entrant(row.entrant).recipe.epochs
        )
        mine = [each.training_seconds for each in records if each.entrant == row.entrant]
        assert row.wall_seconds == pytest.approx(fmean(mine))


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
    # Finished before the worker plans.
    folder.write_trial(*whole(ASKED, "a", 1))
    with ExitStack() as theirs:
        theirs.enter_context(locks.held(folder.lock("b", 1)))

        class Late(Heard):
            """Another command finishes a trial when this one has begun."""

            def trial_started(self, trial: PlannedTrial) -> None:
                super().trial_started(trial)
                if trial.key == ("b", 0):
                    folder.write_trial(*whole(ASKED, "b", 1))
                    theirs.close()

        heard = Late()
        train(folder, digits, heard, 1, trials)
    for name in "ab":
        mine = [line for line in heard.lines if line.startswith(f"{name} 1")]
        assert mine == [f"{name} 1 elsewhere"]


def test_what_is_finished_is_told_once_whoever_tells_it(digits: Dataset, tmp_path: Path) -> None:
    trials = {(name, 0): planned(ASKED.entrant(name), 0) for name in "ab"}
    heard = Heard()
    relay = processes._Relay(
        setting_of(RunFolder.create(tmp_path / "run", ASKED), digits), trials, heard
    )
    for event, name in (
        ("trial_started", "a"), ("trial_elsewhere", "a"), ("trial_elsewhere", "b"),
        ("trial_elsewhere", "b"), ("trial_elsewhere", "c"),
    ):  # fmt: skip
        relay.pass_on(json.dumps({"event": event, "trial": [name, 0]}))
    assert heard.lines == ["a 0 started", "b 0 elsewhere"]


def test_lines_that_are_no_events_are_shown_as_they_are_and_the_last_explains_a_failure(
    digits: Dataset, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    folder, heard = RunFolder.create(tmp_path / "run", ASKED), Heard()
    program = (
        "import sys\n"
        "sys.stdin.readline()\n"
        "sys.stdout.buffer.write(b'caf\\xe9\\n')\n"
        "sys.stdout.flush()\n"
        'print(\'{"event":"stage","detail":"told"}\', flush=True)\n'
        "raise RuntimeError('no such thing')\n"
    )
    monkeypatch.setattr("bakeoff.runners.crew._PROGRAM", program)
    with pytest.raises(BakeoffError) as caught:
        train(folder, digits, heard, jobs=1)
    assert str(caught.value) == "RuntimeError: no such thing"
    assert {"caf\ufffd", "told", "RuntimeError: no such thing"} <= set(heard.lines)


SCRIPT = """
import sys
from threading import Event, Thread
from bakeoff.commands import run
from bakeoff.runners import processes
from bakeoff.study.study import Study

run.started_crew = processes.started_crew = None
if sys.argv[3:] == ["silent"]:
    sys.stdout = None
elif sys.argv[3:]:
    Thread(target=Event().wait, daemon=True).start()
run.run_study(Study.model_validate_json(sys.argv[1]), sys.argv[2], jobs=2)
"""


@pytest.mark.skipif(sys.platform != "linux", reason="only Linux forks a whole process safely")
def test_they_are_forked_from_a_process_of_one_thread_and_from_no_other(tmp_path: Path) -> None:
    def ended(name: str, *more: str) -> str:
        done = subprocess.run(
            [sys.executable, "-c", SCRIPT, ASKED.model_dump_json(), str(tmp_path / name), *more],
            env=os.environ | {"OPENBLAS_NUM_THREADS": "1"},
            capture_output=True, text=True, check=False,
        )  # fmt: skip
        return (done.stderr.splitlines() or [""])[-1]

    assert ended("forked") == ended("without a standard output", "silent") == ""
    assert ended("started", "with a thread") == "TypeError: 'NoneType' object is not callable"
    alone = run_study(ASKED, tmp_path / "alone")
    assert weights(RunFolder.open(tmp_path / "forked")) == weights(alone.folder)


def test_a_crew_that_was_just_forked_ends_when_it_is_told() -> None:
    code = (
        "import signal\n"
        "from bakeoff.runners.crew import forked_crew\n"
        "from bakeoff.runners.worker import _end_by\n"
        "def lead(events):\n"
        "    _end_by(signal.pause)\n"
        "for _ in range(20):\n"
        "    with forked_crew(lead) as crew:\n"
        "        crew.signal(signal.SIGTERM)\n"
        "        print(crew.wait(60), crew.printed.read())\n"
    )
    done = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=False)
    assert done.stdout.split() == ["143"] * 20, done.stderr
    assert done.stderr == ""


def test_a_crew_without_an_order_is_gone_at_once() -> None:
    with started_crew("digits") as crew:
        assert crew.wait(0) is None
    assert crew.wait(0) == -signal.SIGKILL


def test_workers_end_with_their_parent(tmp_path: Path) -> None:
    long = study(entrant("a", epochs=10**4), entrant("b", epochs=10**4))
    folder = RunFolder.create(tmp_path / "run", long)
    order = Order(
        directory=str(folder.path), seeds=1, device="cpu", precision="float32", jobs=2, threads=1
    )
    with started_crew("digits") as crew:
        crew.begin(order)
        begun = {event_in(crew.told.readline()) for _ in range(2)}
        assert begun >= {Event(event="trial_started", trial=("a", 0))}
        # What the system does to the pipe when the parent is gone.
        os.dup2(os.open(os.devnull, os.O_WRONLY), crew.orders)
        crew.told.read()
        assert crew.wait(None) == 128 + signal.SIGTERM
    for name in "ab":
        with locks.held_if_free(folder.lock(name, 0)) as free:
            assert free


def children(process: int) -> list[int]:
    return [
        int(each) for each in Path(f"/proc/{process}/task/{process}/children").read_text().split()
    ]


def test_a_killed_worker_is_told_of(digits: Dataset, tmp_path: Path) -> None:
    folder = RunFolder.create(tmp_path / "run", study(entrant("a", epochs=10**4)))
    earlier = {*children(os.getpid())}  # Other tests of this process may have left some.

    class Killer(Heard):
        def trial_started(self, trial: PlannedTrial) -> None:
            (crew,) = {*children(os.getpid())} - earlier
            for worker in children(crew):
                os.kill(worker, signal.SIGKILL)

    with pytest.raises(BakeoffError) as caught:
        train(folder, digits, Killer(), jobs=1)
    assert str(caught.value) == "a worker was ended by signal 9; the same command goes on"


def test_an_interruption_ends_the_workers(digits: Dataset, tmp_path: Path) -> None:
    folder = RunFolder.create(tmp_path / "run", study(entrant("a", epochs=10**4)))

    class Impatient(Heard):
        def epoch_ended(self, trial: PlannedTrial, epoch: Epoch) -> None:
            if list(folder.unfinished("a", 0).path.glob("epoch-*")):
                raise KeyboardInterrupt

    with pytest.raises(KeyboardInterrupt):
        train(folder, digits, Impatient(), jobs=1)
    # The lock is free again, so its holder is gone.
    assert list(folder.unfinished("a", 0).path.glob("epoch-*"))
