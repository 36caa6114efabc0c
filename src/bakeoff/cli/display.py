"""How a run looks in a terminal."""

from __future__ import annotations

import math
from collections.abc import Callable, Sequence
from datetime import timedelta
from typing import IO, Any, Self, cast

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
from rich.table import Column
from rich.text import Text

from bakeoff.cli.rows import say
from bakeoff.records.record import Epoch, Record
from bakeoff.records.working import machine_name
from bakeoff.runners.listener import Listener, PlannedTrial
from bakeoff.text import counted, lasting

# What an epoch costs beside its multiply-adds, in multiply-adds: Python between the steps. It
# only shapes the remaining time that is shown.
_OVERHEAD_PER_EPOCH = 1e10

_LINE = "{}  epoch {}  train loss {:.4f}  val loss {:.4f}  val acc {:.4f}  {:.1f} s"
_SHORT_LINE = "{} {} train {:.4f} val {:.4f} acc {:.4f} {:.1f} s"


def epoch_line(trial: PlannedTrial, epoch: Epoch, name: str, width: float) -> str:
    """Return one line for one epoch, in fewer letters where it had more than `width`.

    name: of the trial, as wide as those of the others.
    """
    budget = trial.entrant.recipe.epochs
    figures = (
        name,
        f"{epoch.epoch:>{len(str(budget))}}/{budget}",
        epoch.train_loss,
        epoch.validation_loss,
        epoch.validation_accuracy,
        epoch.seconds,
    )
    line = _LINE.format(*figures)
    return line if len(line) <= width else _SHORT_LINE.format(*figures)


class _TimeLeft(ProgressColumn):
    """Counts down at the pace so far. A bar that moves once an epoch has no other pace."""

    def render(self, task: Task) -> Text:
        """Return the time left as hours, minutes and seconds."""
        left, worked, moved = "-:--:--", task.fields["worked"], task.fields["moved"]
        if worked:
            due = moved + moved / worked * (task.remaining or 0)
            left = str(timedelta(seconds=max(0, round(due - (task.elapsed or 0)))))
        return Text(left, style="progress.remaining")


class _Audience:
    """A stream that may close or fill up: from then on nothing is written, and nothing fails.

    A training outlives whoever watched it.
    """

    def __init__(self, stream: IO[str]) -> None:
        self._stream = stream
        self._listens = True

    def __getattr__(self, name: str) -> Any:
        return getattr(self._stream, name)

    def write(self, text: str) -> int:
        """Write the text, where anybody is left to read it."""
        self._try(lambda: self._stream.write(text))
        return len(text)

    def flush(self) -> None:
        """Flush what was written."""
        self._try(self._stream.flush)

    def _try(self, work: Callable[[], object]) -> None:
        if not self._listens:
            return
        try:
            work()
        except (BlockingIOError, UnicodeError):
            pass  # This text alone is lost: it is read too slowly, or cannot be written.
        except (OSError, ValueError):
            self._listens = False


