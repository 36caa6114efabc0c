"""Our figures beside those printed elsewhere."""

from __future__ import annotations

from collections.abc import Sequence
from statistics import fmean
from typing import NamedTuple

from bakeoff.findings.findings import Findings
from bakeoff.findings.standings import Standing
from bakeoff.records.record import Record, evaluations
from bakeoff.report import words
from bakeoff.study.study import Published


class PublishedFigure(NamedTuple):
    """One figure as text: ours, the published one, and ours minus it."""

    title: str
    ours: str
    published: str
    difference: str


class PublishedRow(NamedTuple):
    """One entrant's figures."""

    entrant: str
    source: str
    figures: list[PublishedFigure]
    gaps: list[tuple[str, str]]
    """Where our numbers of one kind are farthest from the published ones: by how much, and of what
    and at which place, as in "loss, epoch 3"."""


def published_rows(findings: Findings) -> list[PublishedRow]:
    """Return the entrants that have published figures, in the order of the study."""
    ours = {row.entrant: row for row in findings.standings}
    found = []
    for entrant in findings.study.entrants:
        told, trials = entrant.published, findings.complete(entrant.name)
        if told is not None:
            figures = _figures(ours[entrant.name], trials, told)
            gaps = _gaps(trials, told, findings.classes)
            found.append(PublishedRow(entrant.name, told.source, figures, gaps))
    return found


def _figures(ours: Standing, trials: Sequence[Record], told: Published) -> list[PublishedFigure]:
    last_losses = [trial.epochs[-1].train_loss for trial in trials if trial.epochs]
    last_loss = fmean(last_losses) if last_losses else None
    told_loss = told.train_loss[-1] if told.train_loss else None
    told_epochs = max(len(told.train_loss), len(told.validation_accuracy)) or None
    balanced, told_balanced = ours.test_balanced_accuracy, told.test_balanced_accuracy
    found = []
    for title, mine, theirs, write, decimals in (
        ("Parameters", ours.parameters, told.parameters, words.whole, 0),
        ("Test accuracy", ours.test_accuracy, told.test_accuracy, words.proportion, 4),
        ("Balanced accuracy", balanced, told_balanced, words.proportion, 4),
        ("Last training loss", last_loss, told_loss, words.proportion, 4),
        ("Epochs", ours.epochs, told_epochs, words.count, 0),
        ("Seconds", ours.training_seconds, told.training_seconds, words.duration, 0),
    ):
        difference = None if mine is None or theirs is None else mine - theirs
        apart = "same" if difference == 0 else words.signed(difference, decimals)
        found.append(PublishedFigure(title, write(mine), write(theirs), apart))
    return found


def _gaps(
    trials: Sequence[Record], told: Published, classes: Sequence[str]
) -> list[tuple[str, str]]:
    losses = [[epoch.train_loss for epoch in trial.epochs] for trial in trials]
    f1 = [each.test.f1 for each in evaluations(trials)]
    epochs = [f"loss, epoch {number}" for number in range(1, len(told.train_loss) + 1)]
    found = []
    for ours, theirs, places in (
        (losses, told.train_loss, epochs),
        (f1, told.f1, [f"F1, class {name}" for name in classes]),
    ):
        # Means over trials, at each place that every trial has.
        means = [fmean(values) for values in zip(*ours, strict=False)]
        apart = [abs(a - b) for a, b in zip(means, theirs, strict=False)]
        if apart:
            found.append((words.proportion(max(apart)), places[apart.index(max(apart))]))
    return found
