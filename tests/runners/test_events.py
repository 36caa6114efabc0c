"""Events on their way from a worker to its parent's listener."""

from __future__ import annotations

import io

import pytest

from bakeoff.runners.events import Event, EventWriter, event_in
from bakeoff.runners.listener import Listener

from ..factories import entrant, epoch, planned, record, study
from .heard import Heard

ASKED = study(entrant("a"), entrant("b"))
TRIAL = planned(ASKED.entrants[0], 0)
RECORD = record(ASKED, "a", epochs=(epoch(1, train_loss=0.1 + 0.2), epoch(2)))


def tell_all(listener: Listener) -> None:
    listener.trial_started(TRIAL)
    listener.trial_resumed(TRIAL, 3)
    listener.epoch_ended(TRIAL, RECORD.epochs[0])
    listener.trial_ended(TRIAL, RECORD)
    listener.trial_elsewhere(TRIAL)
    listener.stage("two\nlines, größe")


def test_what_a_worker_hears_its_parent_hears() -> None:
    direct, stream = Heard(), io.StringIO()
    tell_all(direct)
    tell_all(EventWriter(stream))
    far = Heard()
    lines = stream.getvalue().splitlines()
    assert len(lines) == len(direct.lines) == 6
    for line in lines:
        event = event_in(line)
        assert event is not None
        event.tell({TRIAL.key: TRIAL}, far)
    assert far.lines == direct.lines


def test_epochs_and_records_arrive_to_the_last_bit() -> None:
    stream = io.StringIO()
    EventWriter(stream).epoch_ended(TRIAL, RECORD.epochs[0])
    EventWriter(stream).trial_ended(TRIAL, RECORD)
    found = [event_in(line) for line in stream.getvalue().splitlines()]
    assert [event and event.detail for event in found] == [RECORD.epochs[0], RECORD]


def test_a_trial_that_nobody_planned_is_not_told() -> None:
    heard = Heard()
    Event(event="trial_started", trial=("a", 7)).tell({TRIAL.key: TRIAL}, heard)
    Event(event="epoch_ended", trial=TRIAL.key).tell({TRIAL.key: TRIAL}, heard)
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
    class Broken(io.StringIO):
        def write(self, text: str) -> int:
            raise BrokenPipeError

    tell_all(EventWriter(Broken()))
