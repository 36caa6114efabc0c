"""What a worker hears of its trials, as lines of JSON to the process that started it."""

from __future__ import annotations

import os
from collections.abc import Mapping
from contextlib import suppress
from typing import Literal

from pydantic import ValidationError

from bakeoff.records.folder import RunFolder
from bakeoff.records.record import Epoch, Record
from bakeoff.runners.listener import Listener, PlannedTrial
from bakeoff.study.frozen import Frozen


class Event(Frozen):
    """One line: a method of Listener with its arguments, the trial by its key."""

    event: Literal[
        "trial_started",
        "trial_resumed",
        "epoch_ended",
        "trial_ended",
        "trial_elsewhere",
        "stage",
        "failed",
    ]
    """`failed`: the last of a worker that could not go on, with the line that says why."""
    trial: tuple[str, int] | None = None
    detail: Epoch | tuple[int, int] | str | None = None

    def tell(
        self,
        trials: Mapping[tuple[str, int], PlannedTrial],
        folder: RunFolder,
        listener: Listener,
    ) -> None:
        """Let `listener` hear it, unless it is about a trial that is none of `trials`.

        The record of one that ended is in `folder`.
        """
        match self.event, self.detail, self.trial and trials.get(self.trial):
            case "trial_started", None, PlannedTrial() as trial:
                listener.trial_started(trial)
            case "trial_resumed", (int(epochs), int(steps)), PlannedTrial() as trial:
                listener.trial_resumed(trial, epochs, steps)
            case "epoch_ended", Epoch() as epoch, PlannedTrial() as trial:
                listener.epoch_ended(trial, epoch)
            case "trial_ended", None, PlannedTrial() as trial:
                listener.trial_ended(trial, folder.read_record(*trial.key))
            case "trial_elsewhere", None, PlannedTrial() as trial:
                listener.trial_elsewhere(trial)
            case "stage", str(text), _:
                listener.stage(text)


def event_in(line: str) -> Event | None:
    """Return the event that a line holds, or None where it is something else that was printed."""
    try:
        return Event.model_validate_json(line)
    except ValidationError:
        return None


class EventWriter(Listener):
    """Writes all that it hears to a pipe, an event a line.

    Other workers write to it, too: what is written at once, up to 4,096 bytes, stays in one piece.
    """

    def __init__(self, pipe: int) -> None:
        self._pipe = pipe

    def trial_started(self, trial: PlannedTrial) -> None:
        """Write that it began."""
        self._write(Event(event="trial_started", trial=trial.key))

    def trial_resumed(self, trial: PlannedTrial, epochs: int, steps: int) -> None:
        """Write where it goes on."""
        self._write(Event(event="trial_resumed", trial=trial.key, detail=(epochs, steps)))

    def epoch_ended(self, trial: PlannedTrial, epoch: Epoch) -> None:
        """Write the epoch."""
        self._write(Event(event="epoch_ended", trial=trial.key, detail=epoch))

    def trial_ended(self, trial: PlannedTrial, record: Record) -> None:
        """Write that its record is there."""
        self._write(Event(event="trial_ended", trial=trial.key))

    def trial_elsewhere(self, trial: PlannedTrial) -> None:
        """Write that it is finished."""
        self._write(Event(event="trial_elsewhere", trial=trial.key))

    def stage(self, text: str) -> None:
        """Write the line."""
        self._write(Event(event="stage", detail=text))

    def failed(self, why: str) -> None:
        """Write why the worker cannot go on."""
        self._write(Event(event="failed", detail=why))

    def _write(self, event: Event) -> None:
        with suppress(OSError):  # The parent is gone; the end of standard input says so, too.
            os.write(self._pipe, f"{event.model_dump_json()}\n".encode())