class RunDisplay(Listener):
    """Shows a run on standard error: bars where there is a terminal, plain lines elsewhere.

    One bar stands for all trials, and one for each that is being trained. Each finished trial has
    a line, with `epochs` each epoch too.
    """

    def __init__(self, console: Console, *, epochs: bool = False) -> None:
        console.file = cast("IO[str]", _Audience(console.file))
        self._console = console
        # Where it is narrow a name breaks, and no number does.
        name = TextColumn("{task.description}", table_column=Column(overflow="fold"))
        done = TextColumn("{task.fields[done]}", table_column=Column(no_wrap=True))
        wide = console.width >= 80
        self._bars = Progress(
            name,
            *([BarColumn(bar_width=20)] if wide else []),
            done,
            *([TimeElapsedColumn()] if wide else []),
            TextColumn("left"),
            _TimeLeft(table_column=Column(no_wrap=True)),
            console=console,
            transient=True,
            disable=not console.is_terminal,
        )
        self._tells_epochs = epochs
        self._running: dict[tuple[str, int], TaskID] = {}
        self._epochs: dict[tuple[str, int], int] = {}
        """How many epochs of each trial are accounted for in the bar of all trials."""
        self._finished: set[tuple[str, int]] = set()
        self._names: dict[tuple[str, int], str] = {}
        """Of the planned trials, as lines and bars call them."""
        self._widest = 0
        self._disturbed = False

    def __enter__(self) -> Self:
        return self

    def __exit__(self, *_: object) -> None:
        self._bars.stop()

    def planned(self, trials: Sequence[PlannedTrial], finished_before: int) -> None:
        """Say what will be trained, and what was finished before."""
        several = any(trial.seed > 0 for trial in trials)
        self._names = {
            t.key: f"{t.entrant.name} seed {t.seed}" if several else t.entrant.name for t in trials
        }
        self._widest = max(map(len, self._names.values()), default=0)
        work = sum(_work(trial) * trial.entrant.recipe.epochs for trial in trials)
        kept = f", {finished_before} finished before and kept" if finished_before else ""
        if trials:
            self._work = self._add_bar("all trials", work, f"0/{len(trials)}")
            self.stage(f"{counted(len(trials), 'trial')} to train{kept}")
        elif finished_before == 1:
            self.stage("nothing to train: the only trial is finished")
        else:
            self.stage(f"nothing to train: all {finished_before} trials are finished")

    def foretold(self, seconds: float) -> None:
        """Say how long it will take."""
        self.stage(
            f"about {lasting(seconds)}, told from a few batches of each entrant; Ctrl-C interrupts "
            "it, and the same command goes on"
        )

    def trial_started(self, trial: PlannedTrial) -> None:
        """Start the bar of one trial."""
        # No sooner: bars move in a thread of their own, and workers are forked without one.
        self._bars.start()
        self._take_bar_away(trial)  # A stack that found no memory begins its trials anew.
        budget = trial.entrant.recipe.epochs
        self._running[trial.key] = self._add_bar(
            self._names[trial.key], budget, f"epoch 0/{budget}"
        )

    def trial_placed(self, trial: PlannedTrial, machine: str) -> None:
        """Name the machine beside the bar of the trial."""
        text = f"{self._names[trial.key]} on {machine}"
        self._bars.update(self._running[trial.key], description=text)

    def trial_resumed(self, trial: PlannedTrial, epochs: int, steps: int) -> None:
        """Say where the trial goes on, and move the bars there."""
        within = f", step {steps}" if steps else ""
        self.stage(f"{self._names[trial.key]}: going on after epoch {epochs}{within}")
        self._reach(trial, epochs, trained=False)

    def epoch_ended(self, trial: PlannedTrial, epoch: Epoch) -> None:
        """Move the bars, and print the line of one epoch where it is asked for."""
        name = self._names[trial.key]
        if self._tells_epochs:
            width = self._console.width if self._console.is_terminal else math.inf
            self.stage(epoch_line(trial, epoch, name.ljust(self._widest), width))
        if epoch.lost and not self._disturbed:
            self._disturbed = True
            self.stage(
                f"other programs took {epoch.others:.0%} of the cores: of {epoch.seconds:.1f} s "
                f"{name} waited {epoch.lost:.1f} s. Fewer --jobs leave them room; no verdict rests "
                "on these seconds"
            )
        self._reach(trial, epoch.epoch)

    def trial_ended(self, trial: PlannedTrial, record: Record) -> None:
        """Say how the trial ended."""
        # A training that stopped before its budget leaves work that will not be done.
        self._finish(trial, trained=False)
        ended = f"{record.status}: {record.trouble}"
        if record.validation is not None:
            ended = (
                f"{record.stopped.reason} after epoch {record.stopped.epoch}, "
                f"{record.training_seconds:.1f} s, validation balanced accuracy "
                f"{record.validation.balanced_accuracy:.4f}"
            )
        machine = record.provenance.machine
        where = "" if machine in (None, machine_name()) else f" on {machine}"
        self.stage(f"{self._names[trial.key]}{where}: {ended}")

    def trial_elsewhere(self, trial: PlannedTrial) -> None:
        """Move the bar past a trial that another process has finished."""
        self._finish(trial, trained=True)

    def stage(self, text: str) -> None:
        """Print one line."""
        say(self._console, text)

    def _add_bar(self, name: str, total: float, done: str) -> TaskID:
        return self._bars.add_task(name, total=total, done=done, worked=0.0, moved=0.0)

    def _finish(self, trial: PlannedTrial, *, trained: bool) -> None:
        """Count the trial, once, however often it is told."""
        self._take_bar_away(trial)
        self._finished.add(trial.key)
        self._reach(trial, trial.entrant.recipe.epochs, trained=trained)

    def _take_bar_away(self, trial: PlannedTrial) -> None:
        if trial.key in self._running:
            self._bars.remove_task(self._running.pop(trial.key))

    def _reach(self, trial: PlannedTrial, epoch: int, *, trained: bool = True) -> None:
        """Move the bars to where so many epochs of the trial are done, `trained` now or not."""
        further = epoch - self._epochs.get(trial.key, 0)
        self._epochs[trial.key] = epoch
        if trial.key in self._running:
            text = f"epoch {epoch}/{trial.entrant.recipe.epochs}"
            self._move(self._running[trial.key], text, further, trained=trained)
        text = f"{len(self._finished)}/{len(self._names)}"
        self._move(self._work, text, further * _work(trial), trained=trained)

    def _move(self, bar: TaskID, text: str, amount: float, *, trained: bool) -> None:
        """Move a bar on. What was not trained now took no time, and says nothing of the pace."""
        task = next(task for task in self._bars.tasks if task.id == bar)
        worked = task.fields["worked"] + (amount if trained else 0)
        self._bars.update(bar, advance=amount, done=text, worked=worked, moved=task.elapsed)


def _work(trial: PlannedTrial) -> float:
    """Return what one epoch of a trial weighs in the bar of all trials."""
    return trial.work_per_epoch + _OVERHEAD_PER_EPOCH
