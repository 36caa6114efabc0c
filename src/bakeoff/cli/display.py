"""How a run looks in a terminal."""

from __future__ import annotations

import sys
from collections.abc import Sequence
from datetime import timedelta
from types import TracebackType
from typing import Any, Self

from rich.console import Console
from rich.progress import (
    BarColumn,
    Progress,
    ProgressColumn,
    Task,
    TaskID,
    TextColumn,
    TimeElapsedColumn,
)
from rich.text import Text

from bakeoff.cli.tables import say
from bakeoff.records.record import Epoch, Record
from bakeoff.runners.listener import PlannedTrial

# What an epoch costs beside its multiply-adds, in multiply-adds: Python between the steps. It
# only shapes the remaining time that is shown.
_OVERHEAD_PER_EPOCH = 1e10


def epoch_line(trial: PlannedTrial, epoch: Epoch, name_width: int, seeds: bool) -> str:
    """Return one line for one epoch, aligned with those of the other entrants."""
    seed = f"seed {trial.seed}  " if seeds else ""
    return (
        f"{trial.entrant.name:<{name_width}}  {seed}epoch {_place(trial, epoch)}  "
        f"train loss {epoch.train_loss:.4f}  val loss {epoch.validation_loss:.4f}  "
        f"val acc {epoch.validation_accuracy:.4f}  {epoch.seconds:.1f} s"
    )


def short_epoch_line(trial: PlannedTrial, epoch: Epoch, name_width: int, seeds: bool) -> str:
    """Return the same in fewer letters, for a terminal that would break the long line."""
    seed = f"seed {trial.seed} " if seeds else ""
    return (
        f"{trial.entrant.name:<{name_width}} {seed}{_place(trial, epoch)} "
        f"train {epoch.train_loss:.4f} val {epoch.validation_loss:.4f} "
        f"acc {epoch.validation_accuracy:.4f} {epoch.seconds:.1f} s"
    )


def _place(trial: PlannedTrial, epoch: Epoch) -> str:
    budget = trial.entrant.recipe.epochs
    return f"{epoch.epoch:>{len(str(budget))}}/{budget}"


def plain_display() -> RunDisplay:
    """Return a display that writes plain lines to standard output, for another process to show."""
    return RunDisplay(Console(file=sys.stdout, force_terminal=False, color_system=None))


class _TimeLeft(ProgressColumn):
    """Counts down to when a task is due. A bar that moves once an epoch has no other pace."""

    def render(self, task: Task) -> Text:
        """Return the time left as hours, minutes and seconds."""
        due = task.fields["due"]
        left = (
            "-:--:--"
            if due is None
            else str(timedelta(seconds=max(0, round(due - task.get_time()))))
        )
        return Text(left, style="progress.remaining")


