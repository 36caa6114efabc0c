"""How a run looks in a terminal, and how its results look as text."""

from __future__ import annotations

import sys
from collections.abc import Sequence
from types import TracebackType
from typing import Self

from rich import box
from rich.console import Console
from rich.progress import (
    BarColumn,
    Progress,
    TextColumn,
    TimeElapsedColumn,
    TimeRemainingColumn,
)
from rich.table import Table

from bakeoff.progress import PlannedTrial
from bakeoff.record import Epoch, Record
from bakeoff.standings import Standing

# What an epoch costs beside its multiply-adds, in multiply-adds: Python between the steps. It
# only shapes the remaining time that is shown.
_OVERHEAD_PER_EPOCH = 1e10


def epoch_line(trial: PlannedTrial, epoch: Epoch, name_width: int, seeds: bool) -> str:
    """Return one line for one epoch, aligned with those of the other entrants."""
    seed = f"seed {trial.seed}  " if seeds else ""
    budget = trial.entrant.recipe.epochs
    number = f"{epoch.epoch:>{len(str(budget))}}/{budget}"
    return (
        f"{trial.entrant.name:<{name_width}}  {seed}epoch {number}  "
        f"train loss {epoch.train_loss:.4f}  val loss {epoch.validation_loss:.4f}  "
        f"val acc {epoch.validation_accuracy:.4f}  {epoch.seconds:.1f} s"
    )


def plain_display() -> RunDisplay:
    """Return a display that writes plain lines to standard output, for another process to show."""
    return RunDisplay(Console(file=sys.stdout, force_terminal=False, color_system=None))


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
            TimeRemainingColumn(),
            console=console,
            transient=True,
            # An epoch may take minutes, and the bars move once an epoch.
            speed_estimate_period=3600,
            disable=not console.is_terminal,
        )
        self._work = self._bars.add_task("all trials", visible=False, done="")
        self._epochs = self._bars.add_task("trial", visible=False, done="")
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
        done = f"0/{len(trials)}"
        self._bars.update(self._work, total=work, completed=0, visible=bool(trials), done=done)
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
        self._bars.reset(self._epochs, total=budget, description=name, done=f"epoch 0/{budget}")
        self._bars.update(self._epochs, visible=True)

    def trial_resumed(self, trial: PlannedTrial, epochs: int) -> None:
        """Say where the trial goes on, and move the bars there."""
        seed = f" seed {trial.seed}" if self._seeds else ""
        self._say(f"{trial.entrant.name}{seed}: going on after epoch {epochs}")
        budget = trial.entrant.recipe.epochs
        self._bars.update(self._epochs, advance=epochs, done=f"epoch {epochs}/{budget}")
        self._bars.advance(self._work, epochs * _work(trial))

    def epoch_ended(self, trial: PlannedTrial, epoch: Epoch) -> None:
        """Print the line of one epoch and move the bars."""
        self._say(epoch_line(trial, epoch, self._name_width, self._seeds))
        budget = trial.entrant.recipe.epochs
        at = epoch.epoch  # Seeds that train together share the bar, so it is set and not advanced.
        self._bars.update(self._epochs, completed=at, done=f"epoch {at}/{budget}")
        self._bars.advance(self._work, _work(trial))

    def trial_ended(self, trial: PlannedTrial, record: Record) -> None:
        """Say how the trial ended."""
        self._trials_done += 1
        # A training that stopped before its budget leaves work that will not be done.
        spared = trial.entrant.recipe.epochs - len(record.epochs)
        done = f"{self._trials_done}/{self._trials}"
        self._bars.update(self._work, advance=spared * _work(trial), done=done)
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
        done = f"{self._trials_done}/{self._trials}"
        whole = trial.entrant.recipe.epochs * _work(trial)
        self._bars.update(self._work, advance=whole, done=done)

    def stage(self, text: str) -> None:
        """Print one line."""
        self._say(text)

    def _say(self, text: str) -> None:
        self._console.print(text, highlight=False, markup=False, soft_wrap=True)


def _work(trial: PlannedTrial) -> float:
    """Return what one epoch of a trial weighs in the bar of all trials."""
    return trial.work_per_epoch + _OVERHEAD_PER_EPOCH


def _count(trials: int) -> str:
    return "1 trial" if trials == 1 else f"{trials} trials"


def results_table(rows: Sequence[Standing], metric: str) -> Table:
    """Return the table of a study, the best on validation data first."""
    table = Table(box=box.SIMPLE_HEAD, pad_edge=False, show_edge=False, padding=(0, 1, 0, 0))
    table.add_column("\nentrant", no_wrap=True)
    chosen = "bal acc" if metric == "balanced_accuracy" else "acc"
    # Short enough for a terminal of 80 columns.
    for heading in (
        f"val\n{chosen}",
        "test\nacc",
        "test\nbal acc",
        "para-\nmeters",
        "\nepochs",
        "train\nsec",
    ):
        table.add_column(heading, justify="right", no_wrap=True)
    for place, row in enumerate(rows):
        trials = "" if row.trials == row.planned else f" ({row.trials} of {row.planned})"
        table.add_row(
            row.entrant + trials,
            _decimal(row.selected_by(metric), 4),
            _decimal(row.test_accuracy, 4),
            _decimal(row.test_balanced_accuracy, 4),
            "-" if row.parameters is None else f"{row.parameters:,}",
            "-" if row.epochs is None else f"{row.epochs:g}",
            _seconds(row.training_seconds),
            style="bold" if place == 0 and row.trials else None,
        )
    return table


def _decimal(value: float | None, digits: int) -> str:
    return "-" if value is None else f"{value:,.{digits}f}"


def _seconds(value: float | None) -> str:
    return _decimal(value, 0 if value is not None and value >= 1000 else 1)
