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

    batch_size: int
    standing: Standing
    reached: int
    """How many complete trials reached the target."""
    epochs_to_target: float | None
    """Mean over the trials that reached it."""
    seconds_to_target: float | None
    """Clean seconds of so many epochs."""

    @property
    def told(self) -> str:
        """What this size took to the target."""
        if self.epochs_to_target is None:
            return f"batch {self.batch_size} did not get there"
        text = f"batch {self.batch_size} took {words.count(self.epochs_to_target)} epochs"
        if self.seconds_to_target is not None:
            text += f" and {words.duration(self.seconds_to_target)} s"
        if self.reached < self.standing.trials:
            text += f" where it got there, in {self.reached} of {self.standing.trials} trials"
        return text


@dataclass(frozen=True)
class BatchGroup:
    """Entrants of one network and recipe, smallest batch first."""

    number: int
    """Of the groups, counted from 1."""
    target: float | None
    """The validation accuracy at which training stops."""
    rows: tuple[BatchRow, ...]

    @property
    def names(self) -> tuple[str, ...]:
        """The entrants."""
        return tuple(row.standing.entrant for row in self.rows)

    @property
    def answer(self) -> str:
        """What each size took to the target, in a sentence; empty where there is no target."""
        if self.target is None:
            return ""
        if not any(row.reached for row in self.rows):
            return f"No batch size came to a validation accuracy of {self.target}."
        told = "; ".join(row.told for row in self.rows)
        return f"To a validation accuracy of {self.target}: {told}."


def batch_groups(findings: Findings) -> list[BatchGroup]:
    """Return each group of two or more entrants that differ only in batch size."""
    groups: dict[str, list[Entrant]] = {}
    for entrant in findings.study.entrants:
        recipe = entrant.recipe.model_dump_json(exclude={"batch_size"})
        groups.setdefault(f"{entrant.network} {recipe}", []).append(entrant)
    found: list[BatchGroup] = []
    for group in groups.values():
        if len({entrant.recipe.batch_size for entrant in group}) > 1:
            group.sort(key=lambda entrant: entrant.recipe.batch_size)
            rows = tuple(_row(findings, entrant) for entrant in group)
            target = group[0].recipe.target_validation_accuracy
            found.append(BatchGroup(len(found) + 1, target, rows))
    return found


def _row(findings: Findings, entrant: Entrant) -> BatchRow:
    complete = findings.complete(entrant.name)
    arrived = [record for record in complete if record.stopped.reason == "target reached"]
    epochs = fmean(record.stopped.epoch for record in arrived) if arrived else None
    standing = next(row for row in findings.standings if row.entrant == entrant.name)
    clean = standing.epoch_seconds
    return BatchRow(
        batch_size=entrant.recipe.batch_size,
        standing=standing,
        reached=len(arrived),
        epochs_to_target=epochs,
        seconds_to_target=None if epochs is None or clean is None else epochs * clean,
    )
