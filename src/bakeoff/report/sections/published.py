"""Our figures beside those printed elsewhere."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from statistics import fmean

from bakeoff.findings.findings import Findings
from bakeoff.findings.standings import Standing
from bakeoff.records.record import evaluations
from bakeoff.report import words
from bakeoff.study.study import Published


@dataclass(frozen=True)
class PublishedFigure:
    """One figure: ours, the published one, and ours minus it."""

    title: str
    ours: str
    published: str
    difference: str


@dataclass(frozen=True)
class Gap:
    """Where our numbers of one kind are farthest from the published ones."""

    size: str
    where: str
    """Of what and at which place: loss, epoch 3."""


@dataclass(frozen=True)
class PublishedRow:
    """One entrant's figures."""

    entrant: str
    source: str
    figures: tuple[PublishedFigure, ...]
    gaps: tuple[Gap, ...]


TITLES = (
    "Parameters",
    "Test accuracy",
    "Balanced accuracy",
    "Last training loss",
    "Epochs",
    "Seconds",
)


def _means(trials: Sequence[Sequence[float]]) -> list[float]:
    """Return the mean over trials at each place that every trial has."""
    return [fmean(values) for values in zip(*trials, strict=False)]


def _widest(ours: Sequence[float], published: Sequence[float]) -> tuple[int, float] | None:
    """Return the place, from 0, at which two series are farthest apart, and how far."""
    apart = [abs(a - b) for a, b in zip(ours, published, strict=False)]
    return max(enumerate(apart), key=lambda each: each[1]) if apart else None


def _gaps(findings: Findings, entrant: str, published: Published) -> tuple[Gap, ...]:
    trials = findings.complete(entrant)
    losses = _means([[epoch.train_loss for epoch in trial.epochs] for trial in trials])
    f1 = _means([each.test.f1 for each in evaluations(trials)])
    loss_gap, f1_gap = _widest(losses, published.train_loss), _widest(f1, published.f1)
    found = []
    if loss_gap is not None:
        place, size = loss_gap
        found.append(Gap(words.proportion(size), f"loss, epoch {place + 1}"))
    if f1_gap is not None:
        place, size = f1_gap
        found.append(Gap(words.proportion(size), f"F1, class {findings.classes[place]}"))
    return tuple(found)


def _last_loss(findings: Findings, entrant: str) -> float | None:
    losses = [trial.epochs[-1].train_loss for trial in findings.complete(entrant) if trial.epochs]
    return fmean(losses) if losses else None


def _epochs(published: Published) -> int | None:
    return max(len(published.train_loss), len(published.validation_accuracy)) or None


def _figures(
    ours: Standing, last_loss: float | None, published: Published
) -> tuple[PublishedFigure, ...]:
    places = words.proportion
    losses = published.train_loss
    rows = (
        (ours.parameters, published.parameters, words.whole, 0),
        (ours.test_accuracy, published.test_accuracy, places, 4),
        (ours.test_balanced_accuracy, published.test_balanced_accuracy, places, 4),
        (last_loss, losses[-1] if losses else None, places, 4),
        (ours.epochs, _epochs(published), words.count, 0),
        (ours.training_seconds, published.training_seconds, words.duration, 0),
    )
    found = []
    for title, (mine, theirs, write, decimals) in zip(TITLES, rows, strict=True):
        both = mine is not None and theirs is not None
        difference = mine - theirs if mine is not None and theirs is not None else None
        text = "same" if both and difference == 0 else words.signed(difference, decimals)
        found.append(PublishedFigure(title, write(mine), write(theirs), text))
    return tuple(found)


def published_rows(findings: Findings) -> tuple[PublishedRow, ...]:
    """Return the entrants that have published figures, in the order of the study."""
    ours = {row.entrant: row for row in findings.standings}
    return tuple(
        PublishedRow(
            entrant=entrant.name,
            source=entrant.published.source,
            figures=_figures(
                ours[entrant.name], _last_loss(findings, entrant.name), entrant.published
            ),
            gaps=_gaps(findings, entrant.name, entrant.published),
        )
        for entrant in findings.study.entrants
        if entrant.published is not None
    )
