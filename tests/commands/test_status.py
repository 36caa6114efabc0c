"""How far a run is: what is told of trials that are finished, running and failed."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from contextlib import ExitStack
from datetime import UTC, datetime, timedelta
from pathlib import Path

import pytest

from bakeoff.commands import status
from bakeoff.commands.status import Running, status_of
from bakeoff.files import locks
from bakeoff.records.folder import RunFolder
from bakeoff.records.working import Working, write_working

from ..factories import WEIGHTS, diverged, entrant, study, whole

ASKED = study(entrant("a", epochs=2), entrant("b", epochs=8), seeds=2)
BEGAN = datetime(2026, 1, 2, 3, 4, 5, tzinfo=UTC)


@pytest.fixture
def folder(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> RunFolder:
    """Return a folder without trials, at which one looks 60 s after BEGAN."""

    class Clock(datetime):
        @classmethod
        def now(cls, _: object = None) -> Clock:
            return cls(2026, 1, 2, 3, 5, 5, tzinfo=UTC)

    monkeypatch.setattr(status, "datetime", Clock)
    return RunFolder.create(tmp_path / "run", ASKED)


Begin = Callable[..., None]


@pytest.fixture
def begin(folder: RunFolder) -> Iterator[Begin]:
    """Begins a trial as another process would."""
    with ExitStack() as held:

        def begun(entrant: str, seed: int, **told: int) -> None:
            lock = folder.lock(entrant, seed)
            held.enter_context(locks.held(lock))
            if told:
                write_working(lock, Working(machine="node7", process=12, since=BEGAN, **told))

        yield begun


def test_a_run_that_nobody_is_at_says_so(folder: RunFolder) -> None:
    folder.write_trial(*whole(ASKED, "a"))
    found = status_of(folder.path)
    assert found.to_dict() == {
        "folder": str(folder.path), "planned": 4, "finished": 1, "running": [], "failed": (),
        "machines": {"not told": 1}, "seconds_left": None,
    }  # fmt: skip
    assert found.to_text() == f"{folder.path}: 1 of 4 trials finished, 0 running, 3 to begin"


def test_a_running_trial_is_told_with_its_machine_its_epoch_and_a_forecast(
    folder: RunFolder, begin: Begin
) -> None:
    begin("b", 0, first=1, epoch=4)  # 3 epochs in 60 s: 4 more take 80.
    local = BEGAN.astimezone().strftime("%Y-%m-%d %H:%M:%S")
    found = status_of(folder.path)
    assert found.to_text().splitlines() == [
        f"{folder.path}: 0 of 4 trials finished, 1 running, 3 to begin",
        f"running  b seed 0: on node7, process 12, since {local}, epoch 4 of 8, about 0:01:20 left",
    ]
    assert found.running[0].to_dict() == {
        "entrant": "b", "seed": 0, "machine": "node7", "process": 12,
        "since": "2026-01-02T03:04:05Z", "epoch": 4, "epochs": 8, "seconds_left": 80.0,
    }  # fmt: skip


def test_finished_trials_of_an_entrant_forecast_what_the_others_take(
    folder: RunFolder, begin: Begin
) -> None:
    for name, seconds, machine in (("b", 100.0, None), ("a", 30.0, "node1")):
        record, weights, predictions = whole(ASKED, name)
        made = record.provenance.model_copy(update={"machine": machine})
        took = record.model_copy(update={"training_seconds": seconds, "provenance": made})
        folder.write_trial(took, weights, predictions)
    begin("b", 1, first=0, epoch=0)
    found = status_of(folder.path)
    # Of 100 s 60 are over; then 30 s for a seed 1, since one trains at a time.
    assert [each.seconds_left for each in found.running] == [40.0]
    assert found.seconds_left == 70.0
    assert found.to_text().splitlines()[0].endswith("1 running, 1 to begin, about 0:01:10 left")
    assert found.to_text().splitlines()[-2:] == ["machine  node1: 1", "machine  not told: 1"]
    begin("a", 1, first=0, epoch=1)
    # Nothing is left to begin: the longest of both.
    assert status_of(folder.path).seconds_left == 40.0


def test_a_holder_that_does_not_say_who_it_is_is_running_all_the_same(
    folder: RunFolder, begin: Begin
) -> None:
    begin("a", 0)
    found = status_of(folder.path)
    assert found.running == (Running("a", 0, 2, None, None),)
    assert found.to_text().splitlines()[1] == "running  a seed 0: who trains it does not say"


def test_what_a_dead_holder_left_is_not_running(folder: RunFolder) -> None:
    since = BEGAN + timedelta(seconds=5)
    folder.place("locks", "trial.a.0").write(b"")
    write_working(folder.lock("a", 0), Working(machine="node7", process=12, since=since))
    assert status_of(folder.path).running == ()


def test_a_trial_that_failed_is_told_with_its_trouble(folder: RunFolder) -> None:
    folder.write_trial(diverged(ASKED, "b", 1), WEIGHTS, {})
    found = status_of(folder.path)
    assert found.to_text().splitlines()[1:] == [
        "failed   b seed 1 diverged: the loss was not finite in epoch 1"
    ]
