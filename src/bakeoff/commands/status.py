"""`bakeoff status`: how far a run is, on whatever machines; it is no look at verdicts."""

from __future__ import annotations

from collections import Counter
from collections.abc import Mapping, Sequence
from dataclasses import asdict, dataclass
from datetime import UTC, datetime, timedelta
from pathlib import Path
from statistics import fmean
from typing import Any

from bakeoff.records.folder import RunFolder
from bakeoff.records.record import Record
from bakeoff.records.working import Working, read_working
from bakeoff.study.study import Entrant


@dataclass(frozen=True)
class Running:
    """A trial that somebody is at."""

    entrant: str
    seed: int
    epochs: int
    """Of its budget; it may stop sooner."""
    working: Working | None
    """None where who trains it does not say."""
    seconds_left: float | None
    """None where nothing tells yet."""

    def to_dict(self) -> dict[str, Any]:
        """Return what `--json` prints."""
        told = {} if self.working is None else self.working.model_dump(mode="json")
        where = {name: told.get(name) for name in ("machine", "process", "since", "epoch")}
        return {
            "entrant": self.entrant,
            "seed": self.seed,
            **where,
            "epochs": self.epochs,
            "seconds_left": self.seconds_left,
        }

    def to_text(self) -> str:
        """Return one line."""
        trial, working = f"{self.entrant} seed {self.seed}", self.working
        if working is None:
            return f"{trial}: who trains it does not say"
        since = working.since.astimezone().strftime("%Y-%m-%d %H:%M:%S")
        return (
            f"{trial}: on {working.machine}, process {working.process}, since {since}, epoch "
            f"{working.epoch} of {self.epochs}{_left(self.seconds_left)}"
        )


@dataclass(frozen=True)
class Status:
    """A run as it stands now."""

    folder: str
    planned: int
    finished: int
    """Whatever their outcome."""
    running: tuple[Running, ...]
    failed: tuple[str, ...]
    """One line for each trial that did not complete."""
    machines: dict[str, int]
    """Finished trials by the machine that ended them."""
    seconds_left: float | None
    """Until all are finished, with as many at once as now; None where nothing tells yet."""

    def to_dict(self) -> dict[str, Any]:
        """Return what `--json` prints."""
        return asdict(self) | {"running": [each.to_dict() for each in self.running]}

    def to_text(self) -> str:
        """Return a line for the run, and one for each trial that runs or failed, and machine."""
        to_go = self.planned - self.finished - len(self.running)
        lines = [
            f"{self.folder}: {self.finished} of {self.planned} trials finished, "
            f"{len(self.running)} running, {to_go} to begin{_left(self.seconds_left)}"
        ]
        lines += [f"running  {each.to_text()}" for each in self.running]
        lines += [f"failed   {line}" for line in self.failed]
        if len(self.machines) > 1:
            lines += [f"machine  {name}: {trials}" for name, trials in self.machines.items()]
        return "\n".join(lines)


def status_of(directory: Path) -> Status:
    """Return how far the run in a folder is.

    What a trial will take is forecast from those of its entrant that are finished, or from its
    epochs so far. Raises StoreError.
    """
    folder, now = RunFolder.open(directory), datetime.now(UTC)
    study, records = folder.study, folder.read_records()
    took = {
        entrant.name: [each.training_seconds for each in records if each.entrant == entrant.name]
        for entrant in study.entrants
    }
    done = {(record.entrant, record.seed) for record in records}
    missing = [
        (entrant, seed)
        for seed in study.trial_seeds
        for entrant in study.entrants
        if (entrant.name, seed) not in done
    ]
    running = tuple(
        _running(folder, entrant, seed, took[entrant.name], now)
        for entrant, seed in missing
        if folder.is_at_work(entrant.name, seed)
    )
    return Status(
        folder=str(directory),
        planned=len(study.entrants) * study.seeds,
        finished=len(records),
        running=running,
        failed=tuple(_failed(record) for record in records if not record.complete),
        machines=dict(Counter(each.provenance.machine or "not told" for each in records)),
        seconds_left=_seconds_left(running, [entrant.name for entrant, _ in missing], took),
    )


def _running(
    folder: RunFolder, entrant: Entrant, seed: int, took: Sequence[float], now: datetime
) -> Running:
    working = read_working(folder.lock(entrant.name, seed))
    epochs = entrant.recipe.epochs
    left = None
    if working is not None:
        so_far = max(0.0, (now - working.since) / timedelta(seconds=1))
        here = working.epoch - working.first
        if here > 0:
            left = so_far / here * max(0, epochs - working.epoch)
        if took:
            usual = max(0.0, fmean(took) - so_far)
            left = usual if left is None else min(left, usual)
    return Running(entrant.name, seed, epochs, working, left)


def _seconds_left(
    running: Sequence[Running], missing: Sequence[str], took: Mapping[str, Sequence[float]]
) -> float | None:
    """Return what is left of all trials, shared out among as many as are running now."""
    if not running or any(each.seconds_left is None for each in running):
        return None
    to_begin = Counter(missing)
    to_begin.subtract(each.entrant for each in running)
    if any(number and not took[name] for name, number in to_begin.items()):
        return None
    work = sum(number * fmean(took[name]) for name, number in to_begin.items() if number)
    lefts = [each.seconds_left or 0.0 for each in running]
    return max(*lefts, (work + sum(lefts)) / len(running))


def _failed(record: Record) -> str:
    return f"{record.entrant} seed {record.seed} {record.status}: {record.trouble}"


def _left(seconds: float | None) -> str:
    return "" if seconds is None else f", about {timedelta(seconds=round(seconds))} left"