class RunDisplay:
    """Shows a run on standard error: bars where there is a terminal, plain lines elsewhere."""

    def __init__(self, console: Console) -> None:
        self._console = console
        self._name_width = 0
        self._seeds = False
        self._bars = Progress(
            TextColumn("{task.description}"),
            BarColumn(),
            TextColumn("{task.fields[done]}"),
            TimeElapsedColumn(),
            TextColumn("left"),
            _TimeLeft(),
            console=console,
            transient=True,
            disable=not console.is_terminal,
        )
        self._work = self._bars.add_task("all trials", visible=False, **_nothing_done(""))
        self._epochs = self._bars.add_task("trial", visible=False, **_nothing_done(""))
        self._trials_done = 0
        self._trials = 0

    def __enter__(self) -> Self:
        self._bars.start()
        return self

    def __exit__(
        self,
        kind: type[BaseException] | None,
        error: BaseException | None,
        traceback: TracebackType | None,
    ) -> None:
        self._bars.stop()

    def expect(self, trials: Sequence[PlannedTrial]) -> None:
        """Hear which trials the lines will be about, without saying so."""
        self._name_width = max((len(trial.entrant.name) for trial in trials), default=0)
        self._seeds = any(trial.seed > 0 for trial in trials)
        self._trials = len(trials)

    def planned(self, trials: Sequence[PlannedTrial], finished_before: int) -> None:
        """Say what will be trained, and what was finished before."""
        self.expect(trials)
        work = sum(_work(trial) * trial.entrant.recipe.epochs for trial in trials)
        self._bars.reset(
            self._work, total=work, visible=bool(trials), **_nothing_done(f"0/{len(trials)}")
        )
        if not trials:
            one = finished_before == 1
            done = "the only trial is" if one else f"all {finished_before} trials are"
            self.stage(f"nothing to train: {done} finished")
        elif finished_before:
            self.stage(
                f"{_count(len(trials))} to train, {finished_before} finished before and kept"
            )
        else:
            self.stage(f"{_count(len(trials))} to train")

    def trial_started(self, trial: PlannedTrial) -> None:
        """Start the bar of one trial."""
        name = trial.entrant.name + (f" seed {trial.seed}" if self._seeds else "")
        budget = trial.entrant.recipe.epochs
        self._bars.reset(
            self._epochs,
            total=budget,
            visible=True,
            description=name,
            **_nothing_done(f"epoch 0/{budget}"),
        )

    def trial_resumed(self, trial: PlannedTrial, epochs: int) -> None:
        """Say where the trial goes on, and move the bars there."""
        seed = f" seed {trial.seed}" if self._seeds else ""
        self._say(f"{trial.entrant.name}{seed}: going on after epoch {epochs}")
        self._move(self._epochs, f"epoch {epochs}/{trial.entrant.recipe.epochs}", spared=epochs)
        self._move(self._work, self._trials_text, spared=epochs * _work(trial))

    def epoch_ended(self, trial: PlannedTrial, epoch: Epoch) -> None:
        """Print the line of one epoch and move the bars."""
        line = epoch_line(trial, epoch, self._name_width, self._seeds)
        if self._console.is_terminal and len(line) > self._console.width:
            line = short_epoch_line(trial, epoch, self._name_width, self._seeds)
        self._say(line)
        # Seeds that train together share the bar, so it goes where the epoch is, not one further.
        further = epoch.epoch - self._bars.tasks[self._epochs].completed
        self._move(
            self._epochs, f"epoch {epoch.epoch}/{trial.entrant.recipe.epochs}", worked=further
        )
        self._move(self._work, self._trials_text, worked=_work(trial))

    def trial_ended(self, trial: PlannedTrial, record: Record) -> None:
        """Say how the trial ended."""
        self._trials_done += 1
        # A training that stopped before its budget leaves work that will not be done.
        spared = trial.entrant.recipe.epochs - len(record.epochs)
        self._move(self._work, self._trials_text, spared=spared * _work(trial))
        seed = f" seed {trial.seed}" if self._seeds else ""
        if record.validation is None:
            self._say(f"{trial.entrant.name}{seed}: {record.status}: {record.trouble}")
            return
        self._say(
            f"{trial.entrant.name}{seed}: {record.stopped.reason} after epoch "
            f"{record.stopped.epoch}, {record.training_seconds:.1f} s, validation balanced "
            f"accuracy {record.validation.balanced_accuracy:.4f}"
        )

    def trial_elsewhere(self, trial: PlannedTrial) -> None:
        """Move the bar past a trial that another process has finished."""
        self._trials_done += 1
        whole = trial.entrant.recipe.epochs * _work(trial)
        self._move(self._work, self._trials_text, worked=whole)

    def stage(self, text: str) -> None:
        """Print one line."""
        self._say(text)

    @property
    def _trials_text(self) -> str:
        return f"{self._trials_done}/{self._trials}"

    def _move(self, bar: TaskID, text: str, worked: float = 0.0, spared: float = 0.0) -> None:
        """Move a bar on. What was `spared` took no time here, and so says nothing of the pace."""
        task = self._bars.tasks[bar]
        completed = task.completed + worked + spared
        all_worked = task.fields["worked"] + worked
        due = None
        if all_worked > 0 and task.total is not None and task.elapsed is not None:
            pace = task.elapsed / all_worked
            due = task.get_time() + pace * (task.total - completed)
        self._bars.update(bar, completed=completed, done=text, worked=all_worked, due=due)

    def _say(self, text: str) -> None:
        say(self._console, text)


def _nothing_done(text: str) -> dict[str, Any]:
    """Return the fields of a bar as it starts."""
    return {"done": text, "worked": 0.0, "due": None}


def _work(trial: PlannedTrial) -> float:
    """Return what one epoch of a trial weighs in the bar of all trials."""
    return trial.work_per_epoch + _OVERHEAD_PER_EPOCH


def _count(trials: int) -> str:
    return "1 trial" if trials == 1 else f"{trials} trials"
