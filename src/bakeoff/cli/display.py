"""How a run looks in a terminal."""

from __future__ import annotations

import io
from collections.abc import Callable, Sequence
from datetime import timedelta
from types import TracebackType
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
from rich.text import Text

from bakeoff.cli.tables import say
from bakeoff.records.record import Epoch, Record
from bakeoff.runners.listener import Listener, PlannedTrial

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


class _Audience(io.TextIOBase):
    """A stream that may close or fill up: from then on nothing is written, and nothing fails.

    A training outlives whoever watched it.
    """

    def __init__(self, stream: IO[str] | None) -> None:
        self._stream = stream

    def write(self, text: str) -> int:
        """Write the text, where anybody is left to read it."""
        self._try(lambda stream: stream.write(text))
        return len(text)

    def flush(self) -> None:
        """Flush what was written."""
        self._try(lambda stream: stream.flush())

    def isatty(self) -> bool:
        """Return whether a terminal shows it."""
        return self._stream is not None and self._stream.isatty()

    def fileno(self) -> int:
        """Return the descriptor, which knows the width of a terminal."""
        return super().fileno() if self._stream is None else self._stream.fileno()

    @property
    def encoding(self) -> str:  # type: ignore[override]
        """What characters can be shown."""
        return getattr(self._stream, "encoding", None) or "utf-8"

    def _try(self, work: Callable[[IO[str]], object]) -> None:
        if self._stream is None:
            return
        try:
            work(self._stream)
        except (BlockingIOError, UnicodeError):
            pass  # This text alone is lost: it is read too slowly, or cannot be written.
        except (OSError, ValueError):
            self._stream = None


class RunDisplay(Listener):
    """Shows a run on standard error: bars where there is a terminal, plain lines elsewhere.

    One bar stands for all trials, and one for each that is being trained.
    """

    def __init__(self, console: Console) -> None:
        console.file = cast("IO[str]", _Audience(console.file))
        self._console = console
        self._name_width = 0
        self._disturbed = False
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
        self._running: dict[tuple[str, int], TaskID] = {}
        self._epochs: dict[tuple[str, int], int] = {}
        """How many epochs of each trial are accounted for in the bar of all trials."""
        self._finished: set[tuple[str, int]] = set()
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

    def planned(self, trials: Sequence[PlannedTrial], finished_before: int) -> None:
        """Say what will be trained, and what was finished before."""
        self._name_width = max((len(trial.entrant.name) for trial in trials), default=0)
        self._seeds = any(trial.seed > 0 for trial in trials)
        self._trials = len(trials)
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
        self._take_bar_away(trial)  # A stack that found no memory begins its trials anew.
        budget = trial.entrant.recipe.epochs
        self._running[trial.key] = self._bars.add_task(
            self._name(trial), total=budget, **_nothing_done(f"epoch 0/{budget}")
        )

    def trial_resumed(self, trial: PlannedTrial, epochs: int) -> None:
        """Say where the trial goes on, and move the bars there."""
        self.stage(f"{self._name(trial)}: going on after epoch {epochs}")
        self._reach(trial, epochs, trained=False)

    def epoch_ended(self, trial: PlannedTrial, epoch: Epoch) -> None:
        """Print the line of one epoch and move the bars."""
        line = epoch_line(trial, epoch, self._name_width, self._seeds)
        if self._console.is_terminal and len(line) > self._console.width:
            line = short_epoch_line(trial, epoch, self._name_width, self._seeds)
        self.stage(line)
        if epoch.lost and not self._disturbed:
            self._disturbed = True
            self.stage(
                f"other programs took {epoch.others:.0%} of the cores: of {epoch.seconds:.1f} s "
                f"{self._name(trial)} waited {epoch.lost:.1f} s. Fewer --jobs leave them room; "
                "no verdict rests on these seconds"
            )
        self._reach(trial, epoch.epoch)

    def trial_ended(self, trial: PlannedTrial, record: Record) -> None:
        """Say how the trial ended."""
        # A training that stopped before its budget leaves work that will not be done.
        self._finish(trial, trained=False)
        name = self._name(trial)
        evaluation = record.evaluation
        if evaluation is None:
            self.stage(f"{name}: {record.status}: {record.trouble}")
            return
        self.stage(
            f"{name}: {record.stopped.reason} after epoch {record.stopped.epoch}, "
            f"{record.training_seconds:.1f} s, validation balanced accuracy "
            f"{evaluation.validation.balanced_accuracy:.4f}"
        )

    def trial_elsewhere(self, trial: PlannedTrial) -> None:
        """Move the bar past a trial that another process has finished."""
        self._finish(trial, trained=True)

    def stage(self, text: str) -> None:
        """Print one line."""
        say(self._console, text)

    def _name(self, trial: PlannedTrial) -> str:
        return trial.entrant.name + (f" seed {trial.seed}" if self._seeds else "")

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
        text = f"{len(self._finished)}/{self._trials}"
        self._move(self._work, text, further * _work(trial), trained=trained)

    def _move(self, bar: TaskID, text: str, amount: float, *, trained: bool) -> None:
        """Move a bar on. What was not trained now took no time, and says nothing of the pace."""
        task = next(task for task in self._bars.tasks if task.id == bar)
        completed = task.completed + amount
        worked = task.fields["worked"] + (amount if trained else 0)
        due = None
        if worked > 0 and task.total is not None and task.elapsed is not None:
            pace = task.elapsed / worked
            due = task.get_time() + pace * (task.total - completed)
        self._bars.update(bar, completed=completed, done=text, worked=worked, due=due)


def _nothing_done(text: str) -> dict[str, Any]:
    """Return the fields of a bar as it starts."""
    return {"done": text, "worked": 0.0, "due": None}


def _work(trial: PlannedTrial) -> float:
    """Return what one epoch of a trial weighs in the bar of all trials."""
    return trial.work_per_epoch + _OVERHEAD_PER_EPOCH


def _count(trials: int) -> str:
    return "1 trial" if trials == 1 else f"{trials} trials"
