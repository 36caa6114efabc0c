"""The batch-size question: entrants that differ in nothing but the size of their batches."""

from __future__ import annotations

from dataclasses import dataclass
from statistics import fmean

from bakeoff.findings.findings import Findings
from bakeoff.findings.standings import Standing
from bakeoff.report import words
from bakeoff.study.study import Entrant


@dataclass(frozen=True)
class BatchRow:
    """One entrant of a group. Means are over its complete trials."""

    entrant: str
    batch_size: int
    standing: Standing
    reached: int
    """How many complete trials reached the target."""
    epochs_to_target: float | None
    """Mean over the trials that reached it."""
    seconds_to_target: float | None
    """Clean seconds of so many epochs."""


@dataclass(frozen=True)
class BatchGroup:
    """Entrants of one architecture and recipe, by batch size."""

    target: float | None
    """The validation accuracy at which training stops."""
    rows: tuple[BatchRow, ...]

    @property
    def names(self) -> tuple[str, ...]:
        """The entrants, smallest batch first."""
        return tuple(row.entrant for row in self.rows)

    @property
    def answer(self) -> str:
        """What each size took to the target, in a sentence; empty where there is no target."""
        if self.target is None:
            return ""
        if not any(row.reached for row in self.rows):
            return f"No batch size came to a validation accuracy of {self.target}."
        told = "; ".join(_told(row) for row in self.rows)
        return f"To a validation accuracy of {self.target}: {told}."


def _told(row: BatchRow) -> str:
    if row.epochs_to_target is None:
        return f"batch {row.batch_size} did not get there"
    seconds = row.seconds_to_target
    clock = "" if seconds is None else f" and {words.duration(seconds)} s"
    missed = row.standing.trials - row.reached
    rest = (
        f" where it got there, in {row.reached} of {row.standing.trials} trials" if missed else ""
    )
    return f"batch {row.batch_size} took {words.count(row.epochs_to_target)} epochs{clock}{rest}"


def _sameness(entrant: Entrant) -> tuple[str, str]:
    return entrant.architecture, entrant.recipe.model_dump_json(exclude={"batch_size"})


def _row(findings: Findings, entrant: Entrant, standing: Standing) -> BatchRow:
    arrived = [
        record
        for record in findings.complete(entrant.name)
        if record.stopped.reason == "target reached"
    ]
    epochs = fmean(record.stopped.epoch for record in arrived) if arrived else None
    clean = standing.epoch_seconds
    return BatchRow(
        entrant=entrant.name,
        batch_size=entrant.recipe.batch_size,
        standing=standing,
        reached=len(arrived),
        epochs_to_target=epochs,
        seconds_to_target=None if epochs is None or clean is None else epochs * clean,
    )


def batch_groups(findings: Findings) -> tuple[BatchGroup, ...]:
    """Return each group of two or more entrants that differ only in batch size."""
    rows = {row.entrant: row for row in findings.standings}
    groups: dict[tuple[str, str], list[Entrant]] = {}
    for entrant in findings.study.entrants:
        groups.setdefault(_sameness(entrant), []).append(entrant)
    found = []
    for group in groups.values():
        sizes = {entrant.recipe.batch_size for entrant in group}
        if len(sizes) == 1:
            continue
        group.sort(key=lambda entrant: entrant.recipe.batch_size)
        found.append(
            BatchGroup(
                target=group[0].recipe.target_validation_accuracy,
                rows=tuple(_row(findings, entrant, rows[entrant.name]) for entrant in group),
            )
        )
    return tuple(found)
