"""Events on their way from a worker to its parent's listener."""

from __future__ import annotations

import os
from collections.abc import Callable
from pathlib import Path

import pytest

from bakeoff.records.folder import RunFolder
from bakeoff.records.record import Epoch, Record
from bakeoff.runners.events import Event, EventWriter, event_in
from bakeoff.runners.listener import Listener, PlannedTrial

from ..factories import entrant, epoch, planned, study, whole
from .heard import Heard

ASKED = study(entrant("a"), entrant("b"))
TRIAL = planned(ASKED.entrants[0], 0)
WHOLE, WEIGHTS, PREDICTIONS = whole(ASKED, "a")
RECORD = WHOLE.model_copy(update={"epochs": (epoch(1, train_loss=0.1 + 0.2), epoch(2))})


@pytest.fixture
def folder(tmp_path: Path) -> RunFolder:
    """Return one in which the trial has ended."""
    made = RunFolder.create(tmp_path / "run", ASKED)
    made.write_trial(RECORD, WEIGHTS, PREDICTIONS)
    return made


def tell_all(listener: Listener) -> None:
    listener.trial_started(TRIAL)
    listener.trial_resumed(TRIAL, 3, 40)
    listener.epoch_ended(TRIAL, RECORD.epochs[0])
    listener.trial_ended(TRIAL, RECORD)
    listener.trial_elsewhere(TRIAL)
    listener.stage("two\nlines, größe")


def lines_of(tell: Callable[[Listener], None]) -> list[str]:
    """Return what comes out of the pipe that a writer is given."""
    out, into = os.pipe()
    tell(EventWriter(into))
    os.close(into)
    with os.fdopen(out, encoding="utf-8") as pipe:
        return pipe.read().splitlines()


def test_what_a_worker_hears_its_parent_hears(folder: RunFolder) -> None:
    direct, far = Heard(), Heard()
    tell_all(direct)
    lines = lines_of(tell_all)
    assert len(lines) == len(direct.lines) == 6
    for line in lines:
        event = event_in(line)
        assert event is not None
        event.tell({TRIAL.key: TRIAL}, folder, far)
    assert far.lines == direct.lines


def test_epochs_and_records_arrive_to_the_last_bit(folder: RunFolder) -> None:
    class Kept(Listener):
        def epoch_ended(self, trial: PlannedTrial, epoch: Epoch) -> None:
            assert (trial, epoch) == (TRIAL, RECORD.epochs[0])

        def trial_ended(self, trial: PlannedTrial, record: Record) -> None:
            assert (trial, record) == (TRIAL, RECORD)

    for line in lines_of(tell_all):
        found = event_in(line)
        assert found is not None
        found.tell({TRIAL.key: TRIAL}, folder, Kept())


def test_a_trial_that_nobody_planned_is_not_told(folder: RunFolder) -> None:
    heard = Heard()
    Event(event="trial_started", trial=("a", 7)).tell({TRIAL.key: TRIAL}, folder, heard)
    Event(event="epoch_ended", trial=TRIAL.key).tell({TRIAL.key: TRIAL}, folder, heard)
    assert heard.lines == []


@pytest.mark.parametrize(
    "line",
    [
        "", "Traceback (most recent call last):", "{}", "5", "null", '{"event": "boom"}',
        '{"event": "stage", "detail": "a", "more": 1}', '{"event": "trial_started", "trial": "a"}',
        '{"event": "epoch_ended", "trial": ["a", 0], "detail": {"epoch": 1}}',
    ],
)  # fmt: skip
def test_other_lines_are_no_events(line: str) -> None:
    assert event_in(line) is None


def test_a_parent_that_is_gone_stops_no_training() -> None:
    out, into = os.pipe()
    os.close(out)
    tell_all(EventWriter(into))
    os.close(into)
